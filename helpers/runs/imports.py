"""Files of the package that a notebook depends on."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

from nbformat import NotebookNode

from helpers.project import Project
from helpers.runs.notebooks import parse_code


def helpers_used(notebook: NotebookNode) -> list[Path]:
    """List the files of the package that a notebook imports, directly or indirectly, sorted.

    If a cell is not plain Python, all files of the package are listed.
    """
    package = Project.current().package
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    if any(parse_code(source) is None for source in code):
        return sorted(package.rglob("*.py"))
    start = package / "__init__.py"
    used, pending = {start}, set(imported_modules("\n".join([*code, start.read_text(encoding="utf-8")])))
    visited: set[str] = set()
    while pending:
        name = pending.pop()
        if name in visited:
            continue
        visited.add(name)
        module = package / f"{name}.py"
        of_module = [module] if module.exists() else sorted((package / name).rglob("*.py"))
        for path in of_module:
            pending |= imported_modules(path.read_text(encoding="utf-8"))
        used.update(of_module)
    return sorted(used)


@functools.cache
def imported_modules(code: str) -> frozenset[str]:
    """Return the names of top-level modules of ``helpers`` that Python code imports anywhere.

    Raises:
        SyntaxError: the code is not Python.
    """
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [f"{node.module or 'helpers'}.{alias.name}" for alias in node.names]
            if node.level:  # relative, from a file of the package
                modules = [f"helpers.{name.removeprefix('helpers.')}" for name in modules]
        else:
            continue
        names |= {name.split(".")[1] for name in modules if name.startswith("helpers.")}
    return frozenset(names)
