"""Load untrusted ``.keras`` files: their content is validated before Keras opens them, and no code in them runs.

A file of a few kilobytes can declare gigabytes, so a model file may hold at most

==================  ==================================================================================================
on disk             160 MiB, with three members: ``metadata.json``, ``config.json``, ``model.weights.h5``
configuration       4 MiB, 1,000 layers, 2,000 layer calls, 4,000 connections; only layers of :data:`LAYERS`, and the
                    two of :mod:`helpers.models.views`
weights             128 MiB (about 33 million parameters); finite numbers; no links, no chunked or external arrays
parameters          no more bytes than the weights file contains
activations         4 million values per tensor and image, or per view of an image
==================  ==================================================================================================
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from helpers import files
from helpers.backend import keras, tf
from helpers.errors import LeukobookError
from helpers.models import views

MIB = 2**20
MAX_FILE, MAX_CONFIG, MAX_WEIGHTS = 160 * MIB, 4 * MIB, 128 * MIB
MAX_LAYERS, MAX_CALLS, MAX_CONNECTIONS, MAX_ARRAYS = 1_000, 2_000, 4_000, 10_000
MAX_DEPTH = 20  # nesting of groups in the weights file
MAX_ACTIVATION = 4 * MIB
MEMBERS = {"metadata.json": MAX_CONFIG, "config.json": MAX_CONFIG, "model.weights.h5": MAX_WEIGHTS}
MODELS = frozenset({"Functional", "Model", "Sequential"})
LAYERS = frozenset({
    "Activation", "Add", "AveragePooling2D", "BatchNormalization", "Concatenate", "Conv2D", "Conv2DTranspose", "Dense",
    "DepthwiseConv2D", "Dropout", "Flatten", "Flip", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "InputLayer",
    "LeakyReLU", "MaxPooling2D", "Multiply", "Normalization", "ReLU", "Rescaling", "Reshape", "SeparableConv2D",
    "Softmax", "UpSampling2D", "ZeroPadding2D",
})  # fmt: skip
# Layers of this package, by module and name; importing the module above has registered them with Keras.
OWN_LAYERS = frozenset({(layer.__module__, layer.__name__) for layer in (views.DihedralViews, views.ViewMean)})
# Objects allowed in a layer's configuration. The orthogonal initializer is excluded: it factorises a matrix.
CONFIG_OBJECTS = frozenset({
    "Constant", "DTypePolicy", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "L1", "L1L2", "L2", "Ones",
    "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros",
})  # fmt: skip
_TENSOR = "__keras_tensor__"
_NO_ZIP64 = b"PK\x06\x07"


class ModelError(LeukobookError):
    """An invalid model file or model output; for a file, the message names it."""


def load_model_file(path: Path) -> keras.Model:
    """Load a model from a ``.keras`` file in Keras's safe mode, without executing anything in the file.

    Args:
        path: Path of the ``.keras`` file.

    Returns:
        The model, not compiled.

    Raises:
        ModelError: If it is not a file, exceeds the limits of :mod:`helpers.models.loading`, has weights that are not
            finite, or was written by a newer Keras version that the installed one cannot read.
    """
    path = require_file(path)
    written_by = ""
    try:
        with zipfile.ZipFile(io.BytesIO(_content(path))) as archive:
            _check_members(archive)
            written_by = _keras_version(archive)
            config = json.loads(_member(archive, "config.json"))
            config["compile_config"] = None
            _check_config(config)
            return _load(config, _member(archive, "model.weights.h5"))
    except Exception as error:  # untrusted file: zip, HDF5, JSON and every layer raise errors of their own
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        if _numbers(written_by) > _numbers(keras.__version__):
            reason = (
                f"Keras {written_by} has written it and Keras {keras.__version__} is installed: {reason}; "
                f"install keras>={written_by}, or train the model again here"
            )
        raise ModelError(f"{path}: cannot be read as a Keras model ({reason})") from None


def require_input(model: keras.Model, path: Path, size: int) -> None:
    """Check that a model takes RGB images of the given size.

    Args:
        model: Model to check.
        path: Path of the model, for error messages.
        size: Height and width of the images in pixels.

    Raises:
        ModelError: If the input shape differs, the model cannot process this size, or a tensor has more than
            :data:`MAX_ACTIVATION` values for one image.
    """
    shape = model.input_shape
    if not (isinstance(shape, tuple) and len(shape) == 4 and shape[3] == 3 and set(shape[1:3]) <= {None, size}):
        raise ModelError(f"{path}: takes {shape}, but its card states RGB images of {size}×{size} pixels")
    try:
        graph = _graph_of_one_image(model, size)
    except (ValueError, TypeError, tf.errors.OpError) as error:  # such as a size that a U-Net cannot halve
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"{path}: cannot work with images of {size}×{size} pixels, the size in its card ({reason}); train the "
            "model again, or copy its own card here"
        ) from None
    shapes = [tensor.shape for operation in graph.get_operations() for tensor in operation.outputs]
    largest = max((math.prod(shape) for shape in shapes if shape.is_fully_defined()), default=0)
    largest //= views.views_within(model)
    if largest > MAX_ACTIVATION:
        raise ModelError(f"{path}: computes arrays of {largest:,} values per image; the maximum is {MAX_ACTIVATION:,}")


def _graph_of_one_image(model: keras.Model, size: int) -> tf.Graph:
    """Trace a model for one image; ``predict_on_batch`` then uses the same graph, which takes most of a second.

    With XLA, on a GPU, the graph of ``predict_on_batch`` hides the model in one operation, and another one is traced.
    """
    image = tf.TensorSpec((1, size, size, 3), tf.uint8)
    if model.jit_compile:
        return tf.function(lambda x: model(x, training=False)).get_concrete_function(image).graph
    model.make_predict_function(force=True)
    return model.predict_function.get_concrete_function([(image,)]).graph


def file_digest(path: Path) -> str:
    """Compute the SHA-256 of a file, hexadecimal, by which a model card identifies its model."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_file(path: Path, suffixes: tuple[str, ...] = (".keras",), max_bytes: int = MAX_FILE) -> Path:
    """Check that a model path is a regular file of a known kind and of at most ``max_bytes``, before it is read.

    Args:
        path: Path of the model file; ``~`` is the home directory.
        suffixes: File name suffixes of the kinds of models.
        max_bytes: Maximum size.

    Returns:
        The path with ``~`` expanded.

    Raises:
        ModelError: If it is missing, a folder, a pipe or a device, has another suffix, or is too large.
    """
    try:
        path = path.expanduser()
        if kind := files.irregular_file_kind(path):
            raise ModelError(f"{path}: is {kind}; pass the {suffixes[0]} file itself")
        size = path.stat().st_size
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", error)
        others = [other.name for other in map(path.with_suffix, suffixes) if path.suffix and other.is_file()]
        remedy = f"there is {', '.join(others)}; pass it" if others else "check the path"
        raise ModelError(f"{path}: no model file can be read here ({reason}); {remedy}") from None
    if path.suffix not in suffixes:
        raise ModelError(f"{path}: a model ends in {' or '.join(suffixes)}; rename the file if it is one")
    if size > max_bytes:
        raise ModelError(f"{path}: {size / MIB:.0f} MiB; the maximum is {max_bytes // MIB} MiB")
    return path


