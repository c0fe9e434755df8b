"""Make the figures of the results page on classifiers: splits, intervals, learning curve, transfer, mistakes."""

from __future__ import annotations

import pandas as pd

from helpers import plots
from helpers.book import results
from helpers.book.published_curves import WENDEROTH
from helpers.book.story import (
    BY_FOLDS,
    Finding,
    as_figure,
    describe_origin,
    overlap_words,
    position_words,
    published,
    select,
    short,
)
from helpers.markup import join_words
from helpers.metrics import Estimate
from helpers.reports import difference_words
from helpers.reports.mistake_tables import BLOOD, SYNTHETIC, TWO_STAINS, WITH, WITHOUT


def splits() -> Finding:
    """Compare a split by image with one by patient, where patients are known and where they are not."""
    names = ("full-cnmc-classify-split", BLOOD, TWO_STAINS)
    split, cnmc, wbc1 = published(*names)
    mistake = "3 patients on both sides"
    large, small, control = (
        "C-NMC, 140 hand-crafted features",
        "C-NMC, 768 pixels",
        "wbc1 (no patients known), 768 pixels",
    )
    rows = pd.concat(
        [split[split["split"] != "difference"].assign(data=large)]
        + [
            table[table["mistake"] == mistake]
            .rename(columns={"value": "AUC"})
            .assign(data=data, split=lambda t: t["variant"].map({WITH: "by image", WITHOUT: "by patient"}))
            for table, data in ((cnmc, small), (wbc1, control))
        ],
        ignore_index=True,
    )
    rows["split"] = rows["split"].map({"by image": "split by image", "by patient": "split by patient"})
    caption = "AUC of one classifier a row, on C-NMC for leukaemia and on wbc1 for a cell type; only the split differs."
    figure = as_figure(plots.forest_plot(rows.sort_values("split"), "AUC", "data", "split", caption))
    difference = select(split, "AUC", split="difference")
    by_image, by_patient = (select(split, "AUC", split=f"by {unit}") for unit in ("image", "patient"))
    controls = [select(rows[rows["data"] == control], "AUC", split=f"split by {unit}") for unit in ("image", "patient")]
    sentences = (
        f"On C-NMC the AUC is {short(by_image)} in a split by image and {short(by_patient)} in a split by patient: by "
        f"image {difference_words(difference, digits=2)}.",
        f"In wbc1 no patient is named, so that only known duplicates are kept together; there the split by image gives "
        f"{short(controls[0])} and the other {short(controls[1])}: {overlap_words(*controls)}.",
    )
    origin = describe_origin(names[0], "cross-validation in folds by image, or in folds by patient", split)
    return Finding("split", "Cells or patients: what does the split do?", figure, sentences, origin, "09-trust", names)


def classifiers() -> Finding:
    """Compare classifiers of leukaemia on C-NMC."""
    (name,) = names = ("full-cnmc-classify-auc",)
    rows = published(name)[0].query("measure == 'AUC'").rename(columns={"value": "AUC"})
    rows = rows.sort_values("AUC", ascending=False)
    figure = as_figure(plots.forest_plot(rows, "AUC", "model", "measure", "AUC per cell."))
    estimates = {model: select(rows, "AUC", model=model) for model in rows["model"]}
    best, *others = estimates
    apart = [model for model in others if estimates[model].high < estimates[best].low]
    chance = [model for model in estimates if estimates[model].low <= 0.5]
    sentences = (
        f"Highest is *{best}* with {short(estimates[best])}; "
        + (
            f"only the interval of {join_words(apart)} lies below its own."
            if apart
            else "the intervals of all others overlap with its own, so that the table alone shows no ranking."
        ),
        f"{estimates[best].n:,} cells come from {estimates[best].groups} subjects, which is why intervals are wide"
        + (f"; that of {join_words(chance)} includes 0.5, the chance level." if chance else "."),
    )
    origin = describe_origin(name, BY_FOLDS, rows)
    return Finding("classifiers", "Which classifier finds leukaemia?", figure, sentences, origin, "05-classify", names)


def learning_curve() -> Finding:
    """Compare the learning curve on all of PBC with a published one."""
    (name,) = names = ("whole-pbc-learning-curve",)
    (curve,) = published(name)
    ours = curve.rename(columns={"images": "images per class"})
    other = WENDEROTH
    shown = pd.concat([curve, other.frame], ignore_index=True)
    caption = (
        "Balanced accuracy by number of labelled images per class, for classifiers on features of frozen networks. "
        f"{other.name}: read from the figure of its authors, without band."
    )
    unit = "training images per class"
    figure = as_figure(plots.learning_curve_plot(shown, "balanced accuracy", caption, images=unit))
    _fit_to_page(figure, shown["images"])
    name_of_best = ours["learner"].iloc[-1]
    best = ours[ours["learner"] == name_of_best].set_index("images per class")
    theirs = other.frame.set_index("images")["balanced accuracy"]
    both = [n for n in best.index if n in theirs.index]
    compared = [f"{best.loc[n, 'balanced accuracy']:.2f} against {theirs[n]:.2f} with {n}" for n in both]
    last = Estimate.from_row(best.loc[both[-1]], "balanced accuracy")
    gain = ours.groupby("learner", sort=False)["balanced accuracy"].agg(lambda values: values.iloc[-1] - values.iloc[0])
    gains = [f"{value:+.2f} ({learner})" for learner, value in gain.items()]
    sentences = (
        f"Balanced accuracy of *{name_of_best}* against the published curve of {{cite:t}}`{other.citation}`, by "
        f"labelled images per class: {', '.join(compared)}; the value published for {both[-1]} lies "
        f"{position_words(theirs[both[-1]], last)} our interval.",
        f"From {best.index[0]} to {best.index[-1]} images per class our curves change by {join_words(gains)}; the "
        "published curve has other test images, so that small differences between the two mean nothing.",
    )
    split = "nested training sets within four of five random parts, images of one cell together; the fifth tested"
    origin = describe_origin(name, split, curve)
    return Finding(
        "learning-curve", "How many labelled cells are enough?", figure, sentences, origin, "07-transfer", names
    )


