"""Read the weights in a PyTorch file without PyTorch, and without running anything that the file says.

The format is the one before PyTorch 1.6: pickles (a magic number, a version, sizes of types, the table of tensors, the
keys of the storages) and then every storage as its length and its numbers. A pickle may call any function by name;
here only the two that a table of tensors needs are known, and neither is PyTorch's.
"""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from helpers.errors import LeukobookError

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
_TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class TorchFileError(LeukobookError):
    """A file that is not a table of tensors in this format; the message names it."""


class _Storage(NamedTuple):
    dtype: np.dtype
    key: str
    length: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Reader(pickle.Unpickler):
    """Knows an ordered dictionary, a tensor and the types of storages, and refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: _Tensor(storage, offset, shape, strides)
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        raise TorchFileError(f"the file asks for {module}.{name}, which a table of weights does not need")

    def persistent_load(self, pid: Any) -> _Storage:
        _, dtype, key, _, length, _ = pid
        return _Storage(dtype, str(key), int(length))


def read(path: Path) -> dict[str, np.ndarray]:
    """All tensors of a state dict by name, each an array of its own.

    Raises:
        TorchFileError: another format, a name that is not needed, a tensor outside its storage, or a file cut short.
    """
    try:
        with path.open("rb") as file:
            if (_Reader(file).load(), _Reader(file).load()) != (MAGIC, VERSION):
                raise TorchFileError("not a PyTorch file in the format before version 1.6")
            if not _Reader(file).load().get("little_endian"):
                raise TorchFileError("written on a big-endian machine")
            tensors, keys = _Reader(file).load(), _Reader(file).load()
            dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
            storages = {key: _numbers(file, dtypes[key]) for key in keys}
        return {name: _array(name, tensor, storages[tensor.storage.key]) for name, tensor in tensors.items()}
    except TorchFileError as error:
        raise TorchFileError(f"{path}: {error}") from None
    except (pickle.UnpicklingError, EOFError, struct.error, *_DAMAGED) as error:
        raise TorchFileError(f"{path}: damaged, or not a table of tensors ({error!r})") from None


_DAMAGED = (AttributeError, ValueError, TypeError, LookupError, MemoryError, OSError)


def _numbers(file: BinaryIO, dtype: np.dtype) -> np.ndarray:
    (length,) = struct.unpack("<q", file.read(8))
    content = file.read(length * dtype.itemsize)
    if length < 0 or len(content) != length * dtype.itemsize:
        raise TorchFileError("the file ends early")
    return np.frombuffer(content, dtype)


def _array(name: str, tensor: _Tensor, numbers: np.ndarray) -> np.ndarray:
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if min((0, tensor.offset, *tensor.strides)) < 0 or last >= len(numbers):
        raise TorchFileError(f"{name} lies outside of its storage")
    steps = [step * numbers.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, steps).copy()