def _content(path: Path) -> bytes:
    """Read the file; check the number of zip members in its end record before the directory is parsed."""
    content = path.read_bytes()
    end = content.rfind(b"PK\x05\x06")
    if end >= 0:
        members = int.from_bytes(content[end + 10 : end + 12], "little")
        if members > len(MEMBERS) or content[end - 20 : end - 16] == _NO_ZIP64:
            raise ModelError(f"{members} members or more in the zip file, and a model has {', '.join(MEMBERS)}")
    return content


def _check_members(archive: zipfile.ZipFile) -> None:
    names = [member.filename for member in archive.infolist()]
    if sorted(names) != sorted(MEMBERS):
        raise ModelError(f"its members are {', '.join(names)[:80] or 'none'}, and a model has {', '.join(MEMBERS)}")
    for member in archive.infolist():
        if member.file_size > MEMBERS[member.filename]:
            raise ModelError(
                f"{member.filename} has {member.file_size / MIB:.0f} MiB unpacked, and may have "
                f"{MEMBERS[member.filename] // MIB} MiB"
            )


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    return files.read_member(archive, archive.getinfo(name), MEMBERS[name])


def _keras_version(archive: zipfile.ZipFile) -> str:
    version = json.loads(_member(archive, "metadata.json")).get("keras_version")
    if not isinstance(version, str) or not re.fullmatch(r"\d+(\.\w+){1,4}", version):
        raise ModelError("metadata.json lacks the version of Keras that wrote it")
    return version


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]


