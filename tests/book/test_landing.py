"""The start page: its figure and its sentence are those of the published table."""

import re

import pandas as pd

from helpers.book import landing, results
from helpers.project import Project


def test_figure_and_sentence_have_the_numbers_of_the_table():
    table = pd.read_csv(Project.current().results / f"{landing.TABLE}.csv").set_index("split")["AUC"]
    by_image, by_patient = (f"{table[split]:.2f}" for split in ("by image", "by patient"))
    assert re.findall(r"\*\*([\d.]+)\*\*", landing.sentence()) == [by_image, by_patient]
    figure = landing.headline()
    assert f"split by image {by_image} [" in figure.alt
    assert f"split by patient {by_patient} [" in figure.alt
    written = {text.get_text() for text in figure.figure.axes[0].texts}
    assert {by_image, by_patient, "split by\nimage", "split by\npatient"} <= written


def test_the_sentence_follows_a_table_that_says_the_opposite(monkeypatch):
    rows = [("by image", 0.6, 0.5, 0.7), ("by patient", 0.8, 0.7, 0.9), ("difference", -0.2, -0.3, -0.1)]
    table = pd.DataFrame(rows, columns=["split", "AUC", "low", "high"]).assign(n=100, groups=20)
    monkeypatch.setattr(landing, "read_result", lambda name: (table, None))
    assert "the same 100 cells of 20 people" in landing.sentence()
    assert landing.sentence().endswith("by image the AUC is lower by 0.20 [0.10, 0.30].")


def test_the_smear_shows_three_fields_and_the_page_includes_what_is_made():
    files = landing.generated_files()
    assert {name for name in files if name.endswith(".png")} == {"landing-headline.png", "landing-smear.png"}
    assert len(landing.smear().figure.axes) == 3
    page = (Project.current().book / "intro.md").read_text(encoding="utf-8")
    assert set(re.findall(r"_generated/(landing-\S+\.md)", page)) == {name for name in files if name.endswith(".md")}
    assert results.read_result(landing.TABLE)[1].parameters["dataset"] == "cnmc"
