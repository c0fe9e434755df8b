"""Generate the table of the chapters' parameters from their ``parameters`` cells: name, type, default and meaning.

The meaning is the comment above an assignment or at its end.
"""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from helpers.project import Project
from helpers.runs import notebooks

_TYPES = {str: "text", int: "whole number", float: "number", bool: "true or false", list: "list", dict: "mapping"}


@dataclass(frozen=True)
class Parameter:
    """Hold a parameter of a chapter.

    Attributes:
        name: name of the variable.
        default: its value in the committed notebook.
        meaning: comment in its ``parameters`` cell, on one line; empty if it has none.
    """

    name: str
    default: Any
    meaning: str


def read_parameters(notebook: NotebookNode) -> list[Parameter]:
    """Read the parameters of a notebook, in their order.

    Raises:
        NotebookError: see :func:`helpers.runs.notebooks.parameters`.
    """
    code, defaults = notebooks.parameters_code(notebook), notebooks.parameters(notebook)
    comments = _comments(code)
    read, last = [], 0
    for statement in ast.parse(code).body:
        end = statement.end_lineno or statement.lineno
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            meaning = " ".join(comments[line] for line in range(last + 1, end + 1) if line in comments)
            read.append(Parameter(name, defaults[name], meaning))
        last = end
    return read


def _comments(code: str) -> dict[int, str]:
    """Return the comments of Python code by line, without the sign."""
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    return {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}


def parameter_tables() -> str:
    """Return a section in Markdown for every chapter, with the table of its parameters."""
    sections = []
    for path in sorted(Project.current().notebooks.glob("*.ipynb")):
        rows = [
            f"| `{one.name}` | {_TYPES[type(one.default)]} | {_code(one.default)} | {_cell(one.meaning)} |"
            for one in read_parameters(notebooks.read(path))
        ]
        head = [f"**[{path.stem}](../notebooks/{path.name})**", "", "| parameter | type | default | meaning |"]
        sections.append("\n".join([*head, "|---|---|---|---|", *rows, ""]))
    return "\n".join(sections)


def _code(value: Any) -> str:
    """Return a value as the notebook has it, as code in a table cell; an empty text in words."""
    if value == "":
        return "empty"
    text = repr(value).replace("'", '"').replace("|", "\\|")
    return f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
