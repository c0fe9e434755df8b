"""Make the figures of the results page on masks: against people, on another stain, after synthetic cells."""

from __future__ import annotations

import pandas as pd

from helpers import plots
from helpers.book import results
from helpers.book.story import (
    BY_FOLDS,
    Finding,
    as_figure,
    describe_origin,
    group_words,
    label,
    overlap_words,
    position_words,
    published,
    select,
    short,
)
from helpers.metrics import INTERVAL, RANGE, Estimate

REGIONS = ("whole cell", "cytoplasm", "nucleus")
PEOPLE, NETWORK, THRESHOLD = "annotated twice", "U-Net, TTA", "Otsu"
SOURCE, TARGET = "wbc1", "wbc2"


def segmentation() -> Finding:
    """Compare U-Net and threshold with cells that were annotated twice."""
    names = ("full-wbc1-segment-dice", "full-wbc1-segment-annotators")
    dice, pairs = published(*names)
    people = pd.DataFrame(
        {
            "method": PEOPLE,
            "region": list(REGIONS),
            "dice": [pairs[region].mean() for region in REGIONS],
            "low": [pairs[region].min() for region in REGIONS],
            "high": [pairs[region].max() for region in REGIONS],
            "interval": RANGE,
            "n": len(pairs),
            "groups": len(pairs),
        }
    )
    models = dice[dice["method"].isin([NETWORK, THRESHOLD])]
    rows = pd.concat([models, people], ignore_index=True).rename(columns={"dice": "Dice"})
    rows["interval"] = rows["interval"].fillna(INTERVAL)
    caption = "Dice with the ground-truth masks, and of two annotations of one cell with each other."
    figure = as_figure(plots.forest_plot(rows, "Dice", "region", "method", caption))
    network, twice, threshold = (
        {region: select(rows, "Dice", method=method, region=region) for region in REGIONS}
        for method in (NETWORK, PEOPLE, THRESHOLD)
    )
    place = {region: position_words(network[region].value, twice[region]) for region in REGIONS}
    values = "; ".join(f"{region} {short(network[region])}, people {short(twice[region])}" for region in REGIONS)
    sentences = (
        f"The Dice of the U-Net lies {group_words(place, 'the range of people')}: {values}, in {len(pairs)} pairs of "
        "annotations.",
        f"Against Otsu's thresholds it is {group_words(_compared(network, threshold))}.",
    )
    origin = describe_origin(names[0], BY_FOLDS, models)
    return Finding(
        "segmentation",
        "Are the network's masks as good as people's?",
        figure,
        sentences,
        origin,
        "04-segment",
        names,
    )


def stains() -> Finding:
    """Test each network on the stain that it was trained on and on the other."""
    names = ("full-wbc1-segment-shift", "full-wbc1-segment-augmentation")
    shift, augmentation = published(*names)
    sets = {"source": SOURCE, "target": TARGET}
    rows = shift[shift["region"] == "nucleus"].rename(columns={"dice": "Dice"})
    rows = rows.assign(
        tested="tested on " + rows["tested on"].map(sets),
        trained="trained on " + rows["trained on"].map({**sets, "both": "both"}),
    )
    caption = "Dice of the nucleus for two sets of smears with different stains and cameras."
    figure = as_figure(plots.forest_plot(rows, "Dice", "tested", "trained", caption))
    own, source, both = (
        select(rows, "Dice", trained_on=trained, tested_on="target") for trained in ("target", "source", "both")
    )
    usual, pretrained = (
        select(augmentation, "dice", augmentation=name, tested_on="target", region="nucleus")
        for name in ("usual", "usual, after pretraining")
    )
    sentences = (
        f"Tested on {TARGET}, the Dice of a network trained on {SOURCE} is {short(source)}, against {short(own)} of "
        f"one trained on {TARGET} itself: {overlap_words(source, own)}; trained on both it is {short(both)}.",
        f"If the network for {SOURCE} starts from weights pretrained on synthetic cells of three stains, its Dice on "
        f"{TARGET} is {short(pretrained)}, against {short(usual)} without: {overlap_words(pretrained, usual)}.",
    )
    split = "a part of each set is held out by group; the network sees no image of the set that it was not trained on"
    origin = describe_origin(names[0], split, rows)
    return Finding("stain", "What happens with another stain?", figure, sentences, origin, "04-segment", names)


def synthetic_to_real() -> Finding:
    """Test a network that has seen synthetic cells only."""
    names = ("realism-segmentation", "full-wbc1-segment-dice")
    table, own = published(*names)
    rows = table.rename(columns={"dice": "Dice"})
    rows = rows.assign(tested="tested on " + rows["tested on"])
    caption = "Dice of a U-Net trained on synthetic cells only. The first series is synthetic, the others real blood."
    figure = as_figure(plots.forest_plot(rows, "Dice", "region", "tested", caption))
    changed = {
        region: [select(rows, "Dice", tested_on=data, region=region) for data in ("synthetic", SOURCE, TARGET)]
        for region in REGIONS
    }
    drops = [
        f"{region} {short(drawn)} on synthetic cells, {short(first)} on {SOURCE}, {short(second)} on {TARGET}"
        for region, (drawn, first, second) in changed.items()
    ]
    trained = {region: select(own, "dice", method="U-Net", region=region) for region in REGIONS}
    compared = _compared({region: cells[1] for region, cells in changed.items()}, trained)
    sentences = (
        f"Trained without a single real cell, the U-Net reaches these values of Dice: {'; '.join(drops)}.",
        f"Against a U-Net trained on {SOURCE} itself it is, on {SOURCE}, {group_words(compared)}.",
    )
    seed = results.read_result(names[0])[1].parameters["seed"]
    data = "trained on synthetic cells; tested on synthetic cells of other patients, and on all of wbc1 and wbc2"
    unit = "patient (synthetic); image in wbc1 and wbc2, where no patient is published"
    split = "no real cell is in training"
    return Finding(
        "synthetic",
        "Do synthetic cells teach anything about real ones?",
        figure,
        sentences,
        label(data, split, unit, rows, seed),
        "04-segment",
        names,
    )


def _compared(ours: dict[str, Estimate], theirs: dict[str, Estimate]) -> dict[str, str]:
    """Compare the estimates of each region in words."""
    return {region: overlap_words(ours[region], theirs[region]) for region in ours}
