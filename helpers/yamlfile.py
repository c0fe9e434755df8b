"""Read hand-written YAML within limits: profiles, quizzes and command-line options.

A file must be a regular file of at most 64 KiB (:data:`MAX_BYTES`), nested at most 20 levels deep (:data:`MAX_DEPTH`).
It may contain text, finite numbers of at most 40 digits (:data:`MAX_DIGITS`), true, false, null, lists and maps with
unique text keys. Anchors, aliases, merge keys, dates and tags are rejected, so the content is exactly what is written.
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
    """Unusable YAML; the message states file or option, line and remedy."""


@dataclass(frozen=True)
class Document:
    """Content of a YAML file with line numbers.

    Attributes:
        value: text, numbers, booleans, None, lists and dictionaries.
        lines: line number, from 1, of each key and item by its path, such as ``("grid", "seed", 0)``.
    """

    value: Any
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)

    def line(self, path: Sequence[str | int]) -> int:
        """Return the line of a path, or of its nearest existing parent, such as for a missing key."""
        path = tuple(path)
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        YamlError: the file is not a regular file, too large, not UTF-8 or not YAML, or holds content that this module
            rejects.
        FileNotFoundError: the file does not exist.
    """
    try:
        text = _regular_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlError(f"{path}: not UTF-8 (byte {error.start + 1}); save it as UTF-8") from None
    return parse(text, str(path))


def parse(text: str, where: str) -> Document:
    """Parse YAML, such as the value of an option.

    Args:
        text: at most :data:`MAX_BYTES` characters.
        where: name of the source in error messages.

    Raises:
        YamlError: the text is not YAML, or holds content that this module rejects.
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
    """Parse command-line options of the form ``name=value`` with values in YAML.

    Raises:
        YamlError: an option does not have this form, its value is not YAML, or its name occurs twice.
    """
    options: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise YamlError(f"option {pair!r}: is not name=value; write, for instance, task=leukaemia")
        if name in options:
            raise YamlError(f"option {name}: is given twice; give it once")
        try:
            options[name] = parse(value, f"option {name}={value if len(value) < 40 else value[:40] + '…'}").value
        except YamlError as error:
            raise YamlError(f"{error}; put text in quotes: {name}='\"…\"'") from None
    return options


def _regular_file(path: Path) -> bytes:
    """Read a regular file; pipes and devices, which may never end, are not opened."""
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
    """Reject aliases, which can multiply or loop, tags, and deep nesting, which recurses, before composing."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        assert event.start_mark is not None  # the parser marks every event
        line = event.start_mark.line + 1
        if isinstance(event, yaml.NodeEvent) and event.anchor:  # an alias is a node, too
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            raise YamlError(f"{where}, line {line}: {sign}{event.anchor} is not supported; write the value out")
        if tag := getattr(event, "tag", None):  # explicit tags only; implicit ones are resolved later
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
    location = f"{where}, line {line}" + (f", {_dotted(path)}" if path else "")
    match node, kind:
        case yaml.MappingNode(), "map":
            mapping: dict[str, Any] = {}
            for key, inner in _keys(node, location):
                lines[(*path, key)] = inner[0].start_mark.line + 1
                if key in mapping:
                    first = lines[(*path, key)]
                    raise YamlError(
                        f"{where}, line {first}: {_dotted((*path, key))} is defined twice; keep one of them"
                    )
                mapping[key] = _value(inner[1], (*path, key), lines, where)
            return mapping
        case yaml.SequenceNode(), "seq":
            return [_value(item, (*path, number), lines, where) for number, item in enumerate(node.value)]
        case yaml.ScalarNode(), "str" | "int" | "float" | "bool" | "null":
            return _scalar(node, kind, location)
    if kind == "timestamp":
        raise YamlError(f"{location}: {node.value} is a date; put it in quotes")
    raise YamlError(f"{location}: {node.tag} is not supported; write {_KINDS}")


def _keys(node: yaml.MappingNode, location: str) -> Iterator[tuple[str, tuple[yaml.Node, yaml.Node]]]:
    for pair in node.value:
        key = pair[0]
        if not isinstance(key, yaml.ScalarNode) or key.tag != f"{_TAG}str":
            shown = f"{key.value!r:.40}" if isinstance(key, yaml.ScalarNode) else "a list or a map"
            raise YamlError(f"{location}: the key {shown} is not text; put it in quotes")
        yield key.value, pair


def _scalar(node: yaml.ScalarNode, kind: str, location: str) -> Any:
    if kind == "str":
        if "\0" in node.value:
            raise YamlError(f"{location}: text with a NUL character; take it out")
        return node.value
    if kind in ("int", "float") and len(node.value) > MAX_DIGITS:
        raise YamlError(
            f"{location}: a number must have at most {MAX_DIGITS} digits, got {len(node.value)}; put text in quotes"
        )
    constructor = yaml.constructor.SafeConstructor()
    try:
        value = constructor.construct_object(node)
    except ValueError:  # 0x_
        raise YamlError(f"{location}: {node.value!r} is not a valid {kind}; put text in quotes") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise YamlError(f"{location}: {node.value} is not a finite number; write one, or put text in quotes")
    return value


def _dotted(path: Iterable[str | int]) -> str:
    return ".".join(str(key) if len(str(key)) < 60 else f"{str(key)[:60]}…" for key in path)
