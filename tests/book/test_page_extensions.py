"""What the book adds to Sphinx: a logo, formulas, and the words and picture of a link to a page."""

import re
import runpy
import subprocess
import sys
from types import SimpleNamespace

import pytest
from docutils.core import publish_doctree
from pydantic import BaseModel

from helpers.project import Project

BOOK = Project.current().root / "book"


def module(path):
    return SimpleNamespace(**runpy.run_path(str(path)))


@pytest.fixture(scope="module")
def social_cards():
    return module(BOOK / "_ext" / "social_cards.py")


def test_the_committed_logos_are_what_the_script_draws(tmp_path):
    logo = module(BOOK / "figures" / "logo.py")
    logo.write_logos(tmp_path)
    drawn = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert sorted(drawn) == ["favicon.svg", "logo-dark.svg", "logo-light.svg"]
    assert drawn == {name: (BOOK / "figures" / name).read_text() for name in drawn}
    assert drawn["logo-dark.svg"] != drawn["logo-light.svg"]
    lobes = logo.LOBES
    assert all(x**2 + y**2 < (logo.CELL_RADIUS - r) ** 2 for x, y, r in ((x - 32, y - 32, r) for x, y, r in lobes))


def test_a_chapter_is_described_by_what_its_readers_learn(social_cards):
    text = "Open in Colab\n\n.. admonition:: You will learn\n\n   - to count;\n   - to look.\n\n" + "A paragraph. " * 9
    assert social_cards.describe(publish_doctree(text)) == "You will learn to count; to look."


def test_a_page_is_described_by_its_first_whole_paragraph_cut_at_a_word(social_cards):
    description = social_cards.describe(publish_doctree("A label.\n\n" + "Nine words of text, " * 20))
    assert description.startswith("Nine words of text, Nine")
    assert description.endswith(" …")
    assert 180 < len(description) <= 200


def test_the_address_of_the_book_follows_from_that_of_the_repository(social_cards):
    assert social_cards.page_address("https://github.com/OWNER/leukobook") == "https://owner.github.io/leukobook/"


def test_signatures_are_python_and_pydantic_models_show_the_names_of_their_fields():
    readable = module(BOOK / "_ext" / "api_signatures.py").readable_signature

    class Point(BaseModel):
        x: int
        y: int

    shown = [
        readable(None, kind, "", value, None, text, None)[0]
        for kind, value, text in (
            ("class", Point, "(*, x: int, y: int)"),
            ("class", dict, "(a: dict = <factory>, b=<function DatasetSpec.<lambda>>)"),
            ("function", len, "(read=<function read_mask>) -> int"),
            ("module", None, None),
        )
    ]
    assert shown == ["(*, x, y)", "(a: dict = ..., b=...)", "(read=read_mask) -> int", None]


# --- formulas


def test_pages_have_formulas_without_scripts_and_mistakes_have_file_and_line(tmp_path):
    (tmp_path / "index.md").write_text("# Page\n\nThe rate $\\eta$.\n\n$$x^2$$ (square)\n\n{eq}`square`; $\\dice$\n")
    (tmp_path / "conf.py").write_text(
        f"import sys\nsys.path.append({str(BOOK / '_ext')!r})\nextensions = ['myst_parser', 'mathml']\n"
        "myst_enable_extensions = ['dollarmath']\nhtml_math_renderer = 'mathml'\n"
    )
    command = [sys.executable, "-W", "ignore", "-m", "sphinx", "-q", "-E", str(tmp_path), str(tmp_path / "html")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert re.fullmatch(
        r".*index\.md:7: WARNING: formula '\\\\dice': Unknown LaTeX command \S+( \[mathml\])?", done.stderr.strip()
    )
    page = (tmp_path / "html" / "index.html").read_text()
    assert re.findall(r'<math alttext="([^"]+)"', page) == [r"\eta", "x^2"]
    assert "(1)</a>" in page
    assert re.findall(r"(?:src|href)=.(?:https?:)?//", page.partition("<body")[0]) == []
    assert r"<code>\dice</code>" in page