def _check_config(config: dict[str, Any]) -> None:
    """Refuse classes that are not allowed, and more layers, layer calls or connections than the limits."""
    counts: Counter[str] = Counter()
    for entry in _dictionaries(config):
        name, module = entry["class_name"], entry.get("module") or "keras"
        is_own = (module, name) in OWN_LAYERS
        is_keras = name in LAYERS | MODELS | CONFIG_OBJECTS | {_TENSOR} and str(module).startswith("keras")
        if not (is_own or is_keras):
            raise ModelError(f"{str(module)[:40]}.{str(name)[:40]} is not an allowed layer")
        counts["layers" if is_own or name in LAYERS | MODELS else name] += 1
    for number, limit, unit in (
        (counts["layers"], MAX_LAYERS, "layers"),
        (_calls(config), MAX_CALLS, "calls of layers"),
        (counts[_TENSOR], MAX_CONNECTIONS, "connections"),
    ):
        if number > limit:
            raise ModelError(f"{number:,} {unit}; the maximum is {limit:,}")


def _dictionaries(config: Any) -> Iterator[dict[str, Any]]:
    """Yield all dictionaries of a configuration that have a ``class_name``."""
    open_ends = [config]
    while open_ends:
        entry = open_ends.pop()
        if isinstance(entry, dict):
            if "class_name" in entry:
                yield entry
            open_ends.extend(entry.values())
        elif isinstance(entry, list):
            open_ends.extend(entry)


def _calls(entry: Any) -> int:
    """Count the layer calls when a model is built; a nested model may be called more than once."""
    if isinstance(entry, list):
        return sum(map(_calls, entry))
    if not isinstance(entry, dict):
        return 0
    times = max(1, len(entry.get("inbound_nodes") or ()))
    return times * ((entry.get("class_name") in LAYERS | MODELS) + sum(map(_calls, entry.values())))


def _load(config: dict[str, Any], weights: bytes) -> keras.Model:
    """Build a model and load its weights from a file of their own, which HDF5 reads faster than a member of an archive.

    The model is built in a separate thread, because Keras keeps a list of uninitialised variables per thread, and the
    list of a refused model ends with the thread.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        path.write_bytes(weights)
        stored = _check_weights(path)
        with ThreadPoolExecutor(1) as thread:
            model = thread.submit(_build, config, stored).result()
        model.load_weights(path)
    return model


def _build(config: dict[str, Any], stored: int) -> keras.Model:
    """Build a model, and allocate its parameters only if they need no more bytes than the file stores."""
    with keras.StatelessScope(initialize_variables=False) as scope:
        model = keras.saving.deserialize_keras_object(config, safe_mode=True)
        needed = sum(math.prod(weight.shape) * tf.as_dtype(weight.dtype).size for weight in model.weights)
        if needed > stored:
            raise ModelError(f"its layers need {needed:,} bytes of parameters, and its weights file has {stored:,}")
        scope.initialize_variables = True
    return model


def _check_weights(path: Path) -> int:
    """Count the bytes of all arrays in a weights file; refuse links, chunked or external arrays, NaN and infinity."""
    n_bytes, n_members = 0, 0
    size = path.stat().st_size
    with h5py.File(path, "r") as file:
        groups = [file]
        while groups:
            group = groups.pop()
            n_members += len(group)
            if n_members > MAX_ARRAYS:
                raise ModelError(f"more than {MAX_ARRAYS:,} arrays of weights")
            for name in group:
                location = f"{group.name}/{name}".replace("//", "/")[:120]
                if location.count("/") > MAX_DEPTH or not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise ModelError(f"the weights {location} are a link, or lie too deep")
                member = group[name]
                if isinstance(member, h5py.Group):
                    groups.append(member)
                    continue
                n_bytes += _array_bytes(member, location)
                if n_bytes > size:
                    raise ModelError("its weights file declares more numbers than it holds")
                if member.dtype.kind == "f" and not np.isfinite(member[()]).all():
                    raise ModelError(f"its weights are not finite: {location}; the training has failed, train it again")
    return n_bytes


def _array_bytes(array: h5py.Dataset, location: str) -> int:
    if array.external or array.is_virtual or array.chunks is not None or array.dtype.kind not in "fiub":
        raise ModelError(f"the weights {location} are not a plain array of numbers in this file")
    return array.size * array.dtype.itemsize
