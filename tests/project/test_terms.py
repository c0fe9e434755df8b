"""One name for one thing: no identifier of the first version and no phrase of its language comes back."""

import ast
import re

import pytest

from helpers.cli import app
from helpers.project import CHECKOUT, Project
from helpers.runs import notebooks

# Names of the first version; CHANGELOG.md says what each is called now.
NAMES = (CHECKOUT / "tests" / "reference" / "first-names.txt").read_text(encoding="utf-8")
IDENTIFIERS = {line for line in NAMES.splitlines() if not line.startswith("#")}
# What the field calls otherwise, as a regular expression, and what it calls it.
PHRASES = {
    r"\bquarter turns?\b": "90° rotations",
    r"\bdrawn (cells|masks?)\b": "synthetic cells, ground-truth masks",
    r"\bfive numbers\b|\b140 numbers\b": "5 interpretable features, 140 hand-crafted features",
    r"\bfall-out\b": "false positive rate",
    r"\bLRP-Z\b": "LRP-0",
    r"\bwhite cells?\b": "white blood cell",
    r"\bnuclear ratios?\b": "nucleus-to-cell area ratio",
    r"\bkept features\b|\btrained further\b": "cached features, fine-tuned",
    r"\bway down\b": "encoder",
    r"\bslants?\b": "shear",
    r"--option\b|--skip-bad\b": "--dataset-option, --skip-unreadable",
    r"\bon_bad\b|\blimit_s\b": "on_error, timeout_s",
}


def identifiers(code):
    """Every name that a piece of Python code defines, uses or passes as a keyword."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        found.update(
            value for field in ("id", "attr", "arg", "name") if isinstance(value := getattr(node, field, 0), str)
        )
    return found


def phrases(text):
    return sorted(
        {f"{match.group()!r} is {better}" for old, better in PHRASES.items() for match in re.finditer(old, text)}
    )


def python_files():
    root = Project.current().root
    files = [path for folder in ("helpers", "tests", "benchmarks") for path in sorted((root / folder).rglob("*.py"))]
    return [path for path in files if path.name != "test_terms.py"]


@pytest.mark.parametrize("path", python_files(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_code_uses_the_names_of_the_field(path):
    text = path.read_text(encoding="utf-8")
    assert sorted(identifiers(text) & IDENTIFIERS) == []
    if "helpers" in path.parts[-3:]:
        assert phrases(text) == []


@pytest.mark.parametrize("path", sorted(Project.current().notebooks.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_use_the_names_and_terms_of_the_field(path):
    notebook = notebooks.read(path)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert sorted(identifiers(code) & IDENTIFIERS) == []
    assert phrases("\n".join(cell.source for cell in notebook.cells)) == []


def pages():
    """The pages of the book, but for the glossary, which explains the words that others use."""
    return [path for path in sorted(Project.current().book.glob("*.md")) if path.stem != "glossary"]


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_pages_use_the_terms_of_the_field(path):
    assert phrases(path.read_text(encoding="utf-8")) == []


def test_the_help_of_every_command_uses_the_terms_of_the_field():
    import typer.main

    def texts(command):
        yield command.help or ""
        yield from (f"{' '.join(option.opts)} {getattr(option, 'help', '') or ''}" for option in command.params)
        for inner in getattr(command, "commands", {}).values():
            yield from texts(inner)

    assert phrases("\n".join(texts(typer.main.get_command(app)))) == []


def test_an_old_name_and_an_old_phrase_are_found():
    assert identifiers("from helpers import x\nx.near(at_least=3)\ndef said_of(): pass") >= {"at_least", "said_of"}
    assert phrases("eight quarter turns of white cells") == [
        "'quarter turns' is 90° rotations", "'white cells' is white blood cell",
    ]  # fmt: skip
