"""Read notebooks and convert them to the form that is committed and the form that the book shows."""

from __future__ import annotations

import ast
import copy
import io
import re
import tokenize
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from helpers.errors import LeukobookError
from helpers.markup import escape_markdown
from helpers.project import Project
from helpers.publication import INTERACTIVE, without_paths
from helpers.runs import citations

# Parameters of a notebook by name; values are text, numbers, booleans, lists and dictionaries.
Parameters = dict[str, Any]

# First code cell of every notebook; {url} is the repository URL from pyproject.toml. Installed packages are pinned to
# their versions, so pip fails where a requirement would change one. A batch run installs nothing.
# The last lines keep warnings and times out of the stored outputs.
SETUP = """\
# On Colab this installs the course. Everywhere it then sets up this process.
import importlib.util, os, pathlib, subprocess, sys

if importlib.util.find_spec("helpers") is None:
    if os.environ.get("LEUKOBOOK_BATCH"):
        raise ImportError(f"{{sys.executable}} lacks leukobook; run make env")
    address = "git+{url}"
    source = os.environ.get("LEUKOBOOK_SOURCE", address)
    pip = [sys.executable, "-m", "pip"]
    fixed = subprocess.check_output([*pip, "list", "--format=freeze"])
    pathlib.Path("fixed.txt").write_bytes(fixed)
    subprocess.check_call([*pip, "install", "-q", "-c", "fixed.txt", source])

from helpers import processes

processes.configure()"""

# Cell metadata with which JupyterLab collapses code, or code and output; the first line of the code stays visible.
FOLDED_CODE = {"source_hidden": True}
FOLDED = {"outputs_hidden": True, **FOLDED_CODE}
FIRST_LINE = "# Solution"

_SOLUTION = re.compile(r"\{solution-(start|end)\}")
_COLAB = re.compile(r"(https://colab\.research\.google\.com/github/)[^/\s]+/[^/\s]+(?=/blob/)")


def repository_url() -> str:
    """Return the URL of the repository from ``pyproject.toml``."""
    metadata = tomllib.loads(Project.current().metadata.read_text(encoding="utf-8"))
    return metadata["project"]["urls"]["Repository"]


class NotebookError(LeukobookError):
    """A file is not a notebook, or the book cannot show it; the message states the reason."""


def read(path: Path) -> NotebookNode:
    """Read a notebook.

    Raises:
        NotebookError: the file is unreadable, incomplete or not a notebook.
    """
    try:
        return nbformat.read(path, as_version=4)
    except OSError as error:
        raise NotebookError(f"{path}: cannot be read ({error.strerror}); restore it, or leave it out") from None
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError, KeyError, ValueError) as error:
        raise NotebookError(f"{path}: not a Jupyter notebook ({str(error).partition(chr(10))[0]:.200})") from None


def chapter_name(name: str) -> str:
    """Strip the number from the name of a notebook, ``05-classify``, so that a new chapter renames no saved table."""
    return re.sub(r"^\d+-", "", name)


