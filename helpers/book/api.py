"""Generate the API reference: one page per room of the package, and links to it from the chapters.

The pages call Sphinx's ``autodoc``, which reads signatures and docstrings. The names come from the source code, which
is not imported here. A name that a package exports is documented under that short name, any other in its own module.
"""

from __future__ import annotations

import ast
import itertools
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field

from nbformat import NotebookNode

from helpers.project import Project
from helpers.runs import notebooks

LEFT_OUT = "cli"  # parses and prints; its reference is ``leukobook --help``
_LONGEST_VALUE = 60  # characters of a constant; a longer one is to be read in the source

# Below a chapter. Sphinx makes links of the roles, and an error of a name that the reference lacks.
_USED = """:::{{admonition}} Functions used in this chapter
:class: seealso
{}
:::"""


@dataclass(frozen=True)
class Entry:
    """The definition of a public name.

    Attributes:
        directive: Sphinx directive that documents it: ``autofunction``, ``autoclass`` or ``py:data``.
        value: value of a constant as in the source; empty otherwise.
        comment: comment on a constant, above and beside it.
    """

    directive: str
    value: str = ""
    comment: str = ""


@dataclass
class Module:
    """A module of the package, as its source code shows it.

    Attributes:
        name: full name, such as ``helpers.images.files``.
        tree: syntax tree.
        entries: public names documented in this module; a package has those that it exports.
        exported: full names under which packages document names that this module defines.
    """

    name: str
    tree: ast.Module
    entries: dict[str, Entry] = field(default_factory=dict)
    exported: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return (ast.get_docstring(self.tree) or "").partition("\n")[0]

    @property
    def short_name(self) -> str:
        """Name without that of the package."""
        return self.name.removeprefix("helpers.")


def read_modules() -> dict[str, Module]:
    """Read the modules of the package and decide where each public name is documented.

    Returns:
        Modules by full name, sorted; those of :data:`LEFT_OUT` are missing.
    """
    package = Project.current().package
    modules = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        if parts[0] in (LEFT_OUT, "__init__", "__main__"):
            continue
        name = ".".join(["helpers", *(part for part in parts if part != "__init__")])
        text = path.read_text(encoding="utf-8")
        modules[name] = Module(name, ast.parse(text), dict(_public(text)))
    for module in modules.values():
        for source, name in _exports(module):
            if source in modules and name in modules[source].entries:
                module.entries[name] = modules[source].entries.pop(name)
                modules[source].exported.append(f"{module.name}.{name}")
    return modules


def _public(text: str) -> Iterator[tuple[str, Entry]]:
    """Iterate over the public names that the source code of a module defines."""
    for statement in ast.parse(text).body:
        for name, entry in _defined(statement, text):
            if not name.startswith("_"):
                yield name, entry


def _defined(statement: ast.stmt, text: str) -> Iterator[tuple[str, Entry]]:
    """Iterate over the names that a statement defines; several in an assignment of a tuple."""
    match statement:
        case ast.FunctionDef(name=name):
            yield name, Entry("autofunction")
        case ast.ClassDef(name=name):
            yield name, Entry("autoclass")
        case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
            for defined, value in _assigned(target, statement.value):
                if isinstance(defined, ast.Name):
                    shown = value and ast.get_source_segment(text, value)
                    yield defined.id, Entry("py:data", shown or "", _comment(statement, text.splitlines()))


