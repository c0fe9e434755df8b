"""The report of an evaluation: its sentences, figures and tables, and the page in a browser and on paper."""

import re
import unicodedata
from dataclasses import replace

import evaluations
import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from evaluations import BEST, SEED

from helpers import metrics
from helpers.checks import Finding
from helpers.evaluation import sentences
from helpers.evaluation.figures import draw_figures
from helpers.evaluation.record import Evaluation
from helpers.evaluation.report import report
from helpers.evaluation.wrong_cells import predictions_at_threshold, wrong_cells


@pytest.fixture(scope="module")
def cells():
    return evaluations.dataset()


@pytest.fixture(scope="module")
def two(cells) -> Evaluation:
    return evaluations.evaluation(cells)


@pytest.fixture(scope="module")
def types():
    return evaluations.dataset("types", 240, 24)


@pytest.fixture(scope="module")
def many(types) -> Evaluation:
    return evaluations.evaluation(types, positive="")


@pytest.fixture(scope="module")
def few_cells():
    return evaluations.dataset(n_images=48, n_patients=6)


@pytest.fixture(scope="module")
def few(few_cells) -> Evaluation:
    return evaluations.evaluation(few_cells)


@pytest.fixture(scope="module")
def mixed_cells(types):
    return types.select_classes(["lymphocyte", "lymphoblast"])


@pytest.fixture(scope="module")
def mixed(mixed_cells) -> Evaluation:
    return evaluations.evaluation(mixed_cells)


def text_of(html):
    """The words of a page without figures, as on one line."""
    html = re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(re.sub("<[^>]+>", " ", html).split())


# --- the five sentences


def test_the_sentences_hold_the_numbers_of_the_records(two):
    tested, best, gain, expectation, finding = sentences.five_sentences(two)
    assert tested.startswith(
        "3 models were tested on 120 images of 20 groups (patient) and 2 classes of Synthetic cells"
    )
    assert tested.endswith("5 folds by group (patient), 20 groups, seed 20.")
    auc = metrics.roc_auc(two.predictions[BEST], "lymphoblast", SEED)
    assert f"{BEST}; its AUC on test images is {auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}]" in best
    row = two.differences.query("model == @BEST").iloc[0]
    assert gain.startswith("It is better than the simplest model, majority class: its AUC differs by")
    assert f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}] (95 % interval over 20 groups)" in gain
    measured = metrics.binary_metrics(two.tested, "lymphoblast", two.thresholds, seed=SEED)
    sensitivity = measured.set_index("measure").loc["sensitivity"]
    per_hundred = f"about {100 * sensitivity['value']:.0f} (between {100 * sensitivity['low']:.0f} and "
    assert "chosen for a sensitivity of 0.95: of 100" in expectation
    assert f"it finds {per_hundred}" in expectation
    assert finding == "No check failed; performance on images of another laboratory, stain or camera is unknown."


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"low": -0.1}, "It is not distinguishable from the simplest model, majority class"),
        ({"value": -0.2, "low": -0.3, "high": -0.1}, "It is worse than the simplest model, majority class"),
        ({"interval": "range of groups"}, "there are too few groups to say whether this holds for others"),
        ({"value": np.nan, "low": np.nan, "high": np.nan, "interval": "none"}, "is not defined"),
    ],
)
def test_a_gain_is_claimed_only_where_its_interval_is_above_zero(two, changes, words):
    gain = sentences.five_sentences(replace(two, differences=two.differences.assign(**changes)))[2]
    assert words in gain
    assert "better" not in gain


def test_the_simplest_model_may_be_the_best(two):
    gain = sentences.five_sentences(replace(two, best="majority class", headline="majority class"))[2]
    assert gain == "No model had a better validation score than the simplest, majority class."


def test_a_model_that_scored_higher_on_test_images_is_mentioned_but_not_chosen(two):
    other = "5 features + logistic regression"
    best = sentences.five_sentences(replace(two, best=other, headline=other))[1]
    score = two.metrics.query("model == @BEST and measure == 'AUC'")["value"].item()
    assert f"; {BEST} scored {score:.3f} on test images, which must not choose the model." in best
    assert "must not choose" not in sentences.five_sentences(two)[1]


