"""The saved model on an external dataset, beside its test on the source: numbers, sentences, checks and page."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from helpers import datasets, metrics, prediction
from helpers.datasets import DatasetError
from helpers.evaluation import candidates, external_sentences, final_card, final_model, running, writing
from helpers.evaluation.external import evaluate_external, select_external
from helpers.evaluation.external_page import external_page
from helpers.evaluation.record import DIFFERENCE, EXTERNAL, SOURCE
from helpers.evaluation.thresholds import ThresholdRule
from helpers.metrics import Estimate

SEED = 20
OPTIONS = {"positive": "lymphoblast", "rule": ThresholdRule(), "seed": SEED}


@pytest.fixture(scope="module")
def data():
    return datasets.load("synthetic", n_images=48, n_patients=12, task="leukaemia", size=64)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    """A folder of 40 cells of ten patients of another seed: lymphocytes and lymphoblasts, and three of no known class.

    Its patients have names of patients of the source.
    """
    root = tmp_path_factory.mktemp("hospital")
    cells = datasets.load("synthetic", n_images=40, n_patients=10, task="leukaemia", size=48, seed=3)
    groups = ["image,group"]
    for number, (image_id, row) in enumerate(cells.frame.iterrows()):
        label = "platelet" if number % 15 == 0 else row["label"]
        (root / label).mkdir(exist_ok=True)
        Image.fromarray(cells.load_image(image_id)).save(root / label / f"{image_id}.png")
        groups.append(f"{label}/{image_id}.png,{row['group']}")
    (root / "groups.csv").write_text("\n".join(groups) + "\n")
    return datasets.load(f"folder:{root}")


@pytest.fixture(scope="module")
def small():
    """Features of small images, which take less time."""
    patch = pytest.MonkeyPatch()
    for module in (candidates, final_card, final_model):
        patch.setattr(module, "SIZE", 48)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def saved(small, data, tmp_path_factory):
    """A model of hand-crafted features, with its test on the source."""
    root = tmp_path_factory.mktemp("saved")
    paths = {"model_path": root / "m.features", "cache_dir": root / "cache"}
    return final_model.train(data, **OPTIONS, model_type="features", **paths, log=str)


@pytest.fixture(scope="module")
def record(saved, data, hospital):
    return evaluate_external(saved, select_external(data, hospital, len(hospital)), **OPTIONS)


def rows_of(table, **wanted):
    for column, value in wanted.items():
        table = table[table[column] == value]
    return table.set_index("dataset").to_dict("index")


def words_of(html):
    html = re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(re.sub("<[^>]+>", " ", html).split())


# --- numbers


def test_external_images_are_predicted_and_referred_as_by_the_command(record, saved, hospital, tmp_path):
    paths = [hospital.reader.root / hospital.frame.loc[image_id, "path"] for image_id in record.predictions.index]
    table = prediction.predict(paths, *prediction.load(saved.path), tmp_path / "p.csv").table
    assert len(table) == len(record.predictions) == 37
    for column in ("p_lymphoblast", "distance_quantile"):
        assert record.predictions[column].to_numpy() == pytest.approx(table[column].to_numpy())
    for column in ("predicted_class", "refer", "reason"):
        assert record.predictions[column].tolist() == table[column].tolist()


def test_the_score_of_the_source_is_that_of_the_card_and_the_difference_is_external_minus_source(record, saved):
    auc = rows_of(record.comparison, measure="AUC")
    assert auc[SOURCE]["value"] == pytest.approx(saved.card.test["AUC"].value)
    assert (auc[SOURCE]["n"], auc[SOURCE]["groups"]) == (48, 12)
    there = metrics.roc_auc(record.predictions, "lymphoblast", SEED)
    assert (auc[EXTERNAL]["value"], auc[EXTERNAL]["n"], auc[EXTERNAL]["groups"]) == (there.value, 37, 10)
    assert auc[DIFFERENCE]["value"] == pytest.approx(auc[EXTERNAL]["value"] - auc[SOURCE]["value"])
    assert auc[DIFFERENCE]["low"] <= auc[DIFFERENCE]["value"] <= auc[DIFFERENCE]["high"]
    assert list(record.comparison["measure"].unique()) == [
        "AUC", "referred", "unlike the training images", "set holds the class", "classes in a set",
        "wrong, all images", "wrong, not referred",
    ]  # fmt: skip


def test_recalls_and_confusion_matrix_are_at_the_threshold(record, saved):
    recalls = rows_of(record.recalls, **{"class": "lymphoblast"})
    assert recalls[SOURCE]["value"] == pytest.approx(saved.card.test["sensitivity"].value)
    blasts = record.predictions[record.predictions["label"] == "lymphoblast"]
    above = int((blasts["p_lymphoblast"] >= saved.card.threshold).sum())
    assert record.confusion.loc["lymphoblast", "lymphoblast"] == above
    assert recalls[EXTERNAL]["value"] == pytest.approx(above / len(blasts))
    assert int(record.confusion.to_numpy().sum()) == 37


def test_the_share_beyond_the_limit_of_distances_and_the_coverage_are_those_of_the_card(record, saved):
    far = rows_of(record.comparison, measure="unlike the training images")[EXTERNAL]["value"]
    assert far == pytest.approx(record.predictions["reason"].str.contains("unlike the training images").mean())
    covered = rows_of(record.comparison, measure="set holds the class")[EXTERNAL]["value"]
    limit = record.predictions["label"].map(saved.card.prediction_sets.thresholds)
    assert covered == pytest.approx((metrics.nonconformity(record.predictions) <= limit).mean())
    assert record.limit == "all held-out images of the source"  # 12 patients are too few for 95 %


def test_data_that_are_not_tested_are_counted_and_equal_patient_names_are_a_failed_check(record):
    assert record.facts["Left out"].startswith("3 of 40 external images: unreadable, without a label, or of a class")
    assert record.facts["Shared classes"] == "lymphocyte, lymphoblast"
    assert record.facts["Images in both"] == "none byte for byte; no near-duplicates"
    assert record.counts.loc["lymphoblast", "source images"] == 24
    assert int(record.counts["external images"].sum()) == 37
    assert any(
        "same group names in both datasets: number of groups: 10" in " ".join(f.split()) for f in record.findings
    )


def test_images_of_one_cell_in_both_datasets_are_a_failed_check(saved, data, tmp_path):
    cells = datasets.load("synthetic", n_images=24, n_patients=6, task="leukaemia", size=64, seed=4)
    for number, (image_id, label) in enumerate(cells.frame["label"].items()):
        (tmp_path / label).mkdir(exist_ok=True)
        image = cells.load_image(image_id)
        if number == 0:  # a cell of the source, rotated
            label, image = data.frame["label"].iloc[0], np.rot90(data.load_image(data.frame.index[0]))
        Image.fromarray(image).save(tmp_path / label / f"{image_id}.png")
    images = select_external(data, datasets.load(f"folder:{tmp_path}"), 24)
    findings = " ".join(" ".join(evaluate_external(saved, images, **OPTIONS).findings).split())
    assert "same cell in both datasets: number of pairs: 1, such as synthetic-00000" in findings


def test_classes_of_the_source_alone_may_be_predicted_but_are_not_compared(small, tmp_path):
    types = datasets.load("synthetic", n_images=96, n_patients=12, size=48)
    source = types.select_classes(["neutrophil", "lymphocyte", "monocyte"])
    other = datasets.load("synthetic", n_images=48, n_patients=6, size=48, seed=3).with_id_prefix("b-")
    other = other.select_classes(["lymphocyte", "monocyte", "lymphoblast"])
    n_of = {
        name: int((cells.frame["label"].isin(["lymphocyte", "monocyte"])).sum())
        for name, cells in {SOURCE: source, EXTERNAL: other}.items()
    }
    options = OPTIONS | {"positive": ""}
    paths = {"model_path": tmp_path / "m.features", "cache_dir": tmp_path / "cache"}
    saved = final_model.train(source, **options, model_type="features", **paths, log=str)
    images = select_external(source, other, len(other))
    record = evaluate_external(saved, images, **options)
    assert record.facts["Classes of the source only"] == "neutrophil; they may be predicted, but are not compared"
    assert record.facts["Left out"].startswith(f"{len(other) - n_of[EXTERNAL]} of {len(other)} external images")
    score = rows_of(record.comparison, measure="balanced accuracy")
    assert {name: score[name]["n"] for name in n_of} == n_of
    tested = record.predictions
    recall = (tested["predicted_class"] == tested["label"]).groupby(tested["label"]).mean()
    assert score[EXTERNAL]["value"] == pytest.approx(recall.mean())
    assert list(recall.index) == sorted(record.counts.index) == ["lymphocyte", "monocyte"]
    assert "chance level: 0.333." in external_sentences.external_summary(record)[0]


# --- what cannot be compared


def in_folder(root, cells, ids, rename="{}"):
    for image_id in ids:
        folder = root / cells.frame.loc[image_id, "label"]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(cells.load_image(image_id)).save(folder / f"{rename.format(image_id)}.png")
    return datasets.load(f"folder:{root}")


def test_datasets_without_two_shared_classes_are_refused(data):
    types = datasets.load("synthetic", n_images=40, n_patients=10, size=48).select_classes(["neutrophil", "lymphocyte"])
    message = (
        "synthetic: at least 2 of its classes must be classes of synthetic, got 1; it has neutrophil, lymphocyte, and "
        "synthetic has lymphocyte, lymphoblast; rename its folders, or choose a positive class that both have"
    )
    with pytest.raises(DatasetError, match=f"^{re.escape(message)}$"):
        select_external(data, types, len(types))


def test_equal_ids_are_refused(data):
    other = datasets.load("synthetic", n_images=24, n_patients=6, task="leukaemia", size=64, seed=3)
    message = "image ids must differ from those of synthetic, got 24 that do not, such as synthetic-00000; rename"
    with pytest.raises(DatasetError, match=message):
        select_external(data, other, len(other))


def test_the_same_files_under_other_names_are_refused(data, tmp_path):
    ids = data.frame.groupby("label").head(3).index
    source, copy = in_folder(tmp_path / "a", data, ids), in_folder(tmp_path / "b", data, ids[:4], rename="copy-{}")
    with pytest.raises(
        DatasetError, match=r"images must not be in folder:a, too, got 4 that are, such as .*copy-"
    ) as e:
        select_external(source, copy, len(copy))
    assert "\n" not in str(e.value)


# --- sentences


def with_estimates(record, table, name, source, external):
    """The record with other estimates of a measure."""
    rows = {SOURCE: source, EXTERNAL: external, DIFFERENCE: metrics.independent_difference(external, source)}
    new = [{table: name, "dataset": dataset, **one.row("value")} for dataset, one in rows.items()]
    field = {"measure": "comparison", "class": "recalls"}[table]
    old = getattr(record, field)
    parts = [pd.DataFrame(new), old[old[table] != name]]
    return replace(record, **{field: pd.concat(parts, ignore_index=True)})


HIGH = Estimate(0.95, 0.92, 0.97, 200, 40)


@pytest.mark.parametrize(
    ("external", "words"),
    [
        (Estimate(0.7, 0.6, 0.8, 90, 20), "The AUC is lower there: the 95 % interval of the difference lies below 0."),
        (Estimate(0.99, 0.985, 0.995, 90, 20), "The AUC is higher there: the 95 % interval of the difference lies abo"),
        (
            Estimate(0.9, 0.8, 0.96, 90, 20),
            "so that these groups do not show whether the AUC is lower there; a loss of",
        ),
        (Estimate(0.7, 0.6, 0.8, 90, 4, metrics.RANGE), "There are too few groups, in one of the datasets at least of"),
        (Estimate(0.7, np.nan, np.nan, 90, 1, metrics.NONE), "The difference has no interval"),
    ],
)
def test_a_loss_is_claimed_only_where_its_interval_is_below_zero(record, external, words):
    meaning = external_sentences.external_summary(with_estimates(record, "measure", "AUC", HIGH, external))[1]
    assert words in meaning
    assert ("lower there:" in meaning) == words.startswith("The AUC is lower")


def test_the_sentences_hold_the_numbers_of_the_tables(record):
    score, _, recall, referral, coverage, distance, caution = external_sentences.external_sentences(record)
    auc = rows_of(record.comparison, measure="AUC")
    assert score.startswith(f"In the test on synthetic, the AUC is {auc[SOURCE]['value']:.3f} [")
    assert (
        f"(n=37, groups=10) on {record.external}. Difference (external − source): {auc[DIFFERENCE]['value']:.3f}"
        in score
    )
    assert score.endswith("chance level: 0.500.")
    recalls = record.recalls[record.recalls["dataset"] == DIFFERENCE].set_index("class")["value"].abs()
    assert recall.startswith(f"The recall differs most for {recalls.idxmax()}: of 100 of its images, about ")
    referred = rows_of(record.comparison, measure="referred")
    assert referral.startswith(f"Of 100 images, about {100 * referred[SOURCE]['value']:.0f} (")
    assert coverage.startswith("The prediction sets are to hold the class of 90 of 100 images of new groups")
    assert "than all held-out images of the source" in distance
    assert caution.startswith(
        "One other laboratory is one sample of laboratories: this says how the model does on folder"
    )


def test_a_broken_promise_is_named_only_where_its_interval_shows_it(record):
    name = "set holds the class"
    low = with_estimates(record, "measure", name, HIGH, Estimate(0.5, 0.4, 0.6, 90, 20))
    near = with_estimates(record, "measure", name, HIGH, Estimate(0.85, 0.78, 0.92, 90, 20))
    assert "where the promise does not hold" in " ".join(external_sentences.external_sentences(low))
    assert "where the promise does not hold" not in " ".join(external_sentences.external_sentences(near))


def test_where_all_images_are_referred_no_error_of_the_others_is_given(record):
    none = Estimate(np.nan, np.nan, np.nan, 0, 0, metrics.NONE)
    referral = external_sentences.external_sentences(
        with_estimates(record, "measure", "wrong, not referred", HIGH, none)
    )[3]
    assert referral.endswith(
        "of 100 that are not, the prediction is wrong for about 95 (between 92 and 97) in the source."
    )


# --- page


def test_the_page_holds_sentences_facts_and_checks_and_escapes_names(record):
    hostile = "<script>alert('x')</script>"
    html = external_page(replace(record, external=hostile, facts={**record.facts, "External": hostile}))
    assert "<script>alert" not in html
    words = words_of(external_page(record))
    for sentence in external_sentences.external_sentences(record):
        assert sentence in words
    for fact in (*record.facts, "same group names in both datasets", "Recall by class", "Not for diagnosis."):
        assert fact in words
    assert html.count("data:image/png;base64,") == 2
    assert re.findall(r'(?:src|href)="(?!data:image/png;base64,|#)([^"]*)', html) == ["report.html"]


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_does_not_scroll_sideways_and_is_accessible(browser, record, width):
    page = browser.new_page(viewport={"width": width, "height": 844})
    page.set_content(external_page(record), wait_until="load")
    page.evaluate("document.querySelectorAll('details').forEach(block => block.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    violations = Axe().run(page).response["violations"]
    assert [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in violations] == []
    page.close()


# --- real cells


def test_a_model_of_one_laboratory_loses_in_the_other(small, real, monkeypatch, tmp_path):
    """60 cells of Barcelona and 60 of Tehran, hand-crafted features: a balanced accuracy above 0.8, and near chance."""
    monkeypatch.setattr(running, "available_backbones", list)
    source, external = (
        cells.select(cells.frame.groupby("label").sample(12, random_state=0).index.sort_values())
        for cells in (real("txl", source="pbc"), real("txl", source="raabin"))
    )
    evaluation, tested = running.evaluate(
        source, positive="", rule=ThresholdRule(), seed=SEED, cache_dir=tmp_path / "cache",
        model_path=tmp_path / "model.keras", external=external, log=str,
    )  # fmt: skip
    lines = writing.write(evaluation, tested, tmp_path)
    score = rows_of(evaluation.external.comparison, measure="balanced accuracy")
    assert score[SOURCE]["value"] > 0.8 and score[EXTERNAL]["value"] < 0.5
    assert score[EXTERNAL]["interval"] == "range of groups"  # all neutrophils are of one slide
    assert rows_of(evaluation.external.comparison, measure="unlike the training images")[EXTERNAL]["value"] > 0.9
    assert lines[2].startswith("In the test on txl (source=pbc), the balanced accuracy is 0.")
    assert "txl (source=raabin)" in words_of((tmp_path / "external.html").read_text(encoding="utf-8"))
    assert json.loads((tmp_path / "model.json").read_text())["split_sizes"]["train"]["images"] == 60
