"""Citations: links in the notebooks, roles in the book, and nothing lost between the two."""

import re

import pytest

from helpers.project import Project
from helpers.runs import citations

BAIN = "https://doi.org/10.1002/9781118817322"
KAPOOR = "https://doi.org/10.1016/j.patter.2023.100804"
PAIRS = {
    "as seen {cite:p}`bain2015`.": f"as seen ([Bain, 2015]({BAIN})).",
    "{cite:t}`kapoor2023` count": f"[Kapoor and Narayanan (2023)]({KAPOOR}) count",
    "{cite:p}`bain2015,kapoor2023`": f"([Bain, 2015]({BAIN}); [Kapoor and Narayanan, 2023]({KAPOOR}))",
    "{cite:p}`ghaderzadeh2022`": "([Ghaderzadeh et al., 2022](https://doi.org/10.1002/int.22753))",
    "{cite:p}`bland1986`": "([Bland and Altman, 1986](https://doi.org/10.1016/S0140-6736%2886%2990837-8))",
    "{cite:t}`cucu`": "[cucu-o0](https://github.com/cucu-o0/final_project_IH_leukemia)",
    "{cite:p}`erhan2009`": "([Erhan et al., 2009](../book/references.md))",
}


@pytest.mark.parametrize(("role", "link"), PAIRS.items())
def test_a_role_becomes_a_link_with_authors_and_year_and_comes_back(role, link):
    assert citations.link_citations(role) == link
    assert citations.cite_with_roles(link) == role
    assert citations.link_citations(link) == link


def test_the_short_role_is_a_citation_in_parentheses():
    link = citations.link_citations("{cite}`bain2015`")
    assert citations.cite_with_roles(link) == "{cite:p}`bain2015`"


@pytest.mark.parametrize(
    "text",
    [
        "[Bain, 2015](https://example.org)",
        f"[Bain's book]({BAIN})",
        "([01 Explore](01-explore-the-cells.ipynb))",
        "(2015)",
    ],
)
def test_links_that_are_no_citations_stay(text):
    assert citations.cite_with_roles(text) == text


def test_an_unknown_key_is_refused():
    with pytest.raises(citations.CitationError, match=r"unknown reference 'bane2015'; add it to references\.bib"):
        citations.link_citations("{cite:p}`bain2015, bane2015`")


def test_every_reference_comes_back_from_both_forms():
    keys = re.findall(r"(?m)^@\w+\{(\S+),$", citations.REFERENCES.read_text(encoding="utf-8"))
    assert len(keys) >= 50
    for key in keys:
        for role in (f"{{cite:p}}`{key}`", f"{{cite:t}}`{key}`"):
            assert citations.cite_with_roles(citations.link_citations(role)) in (role, role.replace(":t", ":p"))


def test_no_committed_notebook_shows_a_raw_role():
    texts = {path.name: path.read_text(encoding="utf-8") for path in Project.current().notebooks.glob("*.ipynb")}
    assert [name for name, text in texts.items() if "{cite" in text] == []