def test_models_that_differ_between_folds_are_named_and_described_together(two):
    together, other = "best by validation in each fold", "5 features + logistic regression"
    scores = two.metrics.query("model == @other").assign(model=together)
    record = replace(
        two,
        headline=together,
        selected={0: BEST, 1: other, 2: BEST},
        predictions={**two.predictions, together: two.predictions[other]},
        metrics=pd.concat([two.metrics, scores], ignore_index=True),
        differences=pd.concat([two.differences, two.differences.query("model == @other").assign(model=together)]),
    )
    tested, best, gain, *_ = sentences.five_sentences(record)
    assert tested.startswith("3 models were tested")
    assert f"chosen in each fold ({BEST} in 2 folds, {other} in 1 fold; on all folds together {BEST})" in best
    assert f"their AUC on test images is {scores['value'].iloc[0]:.3f}" in best
    difference = two.differences.query("model == @other")["value"].item()
    assert gain.startswith("They are better than the simplest model, majority class: their AUC differs by")
    assert f"{difference:.3f}" in gain


def test_a_prevalence_says_what_to_expect_of_a_thousand_images(two):
    assert sentences.prevalence_sentences(two) == []
    rule = replace(two.rule, prevalence=0.02)
    (sentence,) = sentences.prevalence_sentences(replace(two, rule=rule))
    rates = metrics.binary_metrics(two.tested, "lymphoblast", two.thresholds, seed=SEED).set_index("measure")["value"]
    found, wrong = 20 * rates["sensitivity"], 980 * rates["false positive rate"]
    assert sentence.startswith("Where 0.02 of all images are lymphoblast, 1,000 new images contain about 20 of them")
    assert f"about {found:.3g} of these are found, with about {wrong:.3g} false positives" in sentence
    assert f"that {found / (found + wrong):.0%} of the positive predictions are right" in sentence


def test_many_classes_have_the_recalls_of_the_worst_and_the_best_class(many):
    expectation = sentences.five_sentences(many)[3]
    recalls = metrics.classification_report(many.predictions[BEST], SEED).query("measure == 'recall'")
    recalls = recalls[~recalls["class"].isin(["macro", "weighted"])].set_index("class")["value"]
    assert f"of 100 images of {recalls.idxmin()}, the class with the lowest recall, about" in expectation
    assert f"about {100 * recalls.min():.0f} (" in expectation
    assert f"the class with the highest, about {100 * recalls.max():.0f}" in expectation


def test_few_groups_have_a_range_and_the_finding_says_so(few):
    _, best, gain, expectation, finding = sentences.five_sentences(few)
    assert "(range of groups " in best
    assert "too few groups to say" in gain
    assert "in single groups)" in expectation
    assert finding.startswith("1 check failed: too few groups: 48 test images of 6 groups")
    assert "95 % interval over" not in f"{best} {gain}"


def test_a_perfect_classifier_is_not_promised_to_be_perfect(two):
    table = two.predictions[BEST]
    truth = (table["label"] == "lymphoblast").astype(float) * 0.98 + 0.01
    perfect = table.assign(p_lymphoblast=truth, p_lymphocyte=1 - truth)
    expectation = sentences.five_sentences(
        replace(two, predictions={**two.predictions, BEST: perfect}, thresholds=two.thresholds * 0 + 0.5)
    )[3]
    assert "it finds about 100 (between 69 and 100)" in expectation
    assert "it calls about 0 (between 0 and 31)" in expectation


def test_findings_that_invalidate_all_numbers_come_first_and_each_once(two):
    shared, leakage = (
        Finding("unknown patients", "each is its own", "names"),
        Finding("data leakage", "3 pairs.", "folds"),
    )
    record = replace(two, audit=replace(two.audit, findings=[shared]), findings=[shared, leakage])
    assert sentences.ordered_findings(record) == [leakage, shared]
    assert sentences.five_sentences(record)[4] == "2 checks failed, above all: data leakage: 3 pairs."


