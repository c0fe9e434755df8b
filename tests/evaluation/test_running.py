"""The command evaluates a dataset: audit, all models in the same folds, report, and nothing surprising beside it."""

import csv
import json
import re

import pytest
from PIL import Image
from typer.testing import CliRunner

from helpers import datasets
from helpers.cli import app
from helpers.evaluation import running, writing
from helpers.evaluation.design import cross_validation_design


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
    assert sorted(path.name for path in folder.iterdir()) == [
        "metrics.csv",
        "model.features",
        "model.json",
        "model.md",
        "predictions.csv",
        "report.html",
    ]
    assert "Not for diagnosis" in (folder / "report.html").read_text(encoding="utf-8")


def test_every_model_is_tested_on_every_image_once(two_classes):
    predictions = rows_of(two_classes[1] / "predictions.csv")
    models = {row["model"] for row in predictions}
    assert len(models - {running.SELECTED}) == 3
    assert len({(row["model"], row["image_id"]) for row in predictions}) == len(predictions) == len(models) * 48
    assert {row["model"] for row in rows_of(two_classes[1] / "metrics.csv")} == models


def test_the_audit_comes_before_the_models_and_the_best_one_last(two_classes):
    lines = two_classes[0].output.splitlines()
    audit = next(k for k, line in enumerate(lines) if line.startswith("shortcut test, border pixels only"))
    first = next(k for k, line in enumerate(lines) if line.startswith("majority class: "))
    assert audit < first
    assert ": AUC 0." in lines[-2] and "(n=48, groups=12)" in lines[-2]


def test_a_second_run_reads_the_predictions_back_and_writes_the_same_numbers(evaluated, two_classes):
    result, folder = evaluated("again", "--dataset-option", "task=leukaemia", "--positive", "lymphoblast")
    assert result.output.count(": read back") >= 3 + 6  # three models, and the learning curve
    assert " s\n" not in result.output
    for name in ("metrics.csv", "predictions.csv"):
        assert (folder / name).read_bytes() == (two_classes[1] / name).read_bytes()


def test_without_a_positive_class_all_classes_count_alike(evaluated):
    result, folder = evaluated("alike", "--dataset-option", "task=leukaemia")
    assert result.exit_code == 0, result.output
    measures = {row["measure"] for row in rows_of(folder / "metrics.csv")}
    assert measures == {"balanced accuracy", "accuracy", "macro F1"}


def test_a_split_and_a_cost_ratio_reach_the_report(evaluated, tmp_path):
    data = datasets.load("synthetic", n_images=48, n_patients=12, size=64, task="leukaemia")
    names = cross_validation_design(data, 20).fold.map({0: "test", 1: "val"}).fillna("train")
    table = tmp_path / "published.csv"
    names.rename("split").to_frame().rename_axis("image").to_csv(table)
    options = ["--positive", "lymphoblast", "--split", str(table), "--cost-ratio", "5", "--prevalence", "0.1"]
    result, folder = evaluated("split", "--dataset-option", "task=leukaemia", *options)
    assert result.exit_code == 0, result.output
    tested = {row["image_id"] for row in rows_of(folder / "predictions.csv")}
    assert tested == set(names.index[names == "test"])
    words = " ".join(re.sub("<[^>]+>", " ", (folder / "report.html").read_text(encoding="utf-8")).split())
    assert "the split of published.csv" in words and str(tmp_path) not in words
    assert "the least cost, where a missed lymphoblast costs 5 times as much as a false positive" in words
    assert "Where 0.1 of all images are lymphoblast, 1,000 new images contain about 100 of them" in words


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    """A folder of 24 cells of six patients and three classes."""
    root = tmp_path_factory.mktemp("data") / "hospital"
    cells = datasets.load("synthetic", n_images=24, n_patients=6, size=64, seed=3)
    for image_id, label in cells.frame["label"].items():
        (root / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(cells.load_image(image_id)).save(root / label / f"{image_id}.png")
    return root


@pytest.fixture(scope="module")
def external(evaluated, hospital):
    """Lymphocytes and lymphoblasts in the source, neutrophils, too, in the external dataset."""
    options = ["--positive", "lymphoblast", "--external", f"folder:{hospital}"]
    return evaluated("external", "--dataset-option", "task=leukaemia", *options)


def test_the_saved_model_is_tested_on_an_external_dataset_with_the_rest_of_both_merged(external):
    result, folder = external
    assert result.exit_code == 0, result.output
    rows = rows_of(folder / "external-predictions.csv")
    assert len(rows) == 24
    assert {row["label"] for row in rows} == {"lymphoblast", "not lymphoblast"}
    page = (folder / "external.html").read_text(encoding="utf-8")
    assert "in the source lymphocyte; in the external dataset lymphocyte, neutrophil)" in page
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    assert card["split_sizes"]["train"]["images"] == 48  # all of the source, and none of the external dataset
    measured = rows_of(folder / "external-metrics.csv")
    auc = {row["dataset"]: row for row in measured if row["name"] == "AUC"}
    assert [auc[name]["n"] for name in ("source", "external", "external − source")] == ["48", "24", "72"]
    assert float(auc["source"]["value"]) == pytest.approx(card["test"]["AUC"]["value"])
    assert {row["name"] for row in measured if row["kind"] == "recall"} == {"lymphoblast", "not lymphoblast"}


def test_the_report_is_that_of_the_source_and_links_the_external_test(external, two_classes):
    result, folder = external
    predictions = rows_of(folder / "predictions.csv")
    assert {row["image_id"] for row in predictions} == {
        row["image_id"] for row in rows_of(two_classes[1] / "predictions.csv")
    }
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert '<a href="external.html">All of the external test</a>' in report
    assert "In the test on synthetic, the AUC is " in report and "One other laboratory is one sample" in report
    assert "external.html" not in (two_classes[1] / "report.html").read_text(encoding="utf-8")
    lines = result.output.splitlines()
    assert lines[-2].startswith("In the test on synthetic, the AUC is ")
    assert lines[-1].endswith("external.html, external-metrics.csv and external-predictions.csv are written")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--positive", "blast"], "unknown positive class 'blast' of synthetic; choose from lymphocyte, lymphoblast"),
        (["--positive", "lymphoblast", "--sensitivity", "1.5"], "sensitivity must be above 0 up to 1, got 1.5"),
        (["--positive", "lymphoblast", "--cost-ratio", "0"], "the cost ratio must be above 0, got 0.0; 10 says"),
        (["--external-option", "size=64"], "--external-option is of an external dataset; add --external NAME"),
        (["--external", "synthetic", "--external-option", "task=leukaemia"], "synthetic: image ids must differ from"),
        (["--external", "synthetic", "--positive", "lymphocytes"], "unknown positive class 'lymphocytes' of synthetic"),
        (["--split", "no.csv"], "no.csv: no such table"),
        (["--without", "blast"], "synthetic: no class 'blast'; it has lymphocyte, lymphoblast"),
        (["--without", "lymphocyte"], "synthetic: "),
        (["--seed", "-1"], "seed must be from 0 to 4294967295, got -1"),
    ],
)
def test_options_are_checked_before_the_work(evaluated, options, message):
    result, folder = evaluated("wrong", "--dataset-option", "task=leukaemia", *options)
    assert result.exit_code == 1
    assert result.output.startswith(message) and result.output.count("\n") == 1
    assert not folder.exists()


def test_a_file_where_the_folder_should_be_is_refused(evaluated, tmp_path):
    file = tmp_path / "report"
    file.write_text("mine")
    result, _ = evaluated(file)
    assert result.exit_code == 1
    assert file.read_text() == "mine"
