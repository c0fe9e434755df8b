"""Hashes that identify a training by the code of its model and loss and by the values that this code uses.

A finished training is loaded instead of repeated, so different trainings need different identifiers. The source of a
loss is not sufficient: ``weighted(1.0)`` and ``weighted(0.0)`` share it. A function is therefore identified by its
module and qualified name, its code and that of the modules it imports, and its arguments, defaults and closure, all by
value.
"""

from __future__ import annotations

import ast
import dis
import functools
import hashlib
import importlib.util
import sys
import sysconfig
import types
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from helpers.backend import keras, tf
from helpers.files import code_digest

_PLAIN = (type(None), type(...), bool, int, float, complex, str, bytes, PurePath)
_ARRAYS = (np.ndarray, np.generic, tf.Tensor, tf.Variable, keras.Variable)
_BY_NAME = (type, types.FunctionType, types.BuiltinFunctionType, np.ufunc)
_LIBRARIES = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib"))


def identify(value: Any) -> str:
    """Hash a model builder, a loss or one of their arguments by value, identically in every process.

    Args:
        value: Function of a module or notebook, closures included; method; ``functools.partial``; class; module;
            dataclass; object with Keras's ``get_config``; number, text or array; or list, tuple, set or dictionary of
            these.

    Returns:
        SHA-256, hexadecimal. It changes with the code, but not with comments, docstrings or layout.

    Raises:
        ValueError: If it contains an object identified only by its memory address; the message names the object.
    """
    return hashlib.sha256(repr(_describe(value, ())).encode()).hexdigest()


def imported_code(module: str) -> dict[str, str]:
    """Hash the code of a module and of all modules that it imports, directly or indirectly.

    Args:
        module: Name of an imported module.

    Returns:
        :func:`helpers.files.code_digest` by module name, without libraries.
    """
    digests: dict[str, str] = {}
    pending = [module]
    while pending:
        name = pending.pop()
        path = _file(name)
        if name in digests or path is None or _is_library(name):
            continue
        digests[name], imports = _read(path, name, path.stat().st_mtime_ns)
        pending += imports
    return digests


def _describe(value: Any, within: tuple[Any, ...]) -> tuple:
    """Describe a value as nested tuples of text; ``within`` holds the enclosing functions and classes."""
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    inner = functools.partial(_describe, within=within)
    if isinstance(value, _PLAIN):
        return kind, repr(value)
    if isinstance(value, (list, tuple)):
        return kind, *map(inner, value)
    if isinstance(value, (set, frozenset)):
        return kind, *sorted(map(inner, value), key=repr)
    if isinstance(value, dict):
        return kind, *sorted(((inner(key), inner(item)) for key, item in value.items()), key=repr)
    if isinstance(value, _ARRAYS):
        array = np.ascontiguousarray(value)
        return kind, str(array.dtype), str(np.shape(value)), hashlib.sha256(array.data).hexdigest()
    if isinstance(value, functools.partial):
        return kind, inner(value.func), inner(value.args), inner(value.keywords)
    if isinstance(value, types.MethodType):
        return kind, inner(value.__self__), inner(value.__func__)
    if isinstance(value, types.ModuleType):
        return kind, value.__name__, *imported_code(value.__name__).items()
    if isinstance(value, functools._lru_cache_wrapper):
        return inner(value.__wrapped__)
    if isinstance(value, _BY_NAME):
        return _describe_named(value, within)
    if is_dataclass(value):
        return kind, inner(type(value)), inner({field.name: getattr(value, field.name) for field in fields(value)})
    if hasattr(value, "get_config") and _config_is_complete(value):
        weights = value.get_weights() if isinstance(value, keras.layers.Layer) else []
        config = {key: item for key, item in value.get_config().items() if key != "name"}  # Keras numbers names
        return kind, inner(type(value)), inner(config), inner(weights)
    raise ValueError(
        f"{value!r} cannot be hashed by value, so that a training with it could not be told from another one; use "
        "numbers, text or arrays, a dataclass, or an object whose class has a get_config of its own"
    )


