"""Stored results that a chapter shows beside its own short run."""

import hashlib
import json

import pytest

from helpers import reports

CONTENT = b"rule,dice\nOtsu,0.974\n"
NOTE = {
    "command": "python -m helpers publish full-wbc1",
    "parameters": {"dataset": "wbc1"},
    "finished": "2026-11-22T06:56:57+00:00",
    "sha256": hashlib.sha256(CONTENT).hexdigest(),
}


@pytest.fixture
def results(tmp_path, empty_project):
    folder = empty_project(tmp_path) / "book" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "full-wbc1-dice.csv").write_bytes(CONTENT)
    (folder / "full-wbc1-dice.json").write_text(json.dumps(NOTE))
    return folder


def test_a_stored_result_comes_with_its_origin(results):
    stored = reports.published_table("full-wbc1-dice")
    assert stored.frame.to_dict("list") == {"rule": ["Otsu"], "dice": [0.974]}
    assert stored.origin == (
        "stored result of a longer run on wbc1 (`python -m helpers publish full-wbc1`, 2026-11-22)"
    )


def test_a_stored_result_that_was_changed_is_refused(results):
    (results / "full-wbc1-dice.csv").write_bytes(CONTENT + b"k-means,1.0\n")
    with pytest.raises(reports.ResultError, match=r"full-wbc1-dice.csv: is not the table of full-wbc1-dice.json"):
        reports.published_table("full-wbc1-dice")


def test_a_missing_result_is_an_error_in_a_checkout_and_none_without_the_book(results):
    with pytest.raises(reports.ResultError, match=r"other.csv: table or note cannot be read"):
        reports.published_table("other")
    for path in results.iterdir():
        path.unlink()
    results.rmdir()
    assert reports.published_table("full-wbc1-dice") is None