def tags(cell: NotebookNode) -> list[str]:
    """Return the tags of a cell."""
    return cell.metadata.get("tags", [])


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Return a copy in the committed form: text outputs only, nothing that changes between runs or machines.

    Images, the HTML of explorers and the outputs of cells tagged ``nbval-ignore-output`` are removed; the alt text of
    figures and the sentences of explorers are kept. The set-up cell is regenerated with the repository's URL and
    collapsed, citations become links, and solutions are collapsed.
    """
    result = copy.deepcopy(notebook)
    result.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
    )
    result.nbformat, result.nbformat_minor = 4, 5
    result.cells = [cell for cell in result.cells if "injected-parameters" not in tags(cell)]
    executed, in_solution = 0, False
    for number, cell in enumerate(result.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = NotebookNode({"tags": sorted(tags(cell))} if tags(cell) else {})
        if cell.cell_type != "code":
            cell.source = _COLAB.sub(repository_url().replace("https://github.com/", r"\g<1>"), cell.source)
            cell.source = citations.link_citations(cell.source)
            in_solution = _opens_solution(cell.source, in_solution)
            continue
        if in_solution:
            cell.metadata["jupyter"] = NotebookNode(FOLDED)
            cell.source = f"{FIRST_LINE}\n{cell.source.removeprefix(FIRST_LINE).lstrip()}"
        if "setup" in tags(cell):
            cell.metadata["jupyter"] = NotebookNode(FOLDED_CODE)
            cell.source = SETUP.format(url=repository_url())
        executed += 1
        cell.execution_count = executed  # nbval rejects outputs of cells without one
        keep = "nbval-ignore-output" not in tags(cell)
        cell.outputs = _merge_streams([_normalise_output(output, executed) for output in cell.outputs]) if keep else []
    return result


def makes_a_sentence(source: str) -> bool:
    """Return whether a cell ends in a call of :func:`helpers.reports.show_text`, perhaps only on some data."""
    tree = parse_code(source)
    last = tree.body[-1] if tree and tree.body else None
    if not isinstance(last, ast.Expr):
        return False
    value = last.value.body if isinstance(last.value, ast.IfExp) else last.value
    return isinstance(value, ast.Call) and ast.unparse(value.func) in ("show_text", "reports.show_text")


def _opens_solution(markdown: str, in_solution: bool) -> bool:
    """Return whether the cells after this Markdown cell belong to a solution."""
    return [in_solution, *(mark == "start" for mark in _SOLUTION.findall(markdown))][-1]


def committed_text(path: Path) -> str:
    """Return the file content of a notebook in its committed form, see :func:`normalise`."""
    return nbformat.writes(normalise(read(path))) + "\n"


def _merge_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Merge consecutive outputs of one stream, which the kernel may split at any point."""
    result: list[NotebookNode] = []
    for output in outputs:
        if result and output.output_type == "stream" and output.get("name") == result[-1].get("name"):
            result[-1].text += output.text
        else:
            result.append(output)
    return result


def _normalise_output(output: NotebookNode, executed: int) -> NotebookNode:
    if "execution_count" in output:
        output.execution_count = executed
    if "data" in output:
        output.data = NotebookNode(stored_data(output))
        output.metadata = NotebookNode({k: v for k, v in output.metadata.items() if k == "image/png"})
    return output