def _fit_to_page(figure: plots.AccessibleFigure, numbers: pd.Series) -> None:
    """Make a learning curve narrow: a logarithmic axis with each number of images as a tick, and the legend inside."""
    ax, ticks = figure.figure.axes[0], sorted(set(numbers))
    ax.set_xscale("log")
    ax.set_xticks(ticks, [f"{tick}" for tick in ticks], rotation=45)
    ax.set_xticks([], minor=True)
    ax.legend(fontsize=8, frameon=False, loc="lower right")
    figure.figure.set_size_inches(5, 3.2)


def transfer() -> Finding:
    """Compare ways to use a pretrained network, with their cost."""
    names = ("full-pbc-transfer-scores", "full-pbc-transfer-differences")
    scores, differences = published(*names)
    seconds = scores["features, s"] + scores["training, s"]
    rows = scores.assign(
        seconds=seconds,
        method=scores["network"] + ": " + scores["method"].str.removeprefix("trained: "),
    ).sort_values("macro F1", ascending=False)
    folds = len(results.read_result(names[0])[1].parameters["tested_folds"])
    caption = f"Macro F1 over all classes, and the time to compute features and to train, for {folds} folds."
    figure = as_figure(plots.cost_plot(rows, "macro F1", "seconds", "method", caption))
    best, cheapest = rows.iloc[rows["macro F1"].argmax()], rows.iloc[rows["seconds"].argmin()]
    scratch = rows[rows["method"].str.endswith("scratch")].iloc[0]
    tuned = differences[differences["method"] == "trained: all"]
    reference = scores.iloc[0]
    sentences = (
        f"Highest is {_cost_words(best)}, cheapest {_cost_words(cheapest)}, and from random weights "
        f"{_cost_words(scratch)}.",
        f"{tuned['network'].iloc[0]} fine-tuned in all layers, against its frozen features with {reference['method']}: "
        f"{difference_words(select(tuned, 'difference in macro F1', method='trained: all'), digits=2)}.",
    )
    origin = describe_origin(names[0], BY_FOLDS, rows)
    return Finding(
        "transfer",
        "What does a pretrained network buy, and what does it cost?",
        figure,
        sentences,
        origin,
        "07-transfer",
        names,
    )


def _cost_words(row: pd.Series) -> str:
    return f"*{row['method']}* with {row['macro F1']:.2f} in {row['seconds']:.0f} s"


def mistakes() -> Finding:
    """Show what each mistake of chapter 09 does to a number."""
    (name,) = names = (BLOOD,)
    (table,) = published(name)
    rows = table[table["measure"].str.startswith("AUC") & ~table["mistake"].isin(SYNTHETIC)]
    rows = rows.rename(columns={"value": "AUC"}).assign(mistake=rows["mistake"].str.replace(r"^\d+ ", "", regex=True))
    caption = (
        "AUC with and without each mistake. In the two on choosing, labels are permuted, so that everything above 0.5 "
        "is made by the mistake; their intervals are over permutations."
    )
    figure = as_figure(plots.forest_plot(rows, "AUC", "mistake", "variant", caption))
    change = {
        mistake: select(rows, "AUC", mistake=mistake, variant=WITH).value
        - select(rows, "AUC", mistake=mistake, variant=WITHOUT).value
        for mistake in rows["mistake"].unique()
    }
    up = max(change, key=lambda mistake: change[mistake])
    raised = [f"{mistake} ({value:+.2f})" for mistake, value in change.items() if value > 0.005]
    lowered = [f"{mistake} ({value:+.2f})" for mistake, value in change.items() if value < -0.005]
    wide, narrow = (select(rows, "AUC", mistake="copies counted", variant=variant) for variant in (WITHOUT, WITH))
    sentences = (
        f"AUC rises with {join_words(raised)} and falls with {join_words(lowered)}; most with *{up}*.",
        f"*Copies counted* leaves the AUC at {narrow.value:.2f}, but its interval is "
        f"{(wide.high - wide.low) / (narrow.high - narrow.low):.0f} times as narrow as that over patients: an interval "
        "is only as good as its count of independent patients.",
    )
    real = rows[(rows["measure"] == "AUC") & (rows["variant"] == WITHOUT)]
    origin = describe_origin(name, "corrected: folds by group; with the mistake: as its name says", real)
    return Finding("mistakes", "What do common mistakes do to a number?", figure, sentences, origin, "09-trust", names)
