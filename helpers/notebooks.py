"""Notebooks as data: the form in which they are committed, and the form in which the book shows them."""

from __future__ import annotations

import ast
import copy
import re
import tomllib
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
# The first code cell of every notebook; {url} is the repository's address in pyproject.toml.
SETUP = """\
# On Colab this installs the course; where it is installed already, it does nothing.
import importlib.metadata, importlib.util, os, pathlib, subprocess, sys

if importlib.util.find_spec("helpers") is None:
    source = os.environ.get("LEUKOBOOK_SOURCE", "git+{url}")
    fixed = [d for d in importlib.metadata.distributions() if d.name in ("numpy", "tensorflow", "keras")]
    pathlib.Path("fixed.txt").write_text("\\n".join(f"{{d.name}}=={{d.version}}" for d in fixed))
    subprocess.check_call([sys.executable, "-m", "pip", "install", "-q", "-c", "fixed.txt", source])"""

_COLAB = re.compile(r"(https://colab\.research\.google\.com/github/)[^/\s]+/[^/\s]+(?=/blob/)")


def repository_url() -> str:
    """The one address of the repository, from ``pyproject.toml``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return project["project"]["urls"]["Repository"]


def read(path: Path) -> NotebookNode:
    """Read a notebook; raises ``ValueError`` naming the file if it is not one."""
    try:
        return nbformat.read(path, as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError, KeyError) as error:
        raise ValueError(f"{path}: not a Jupyter notebook ({error})") from None


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def normalise(notebook: NotebookNode) -> NotebookNode:
    """A copy in the form that is committed: text outputs only, nothing that changes between runs or machines.

    Cells tagged ``nbval-ignore-output`` lose their outputs, images go, the alt text of a figure stays; the set-up cell
    is written anew with the repository's address.
    """
    result = copy.deepcopy(notebook)
    result.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
    )
    result.nbformat, result.nbformat_minor = 4, 5
    result.cells = [cell for cell in result.cells if "injected-parameters" not in tags(cell)]
    executed = 0
    for number, cell in enumerate(result.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = NotebookNode({"tags": sorted(tags(cell))} if tags(cell) else {})
        if cell.cell_type != "code":
            cell.source = _COLAB.sub(repository_url().replace("https://github.com/", r"\g<1>"), cell.source)
            continue
        if "setup" in tags(cell):
            cell.source = SETUP.format(url=repository_url())
        executed += 1
        cell.execution_count = executed  # nbval refuses outputs of a cell that has no number
        keep = "nbval-ignore-output" not in tags(cell)
        cell.outputs = _joined([_normal_output(output, executed) for output in cell.outputs]) if keep else []
    return result


def committed_text(path: Path) -> str:
    """What the file of a notebook holds when it is committed."""
    return nbformat.writes(normalise(read(path))) + "\n"


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """What is printed in one go arrives in one piece or in several, as the kernel finds time; here it is one."""
    result: list[NotebookNode] = []
    for output in outputs:
        if result and output.output_type == "stream" and output.get("name") == result[-1].get("name"):
            result[-1].text += output.text
        else:
            result.append(output)
    return result


def _normal_output(output: NotebookNode, executed: int) -> NotebookNode:
    if "execution_count" in output:
        output.execution_count = executed
    if "data" in output:
        output.data = NotebookNode({k: v for k, v in output.data.items() if not k.startswith("image/")})
        output.metadata = NotebookNode({k: v for k, v in output.metadata.items() if k == "image/png"})
    return output


def for_the_book(notebook: NotebookNode) -> NotebookNode:
    """A copy as the book shows it: alt texts and captions where MyST-NB looks for them, this run's parameters in place.

    Raises:
        ValueError: an image has no alt text or no caption.
    """
    result = copy.deepcopy(notebook)
    result.metadata.pop("papermill", None)
    injected = [cell for cell in result.cells if "injected-parameters" in tags(cell)]
    result.cells = [cell for cell in result.cells if "injected-parameters" not in tags(cell)]
    for cell in result.cells:
        cell.metadata.pop("papermill", None)
        if "parameters" in tags(cell) and injected:
            values = injected[0].source.split("\n", 1)[1]
            cell.source += f"\n\n# The parameters of this run\n{values}"
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                shown = output.metadata.get("image/png", {})
                if not shown.get("alt") or not shown.get("caption"):
                    raise ValueError(f"a figure without alt text or caption, from the cell:\n{cell.source}")
                cell.metadata["mystnb"] = {"image": {"alt": shown["alt"]}, "figure": {"caption": shown["caption"]}}
    return result


def parameters(notebook: NotebookNode) -> dict[str, Any]:
    """Names and default values of the ``parameters`` cell (plain assignments of literals)."""
    found = {}
    for cell in notebook.cells:
        if "parameters" in tags(cell):
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.Assign):
                    found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def defaults(name: str) -> dict[str, Any]:
    """:func:`parameters` of a notebook of the course, by its name."""
    return parameters(read(NOTEBOOKS / f"{name}.ipynb"))


def helpers_used(notebook: NotebookNode) -> list[Path]:
    """Files of the helper package that a notebook imports, directly or through another module, sorted."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    waiting, seen = _imported(code), set()
    files = {ROOT / "helpers" / "__init__.py"}
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        module = ROOT / "helpers" / f"{name}.py"
        of_module = [module] if module.exists() else sorted((ROOT / "helpers" / name).rglob("*.py"))
        for path in of_module:
            waiting |= _imported(path.read_text(encoding="utf-8"))
        files.update(of_module)
    return sorted(files)


def _imported(code: str) -> set[str]:
    """Top-level modules of ``helpers`` that a piece of code imports."""
    names = set(re.findall(r"^\s*(?:from|import) helpers\.(\w+)", code, re.MULTILINE))
    for listed in re.findall(r"^\s*from helpers import ([\w, ]+)", code, re.MULTILINE):
        names.update(name.split(" as ")[0].strip() for name in listed.split(","))
    return names
