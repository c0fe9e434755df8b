"""Every public name has an entry in the API reference, and every chapter links to those that it uses."""

import ast
import importlib
import inspect
import re

import nbformat
import pytest

from helpers.book import api
from helpers.project import Project
from helpers.runs import notebooks


@pytest.fixture(scope="module")
def reference():
    return api.read_modules()


def test_every_name_that_a_package_exports_has_an_entry_under_that_name(reference):
    exports = {name: getattr(importlib.import_module(name), "__all__", []) for name in reference}
    exports["helpers.backend"] = ["BackendError"]  # it exports Keras and TensorFlow, which this book does not document
    missing = {name: set(names) - set(reference[name].entries) for name, names in exports.items()}
    assert {name: names for name, names in missing.items() if names} == {}
    assert sum(map(len, exports.values())) >= 150


def test_every_public_function_and_class_is_on_a_page_and_every_room_in_the_table(reference):
    text = "\n".join(api.pages(reference).values())
    for name, module in reference.items():
        for public, value in vars(importlib.import_module(name)).items():
            own = getattr(value, "__module__", None) == name and not public.startswith("_")
            if own and (inspect.isfunction(value) or inspect.isclass(value)):
                assert public in module.entries or any(path.endswith(f".{public}") for path in module.exported), public
                assert re.search(rf"auto(function|class):: {public}$", text, re.M), public
    rooms = {name.split(".")[1] for name in reference}
    assert set(re.findall(r"`\w+ <helpers\.(\w+)>`", api.room_table(reference))) == rooms


def test_every_link_in_a_docstring_leads_to_an_entry(reference):
    """Sphinx would say so, too, after minutes. A short name is looked up where its docstring is shown."""
    targets, links = set(), []
    for name, module in reference.items():
        targets |= {f"{name}.{entry}" for entry in module.entries}
        shown_in = {path.rpartition(".")[2]: path.rpartition(".")[0] for path in module.exported}
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef):
                targets.add(f"{name}.{node.name}")  # Sphinx knows a class under the name of its module, too
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                linked = re.findall(r":(?:func|class|data|exc):`~?([\w.]+)`", ast.get_docstring(node) or "")
                links += [(link, shown_in.get(node.name, name)) for link in linked]
    full = [link if "." in link else f"{place}.{link}" for link, place in links]
    ours = [link for link in full if link.startswith("helpers.")]
    assert [link for link in ours if link not in targets] == []
    assert len(ours) >= 50


def test_a_constant_is_shown_with_its_value_and_the_comment_beside_it(reference):
    page = api.pages(reference)["helpers.datasets.rst"]
    options = '   :module: helpers.datasets.clinical\n   :value: ("lymphoblast", "all", "blast")\n'
    assert f".. py:data:: LEUKAEMIC\n{options}\n   Leukaemic classes of " in page


def test_every_chapter_gets_a_list_of_the_functions_that_it_uses(reference):
    for path in sorted(Project.current().notebooks.glob("*.ipynb")):
        links = api.link_functions(notebooks.read(path), reference)
        assert "<helpers.datasets.load>`" in links, path.stem
        assert "processes.configure" not in links  # the set-up cell is folded
    empty = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("%pip list"), nbformat.v4.new_code_cell("len(x)")]
    )
    assert api.link_functions(empty, reference) == ""
