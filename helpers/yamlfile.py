"""YAML that people write by hand - profiles, quizzes, options of the command line - read within limits.

A file is a regular one of at most 64 KiB (:data:`MAX_BYTES`), nested at most 20 deep (:data:`MAX_DEPTH`). It is made of
text, finite numbers of at most 40 digits (:data:`MAX_DIGITS`), true, false, null, lists and maps. The keys of a map are
text, and each stands there once. Anchors, aliases, merge keys, dates and tags are refused: what a file holds is what
is written in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from helpers import files
from helpers.errors import LeukobookError

MAX_BYTES, MAX_DEPTH, MAX_DIGITS = 64 * 1024, 20, 40
_TAG = "tag:yaml.org,2002:"
_KINDS = "text, numbers, true, false, null, lists and maps"


class YamlError(LeukobookError):
    """YAML that cannot be used; the message names file or option, line, and what to write instead."""


@dataclass(frozen=True)
class Document:
    """A YAML file: what it holds, and where in the file that stands.

    Attributes:
        value: text, numbers, truth values, None, lists and dictionaries.
        lines: of every key and item, by its path from the top, such as ``("grid", "seed", 0)``; from 1.
    """

    value: Any
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)

    def line(self, path: Sequence[str | int]) -> int:
        """Find the line of a path; of what contains it where it has none, such as a key that is missing."""
        path = tuple(path)
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        YamlError: not a regular file, too large, not UTF-8, not YAML, or something that this module refuses.
        FileNotFoundError: there is no such file.
    """
    try:
        text = _regular_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlError(f"{path}: not UTF-8 (byte {error.start + 1}); save it as UTF-8") from None
    return parse(text, str(path))


def parse(text: str, where: str) -> Document:
    """Parse YAML, such as the value of an option.

    Args:
        text: at most :data:`MAX_BYTES` letters.
        where: what messages call it.

    Raises:
        YamlError: not YAML, or something that this module refuses.
    """
    if len(text) > MAX_BYTES:
        raise YamlError(f"{where}: has more than {MAX_BYTES // 1024} KiB, the most that is read; split it")
    lines: dict[tuple[str | int, ...], int] = {}
    try:
        _check_events(text, where)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise YamlError(f"{where}{line}: not YAML ({error.problem or error.context})") from None
    except yaml.YAMLError as error:  # a character that YAML does not allow
        raise YamlError(f"{where}: not YAML ({' '.join(str(error).split())})") from None
    return Document(None if node is None else _value(node, (), lines, where), lines)


def parse_options(pairs: Iterable[str]) -> dict[str, Any]:
    """Read options of the command line, each ``name=value`` with a value in YAML.

    Raises:
        YamlError: not of that form, a value that is not YAML, or a name that is given twice.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise YamlError(f"option {pair!r}: is not name=value; write, for instance, task=leukaemia")
        if name in found:
            raise YamlError(f"option {name}: is given twice; give it once")
        try:
            found[name] = parse(value, f"option {name}={value if len(value) < 40 else value[:40] + '…'}").value
        except YamlError as error:
            raise YamlError(f"{error}; put text in quotes: {name}='\"…\"'") from None
    return found


def _regular_file(path: Path) -> bytes:
    """The content of a file; a pipe or a device, which may have no end, is not opened to be read."""
    try:
        if kind := files.irregular_file_kind(path):
            raise YamlError(f"{path}: is {kind}, not a file; give the path of a YAML file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, YamlError):
        raise
    except (OSError, ValueError) as error:
        raise YamlError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(content) > MAX_BYTES:
        raise YamlError(f"{path}: has more than {MAX_BYTES // 1024} KiB, the most that is read; split it")
    return content


def _check_events(text: str, where: str) -> None:
    """Refuse what must not be composed: aliases, which can multiply or loop, tags, and nesting, which recurses."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            raise YamlError(f"{where}, line {line}: {sign}{event.anchor} is not supported; write the value out")
        if tag := getattr(event, "tag", None):  # one that is written out; those of plain values come later
            shown = tag.replace(_TAG, "!!", 1) if len(tag) < 60 else f"{tag[:60]}…"
            raise YamlError(f"{where}, line {line}: the tag {shown} is not supported; take it away (quotes make text)")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise YamlError(f"{where}, line {line}: nested more than {MAX_DEPTH} deep; write it flatter")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _value(node: yaml.Node, path: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int], where: str) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    kind = node.tag.removeprefix(_TAG)
    place = f"{where}, line {line}" + (f", {_dotted(path)}" if path else "")
    match node, kind:
        case yaml.MappingNode(), "map":
            found: dict[str, Any] = {}
            for key, inner in _keys(node, place):
                lines[(*path, key)] = inner[0].start_mark.line + 1
                if key in found:
                    first = lines[(*path, key)]
                    raise YamlError(f"{where}, line {first}: {_dotted((*path, key))} is there twice; keep one of them")
                found[key] = _value(inner[1], (*path, key), lines, where)
            return found
        case yaml.SequenceNode(), "seq":
            return [_value(item, (*path, number), lines, where) for number, item in enumerate(node.value)]
        case yaml.ScalarNode(), "str" | "int" | "float" | "bool" | "null":
            return _scalar(node, kind, place)
    if kind == "timestamp":
        raise YamlError(f"{place}: {node.value} is a date; put it in quotes")
    raise YamlError(f"{place}: {node.tag} is not supported; write {_KINDS}")


def _keys(node: yaml.MappingNode, place: str) -> Iterator[tuple[str, tuple[yaml.Node, yaml.Node]]]:
    for pair in node.value:
        key = pair[0]
        if not isinstance(key, yaml.ScalarNode) or key.tag != f"{_TAG}str":
            shown = f"{key.value!r:.40}" if isinstance(key, yaml.ScalarNode) else "a list or a map"
            raise YamlError(f"{place}: the key {shown} is not text; put it in quotes")
        yield key.value, pair


def _scalar(node: yaml.ScalarNode, kind: str, place: str) -> Any:
    if kind == "str":
        if "\0" in node.value:
            raise YamlError(f"{place}: text with a NUL character; take it out")
        return node.value
    if kind in ("int", "float") and len(node.value) > MAX_DIGITS:
        raise YamlError(
            f"{place}: a number of {len(node.value)} digits; {MAX_DIGITS} are the most; text goes in quotes"
        )
    constructor = yaml.constructor.SafeConstructor()
    try:
        value = constructor.construct_object(node)
    except ValueError:  # 0x_
        raise YamlError(f"{place}: {node.value!r} is no {kind}; put text in quotes") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise YamlError(f"{place}: {node.value} is not a finite number; write one, or put text in quotes")
    return value


def _dotted(path: Iterable[str | int]) -> str:
    return ".".join(str(part) if len(str(part)) < 60 else f"{str(part)[:60]}…" for part in path)