def _assigned(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """Iterate over the targets of an assignment, each with the value that the source has for it."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        yield from zip(target.elts, value.elts, strict=True)
    elif isinstance(target, ast.Tuple):
        yield from ((name, None) for name in target.elts)
    else:
        yield target, value


def _comment(statement: ast.stmt, lines: list[str]) -> str:
    """Return the comment above a statement and at its end as one line."""
    above = itertools.takewhile(lambda line: line.startswith("#"), reversed(lines[: statement.lineno - 1]))
    end = lines[(statement.end_lineno or statement.lineno) - 1].encode()[statement.end_col_offset :].decode().strip()
    found = [*reversed([*above]), *([end] if end.startswith("#") else [])]
    return re.sub(r"# (noqa|type:).*", "", " ".join(line.lstrip("# ") for line in found)).strip()


def _exports(module: Module) -> Iterator[tuple[str, str]]:
    """Iterate over the names of ``__all__`` that a package imports, each after the module that it comes from."""
    listed = {
        name
        for statement in module.tree.body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__"
        for name in ast.literal_eval(statement.value)
    }
    for statement in module.tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module:
            yield from ((statement.module, alias.name) for alias in statement.names if alias.name in listed)


# --- pages


def pages(modules: dict[str, Module]) -> dict[str, str]:
    """Write the pages of the reference in reStructuredText, one per room and one per package in a room.

    Args:
        modules: modules of the package, from :func:`read_modules`.

    Returns:
        Text by file name.
    """
    return {f"{name}.rst": _page(name, modules) for name in _page_names(modules)}


def room_table(modules: dict[str, Module]) -> str:
    """Return the table of the package's rooms in Markdown, in the order of its layers, with links to their pages.

    Args:
        modules: modules of the package, from :func:`read_modules`.
    """
    metadata = tomllib.loads(Project.current().metadata.read_text(encoding="utf-8"))
    layers = metadata["tool"]["importlinter"]["contracts"][0]["layers"]
    rooms = [modules[f"helpers.{room}"] for layer in layers for room in re.findall(r"\w+", layer) if room != LEFT_OUT]
    rows = [f"| {{py:mod}}`{room.short_name} <{room.name}>` | {_markdown(room.summary)} |" for room in rooms]
    return "\n".join(["| Module | Purpose |", "|---|---|", *rows, ""])


def _markdown(summary: str) -> str:
    """Turn the literals and roles of a docstring's first line into Markdown."""
    return re.sub(r"(?::\w+:)?`+([^`]+)`+", r"`\1`", summary)


def _page_names(modules: dict[str, Module]) -> list[str]:
    packages = {name.rpartition(".")[0] for name in modules}
    return [name for name in modules if name in packages or name.count(".") == 1]


def _page(name: str, modules: dict[str, Module]) -> str:
    title = modules[name].short_name
    parts = [title, "=" * len(title), "", *_section(modules[name])]
    own_pages = _page_names(modules)
    for module in modules.values():
        if module.name.rpartition(".")[0] == name and module.name not in own_pages:
            parts += [module.short_name, "-" * len(module.short_name), "", *_section(module)]
    return "\n".join(parts)


def _section(module: Module) -> list[str]:
    """Write docstring, overview and entries of a module."""
    parts = [f".. automodule:: {module.name}", ""]
    if module.exported:
        links = ", ".join(f":py:obj:`~{name}`" for name in sorted(module.exported))
        parts += [f"Exported by the package: {links}.", ""]
    called = [name for name, entry in module.entries.items() if entry.directive != "py:data"]
    if called:
        parts += [".. autosummary::", "   :nosignatures:", "", *(f"   {name}" for name in called), ""]
    for name, entry in module.entries.items():
        parts += [f".. {entry.directive}:: {name}", *_content(module, entry), ""]
    return parts


def _content(module: Module, entry: Entry) -> list[str]:
    """Write options and text of an entry; ``autodoc`` finds most, but reads no comments of constants."""
    if entry.directive != "py:data":
        return ["   :members:"] if entry.directive == "autoclass" else []
    is_short = 0 < len(entry.value) <= _LONGEST_VALUE and "\n" not in entry.value
    value = [f"   :value: {entry.value}"] if is_short else []
    return [f"   :module: {module.name}", *value, "", "   " + re.sub(r"([\\*`|_])", r"\\\1", entry.comment)]


# --- links from chapters


def link_functions(notebook: NotebookNode, modules: dict[str, Module]) -> str:
    """Write the list of the package's functions that a chapter calls, with links to the reference.

    Args:
        notebook: the chapter.
        modules: modules of the package, from :func:`read_modules`.

    Returns:
        An admonition in MyST Markdown; empty if the chapter calls none.
    """
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code" and "setup" not in notebooks.tags(cell)]
    trees = [tree for tree in map(notebooks.parse_code, code) if tree is not None]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    links = {}
    for node in nodes:
        if isinstance(node, ast.Name | ast.Attribute):
            first, dot, rest = ast.unparse(node).partition(".")
            target = f"{imported.get(first, first)}{dot}{rest}"
            module, _, name = target.rpartition(".")
            if module in modules and name in modules[module].entries:
                links[target] = f"{{py:obj}}`{first}{dot}{rest} <{target}>`"
    return _USED.format(",\n".join(links[target] for target in sorted(links)) + ".") if links else ""
