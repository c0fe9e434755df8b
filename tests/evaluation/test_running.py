"""The command evaluates a dataset: audit, all models in the same folds, report, and nothing surprising beside it."""

import csv

import pytest
from typer.testing import CliRunner

from helpers.cli import app
from helpers.evaluation import running, writing


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """A function that evaluates 48 synthetic cells of 12 patients without backbones: result and folder."""
    root = tmp_path_factory.mktemp("evaluated")
    patch = pytest.MonkeyPatch()
    patch.setattr(running, "available_backbones", list)
    patch.setattr(writing, "cache_folder", lambda: root / "cache")

    def evaluate(out, *options):
        words = ["evaluate", "synthetic", "--out", str(root / out), *options]
        for option in ("n_images=48", "n_patients=12", "size=64"):
            words += ["--dataset-option", option]
        return CliRunner().invoke(app, words), root / out

    yield evaluate
    patch.undo()


@pytest.fixture(scope="module")
def two_classes(evaluated):
    return evaluated("two", "--dataset-option", "task=leukaemia", "--positive", "lymphoblast")


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_report_metrics_and_predictions_are_written_and_nothing_else(two_classes):
    result, folder = two_classes
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in folder.iterdir()) == ["metrics.csv", "predictions.csv", "report.html"]
    assert "Not for diagnosis" in (folder / "report.html").read_text(encoding="utf-8")


def test_every_model_is_tested_on_every_image_once(two_classes):
    predictions = rows_of(two_classes[1] / "predictions.csv")
    models = {row["model"] for row in predictions}
    assert len(models) == 3
    assert len({(row["model"], row["image_id"]) for row in predictions}) == len(predictions) == 3 * 48
    assert {row["model"] for row in rows_of(two_classes[1] / "metrics.csv")} == models


def test_the_audit_comes_before_the_models_and_the_best_one_last(two_classes):
    lines = two_classes[0].output.splitlines()
    audit = next(k for k, line in enumerate(lines) if line.startswith("shortcut test, border pixels only"))
    first = next(k for k, line in enumerate(lines) if line.startswith("majority class: "))
    assert audit < first
    assert lines[-2].startswith("best by validation: ") and "AUC" in lines[-2]


def test_a_second_run_reads_the_predictions_back_and_writes_the_same_numbers(evaluated, two_classes):
    result, folder = evaluated("again", "--dataset-option", "task=leukaemia", "--positive", "lymphoblast")
    assert result.output.count(": read back") == 3
    for name in ("metrics.csv", "predictions.csv"):
        assert (folder / name).read_bytes() == (two_classes[1] / name).read_bytes()


def test_without_a_positive_class_all_classes_count_alike(evaluated):
    result, folder = evaluated("alike", "--dataset-option", "task=leukaemia")
    assert result.exit_code == 0, result.output
    measures = {row["measure"] for row in rows_of(folder / "metrics.csv")}
    assert measures == {"balanced accuracy", "accuracy", "macro F1"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--positive", "blast"], "unknown positive class 'blast' of synthetic; choose from lymphocyte, lymphoblast"),
        (["--positive", "lymphoblast", "--sensitivity", "1.5"], "sensitivity must be above 0 up to 1, got 1.5"),
        (["--seed", "-1"], "seed must be from 0 to 4294967295, got -1"),
    ],
)
def test_options_are_checked_before_the_work(evaluated, options, message):
    result, folder = evaluated("wrong", "--dataset-option", "task=leukaemia", *options)
    assert (result.exit_code, result.output.strip()) == (1, message)
    assert not folder.exists()


def test_a_file_where_the_folder_should_be_is_refused(evaluated, tmp_path):
    file = tmp_path / "report"
    file.write_text("mine")
    result, _ = evaluated(file)
    assert result.exit_code == 1
    assert file.read_text() == "mine"