def test_images_that_are_their_own_groups_say_nothing_about_new_patients(two):
    assert "What to expect on new images like these" in sentences.five_sentences(replace(two, unit="image"))[3]
    assert "What to expect on new subjects like these" in sentences.five_sentences(replace(two, unit="subject"))[3]


# --- wrong cells and figures


def test_wrong_cells_are_those_at_the_threshold_most_confident_first(two):
    table, limit = two.tested, two.thresholds
    wrong = wrong_cells(two)
    above = table["p_lymphoblast"] >= limit
    assert set(wrong.index) == set(table.index[above != (table["label"] == "lymphoblast")])
    assert len(wrong) == 8
    assert wrong["probability"].is_monotonic_increasing
    first = table.loc[wrong.index[0]]
    assert wrong["probability"].iloc[0] == first[f"p_{first['label']}"]
    low = replace(two, thresholds=two.thresholds * 0)
    assert set(predictions_at_threshold(low)) == {"lymphoblast"}
    assert set(wrong_cells(low)["true"]) == {"lymphocyte"}


def test_wrong_cells_of_many_classes_are_those_of_the_most_probable_class(many):
    wrong, table = wrong_cells(many), many.predictions[BEST]
    assert wrong["predicted"].tolist() == metrics.predicted_classes(table)[wrong.index].tolist()
    assert 24 < len(wrong) == int((metrics.predicted_classes(table) != table["label"]).sum())


def answers(evaluation):
    return {answer.title: repr(answer.figure) for answer in draw_figures(evaluation)}


def test_two_classes_have_curves_and_the_scores_of_patients(two):
    figures = answers(two)
    assert list(figures) == [
        *("All models", "ROC curve", "Calibration"),
        *("Learning curve over images", "Learning curve over patients", "Groups"),
    ]
    assert figures["ROC curve"].startswith("Figure: ROC curves with bands; sensitivity at a false positive")
    assert "4 patients 0.68, 10 patients 0.80, 16 patients 0.86" in figures["Learning curve over patients"]
    assert figures["Groups"].startswith("Figure: Probabilities of the cells of 20 patients")
    assert draw_figures(two)[-2].note == two.projection


def test_many_classes_have_a_confusion_matrix_and_reasons_for_what_is_missing(many):
    figures = answers(replace(many, learning=pd.DataFrame()))
    assert figures["Confusion matrix"].startswith("Figure: Confusion matrix; recall: neutrophil")
    assert figures["Calibration"] == ("No figure: calibration is measured for a positive class, and there is none.")
    assert figures["Groups"].startswith("Figure: 144 differences of predicted and true share of each class")  # 24 × 6
    pure = replace(many, learning=pd.DataFrame(), proportions=pd.DataFrame())
    reason = "scores of groups are shown for a positive class, and there is none"
    assert answers(pure)["Groups"] == f"No figure: {reason}."
    assert figures["Learning curve"] == "No figure: no learning curve was computed."


def test_mixed_groups_have_their_proportions(mixed):
    assert mixed.audit.mixed_groups > 0
    assert answers(mixed)["Groups"].startswith("Figure: 24 differences of predicted and true share of lymphoblast")


# --- the page


def test_the_page_holds_all_parts_and_loads_nothing(two, cells):
    html = report(two, cells)
    words = text_of(html)
    for sentence in sentences.five_sentences(two):
        assert sentence in words
    assert words.count("Not for diagnosis.") >= 3
    assert re.findall(r'(?:src|href)="(?!data:image/png;base64,|#)', html) == []
    assert html.count("data:image/png;base64,") == 6 + 8
    assert "With 80 patients instead of 20, the interval would be about half as wide." in words
    for part in ("Shortcuts", "Model card", "Datasheet", "commit 0123456789ab", "audit 1.2 s, features 12.3 s"):
        assert part.removeprefix("commit ") in words
    assert "Failed checks None." in words
    assert "57 of 60 positive images reach it" in words


def test_failed_checks_are_printed_with_their_advice(few, few_cells):
    words = text_of(report(few, few_cells))
    assert "Failed checks: too few groups; see their advice" in words
    assert "Verify whether every fold can be tested in turn." in words