def _config_is_complete(value: Any) -> bool:
    """Return whether ``get_config`` is complete; an inherited one misses the arguments of a user's ``__init__``."""
    kind = type(value)
    inherited = _is_library(kind.get_config.__module__)
    return _is_library(kind.__module__) or not (inherited and not _is_library(kind.__init__.__module__))


def _describe_named(value: Any, within: tuple[Any, ...]) -> tuple:
    """Describe a function or class by its name and, outside libraries, by its code and all values it refers to."""
    module = value.__module__ if not isinstance(value, np.ufunc) else "numpy"
    name = f"{module}.{getattr(value, '__qualname__', value.__name__)}"
    if _is_library(module) and "<locals>" not in name:
        return "library", name
    if any(value is outer for outer in within):
        return "recursion", name
    inner = functools.partial(_describe, within=(*within, value))
    file = _file(module)
    content: list[Any] = [name, *imported_code(module).items()]
    if isinstance(value, type):
        content += map(inner, value.__bases__)
        if file is None:  # defined in a notebook
            content += [(key, inner(item)) for key, item in sorted(_members(value))]
        return "class", *content
    content += [_instructions(value.__code__), inner(value.__defaults__), inner(value.__kwdefaults__)]
    content += [(key, inner(cell)) for key, cell in _closure(value)]
    if file is None:
        names = sorted(_names(value.__code__) & value.__globals__.keys())
        content += [(key, inner(value.__globals__[key])) for key in names]
    return "function", *content


def _instructions(code: types.CodeType) -> tuple:
    """Describe one function's code without line numbers and docstring; names in a module need not be unique."""
    constants = list(code.co_consts)
    # Up to Python 3.13, the first constant of a function is its docstring, or None; lambdas have neither.
    if not code.co_name.startswith("<") and isinstance(constants[0], (str, types.NoneType)):
        del constants[0]
    described = [_instructions(c) if isinstance(c, types.CodeType) else _describe(c, ()) for c in constants]
    return code.co_code, *described, code.co_names, code.co_varnames, code.co_freevars, code.co_flags


def _closure(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not assigned yet
            yield name, None


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """Yield the methods and public attributes of a class defined in a notebook."""
    for name, member in vars(kind).items():
        member = getattr(member, "__func__", getattr(member, "fget", member))
        if isinstance(member, types.FunctionType) or not name.startswith("_"):
            yield name, member


def _names(code: types.CodeType) -> set[str]:
    """Find the global names that a code object looks up."""
    names = {step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return names.union(*(_names(inner) for inner in code.co_consts if isinstance(inner, types.CodeType)))


@functools.cache
def _is_library(module: str) -> bool:
    """Return whether a module is a library, of which the name suffices as its version is fixed."""
    top = module.partition(".")[0]
    if top in (__name__.partition(".")[0], "__main__"):
        return False
    if top in sys.stdlib_module_names:
        return True
    path = _file(top)
    return path is not None and any(path.is_relative_to(folder) for folder in _LIBRARIES)


def _file(module: str) -> Path | None:
    """Find the file of a module; ``None`` where it has none, as in a notebook."""
    try:
        source = sys.modules.get(module) or importlib.util.find_spec(module)
        origin = getattr(source, "__file__", None) or getattr(source, "origin", None)
    except (ImportError, ValueError):
        return None
    path = Path(origin) if origin else None
    return path if path and path.is_file() else None


@functools.lru_cache(maxsize=1024)
def _read(path: Path, module: str, changed: int) -> tuple[str, list[str]]:
    """Hash the code of a module and list its imports; ``changed``, the modification time, invalidates the cache."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return code_digest(path), []
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    imports = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            below = [f"{base}.{alias.name}" for alias in node.names]
            imports += [name if not _is_library(base) and _file(name) else base for name in below]
    return code_digest(path), imports