def stored_data(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return the forms of an output that a committed notebook keeps: no image and no HTML of an explorer.

    Args:
        output: output with ``data`` and ``metadata``; the metadata say which HTML is interactive.
    """
    dropped = {kind for kind, metadata in output["metadata"].items() if INTERACTIVE in metadata}
    return {kind: v for kind, v in output["data"].items() if not kind.startswith("image/") and kind not in dropped}


def prepare_for_book(notebook: NotebookNode) -> NotebookNode:
    """Return a copy for the book: alt texts and captions as MyST-NB metadata, parameters of the run in their cell.

    Citations become roles, which Sphinx resolves. Code that ends in a computed sentence is folded, as it words what the
    cells before it have computed. Captions are escaped, as they may contain any class name; local paths
    are removed, see :mod:`helpers.publication`.

    Raises:
        NotebookError: an image has no alt text or no caption.
    """
    result = copy.deepcopy(notebook)
    result.metadata.pop("papermill", None)
    injected = [cell for cell in result.cells if "injected-parameters" in tags(cell)]
    result.cells = [cell for cell in result.cells if "injected-parameters" not in tags(cell)]
    for cell in result.cells:
        cell.metadata.pop("papermill", None)
        if cell.cell_type == "markdown":
            cell.source = citations.cite_with_roles(cell.source)
        if cell.cell_type == "code" and makes_a_sentence(cell.source) and "hide-input" not in tags(cell):
            cell.metadata["tags"] = [*tags(cell), "hide-input"]
        if "parameters" in tags(cell) and injected:
            values = injected[0].source.split("\n", 1)[1]
            cell.source += f"\n\n# The parameters of this run\n{without_paths(values)}"
        for output in cell.get("outputs", []):
            _remove_local_paths(output)
            if "image/png" in output.get("data", {}):
                image = output.metadata.get("image/png", {})
                if not image.get("alt") or not image.get("caption"):
                    raise NotebookError(f"a figure without alt text or caption, from the cell:\n{cell.source}")
                caption = escape_markdown(image["caption"])
                cell.metadata["mystnb"] = {"image": {"alt": image["alt"]}, "figure": {"caption": caption}}
        if "outputs" in cell:
            cell.outputs = without_captions(cell.outputs)
    return result


def without_captions(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Remove captions that are separate outputs for JupyterLab; on a page they belong to the figures."""
    images = [output.metadata["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    captions = {without_paths(image["caption"]) for image in images}
    return [output for output in outputs if output.get("data", {}).get("text/plain") not in captions]


def _remove_local_paths(output: NotebookNode) -> None:
    """Remove local paths from the text of an output, such as those in warnings."""
    if "text" in output:
        output.text = without_paths(output.text)
    for kind, content in output.get("data", {}).items():
        if kind.startswith("text/"):
            output.data[kind] = without_paths(content)


def parameters_code(notebook: NotebookNode) -> str:
    """Return the code of the cell tagged ``parameters``; empty if the notebook has none."""
    return "\n".join(cell.source for cell in notebook.cells if "parameters" in tags(cell))


def parameters(notebook: NotebookNode) -> Parameters:
    """Parse names and default values from the ``parameters`` cell, which consists of assignments of literals.

    Raises:
        NotebookError: the cell has another kind of assignment or is not Python.
    """
    values = {}
    try:
        for node in ast.parse(parameters_code(notebook)).body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    values[name] = ast.literal_eval(value)
                case ast.Assign():
                    raise ValueError(f"line {node.lineno} assigns several names")
    except (SyntaxError, ValueError) as error:
        raise NotebookError(f"its parameters cell must hold only lines such as epochs = 3 ({error})") from None
    return values


def code_text(notebook: NotebookNode) -> list[list[Any]]:
    """Return the code of a notebook without prose, comments and layout, to compare it with another version.

    Returns:
        For each code cell its syntax tree, whether a final semicolon hides its last value, and its tags. A cell that is
        not plain Python is represented by its text and tags.
    """
    cells = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            tree = parse_code(cell.source)
            content = [cell.source] if tree is None else [ast.dump(tree), _hides_value(cell.source)]
            cells.append([*content, sorted(tags(cell))])
    return cells


def parse_code(code: str) -> ast.Module | None:
    """Parse the code of a cell; ``None`` if it is not plain Python."""
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError):  # an IPython magic, or a cell that will fail
        return None


def _hides_value(code: str) -> bool:
    """Return whether a cell ends in a semicolon, which the syntax tree does not show."""
    layout = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    words = [token.string for token in tokenize.generate_tokens(io.StringIO(code).readline) if token.type not in layout]
    return words[-1:] == [";"]


def with_outputs(source: NotebookNode, executed: NotebookNode) -> NotebookNode:
    """Return a copy of a notebook with outputs and times of an execution of the same code (see :func:`code_text`)."""
    result = copy.deepcopy(source)
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    injected = [cell for cell in code if "injected-parameters" in tags(cell)]
    ran = iter(cell for cell in code if "injected-parameters" not in tags(cell))
    cells = []
    for cell in result.cells:
        cells.append(cell)
        if cell.cell_type == "code":
            done = next(ran)
            cell.outputs, cell.execution_count = done.outputs, done.execution_count
            if "papermill" in done.metadata:
                cell.metadata["papermill"] = done.metadata["papermill"]
        if "parameters" in tags(cell):
            cells += injected
    result.cells = cells
    return result