def test_without_a_positive_class_each_class_is_set_against_the_rest(many, types):
    words = text_of(report(many, types))
    row = many.by_class.set_index("class").loc["monocyte"]
    assert row["AUC"] == metrics.roc_auc(many.tested, "monocyte", SEED).value
    _, table = words.split("AUC of each class against all others.")
    assert f"monocyte {row['AUC']:.3f} (range of groups {row['low']:.3f} to {row['high']:.3f})" in table


def test_at_most_24_wrong_cells_are_shown(many, types):
    html = report(many, types)
    assert html.count('alt="Cell synthetic-') == 24
    assert f"{len(wrong_cells(many))} of 240 test images ({BEST}). 24 are shown" in text_of(html)


def test_names_are_escaped_and_local_paths_left_out(two, cells, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    hostile = "<script>alert('x')</script>"
    leakage = Finding("data leakage", f"see {tmp_path}/cells/a.png", f"the {hostile}")
    audit = replace(two.audit, facts={hostile: "folder:/home/ann/cells"}, findings=[leakage])
    table = two.predictions[BEST].assign(group=lambda t: t["group"].replace({"P01": hostile}))
    html = report(
        replace(two, title=hostile, audit=audit, predictions={**two.predictions, BEST: table}),
        replace(cells, card=replace(cells.card, title=hostile)),
    )
    assert "<script>alert" not in html
    assert f"group {hostile}".replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;") in html
    assert str(tmp_path) not in html
    assert "/home/ann" not in html
    assert "~/cells/a.png" in html


def test_a_report_of_real_cells(real):
    cells = real("wbc1")
    cells = cells.select(cells.frame.groupby("label").head(8).index)
    record = evaluations.evaluation(cells, positive="")
    html = report(record, cells)
    assert f"{len(wrong_cells(record))} of {len(cells)} test images" in text_of(html)
    assert all(unicodedata.category(letter) != "Cc" or letter in "\n\r" for letter in html)


# --- in a browser


@pytest.fixture
def page(browser, many, types):
    """The report with the widest tables, and with names as long as they get."""
    renamed = {f"{'a_rather_long_name_of_a_model ' * 3}{k}": table for k, table in enumerate(many.predictions.values())}
    names = dict(zip(many.predictions, renamed, strict=True))
    record = replace(
        many,
        predictions=renamed,
        best=names[BEST],
        headline=names[BEST],
        metrics=many.metrics.replace({"model": names}),
        differences=many.differences.replace({"model": names}),
    )
    opened = browser.new_page()
    requests = []
    opened.on("request", lambda request: requests.append(request.url))
    opened.set_content(report(record, types), wait_until="load")
    yield opened
    assert [url for url in requests if not url.startswith("data:")] == []
    opened.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_does_not_scroll_sideways_and_its_wide_parts_do(page, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.evaluate("document.querySelectorAll('details').forEach(block => block.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = page.eval_on_selector_all(
        ".result-table, .scroll",
        "all => all.map(box => ({wide: box.scrollWidth > box.clientWidth, focus: box.tabIndex, "
        "overflow: getComputedStyle(box).overflowX}))",
    )
    assert len(boxes) >= 10
    assert all(box["overflow"] == "auto" and box["focus"] == 0 for box in boxes)
    assert any(box["wide"] for box in boxes) == (width == 390)


def test_accessibility_check_finds_nothing(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate("document.querySelectorAll('details').forEach(block => block.open = true)")
    violations = Axe().run(page).response["violations"]
    assert [f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:160]}" for v in violations] == []


def test_paper_shows_what_is_folded_on_the_screen(page):
    folded = page.locator("details").count()
    assert page.locator("details[open]").count() == 0
    page.evaluate(
        "addEventListener('beforeprint', () => window.atPrint = document.querySelectorAll('details[open]').length)"
    )
    printed = page.pdf(prefer_css_page_size=True)
    assert page.evaluate("window.atPrint") == folded >= 7
    assert page.locator("details[open]").count() == 0
    sizes = set(re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed))
    assert {(round(float(w)), round(float(h))) for w, h in sizes} == {(595, 842)}
