"""Find out whether the group of an image, such as its slide, gives its class away."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import metrics
from helpers.learners.lda import ShrinkageLDA
from helpers.markup import escape_markdown
from helpers.metrics import Estimate

N_SPLITS = 3
FEW = 50  # images below which the accuracy of a classifier of groups says little


class ToldGroups(NamedTuple):
    """Hold how well a classifier tells the groups of one class apart.

    Attributes:
        within: the class.
        accuracy: share of images of which the group is predicted, by models that were not trained on the image.
        n_groups: number of groups.
        chance: share of the largest group, which a classifier reaches that always names it.
    """

    within: str
    accuracy: Estimate
    n_groups: int
    chance: float


def tell_groups(frame: pd.DataFrame, features: pd.DataFrame, seed: int) -> ToldGroups | None:
    """Train classifiers whose labels are the groups, on the class with most groups of three images or more.

    Within one class, the class cannot give the group away, so that what tells groups apart is stain, light or patient.

    Args:
        frame: table of one laboratory.
        features: a row per image.
        seed: random seed of the folds and resamples.

    Returns:
        None if no class has two such groups.
    """
    counts = pd.crosstab(frame["group"], frame["label"])
    enough = (counts >= N_SPLITS).sum()
    within = str(enough.idxmax())
    if enough[within] < 2:
        return None
    large = counts.index[counts[within] >= N_SPLITS]
    rows = frame[(frame["label"] == within) & frame["group"].isin(large)]
    cv = StratifiedKFold(N_SPLITS, shuffle=True, random_state=seed)
    classifier = make_pipeline(StandardScaler(), ShrinkageLDA())
    told = cross_val_predict(classifier, features.loc[rows.index].to_numpy(), rows["group"].to_numpy(), cv=cv)
    right = pd.Series((told == rows["group"]).astype(float), rows.index)
    accuracy = metrics.cluster_mean(right, rows["group"], seed, proportion=True)
    chance = float(rows["group"].value_counts(normalize=True).max())
    return ToldGroups(within, accuracy, len(large), chance)


def describe_slides(counts: pd.DataFrame, lookup: float, told: ToldGroups | None) -> str:
    """Say how far the group alone tells the class, and how well features tell the groups of one class apart.

    Args:
        counts: images by group (rows) and class (columns) of one laboratory.
        lookup: balanced accuracy of a rule that names the commonest class of the group, split by image.
        told: from :func:`tell_groups`.
    """
    groups = (counts > 0).sum()
    fewest = str(groups.idxmin())
    pure = int((counts.gt(0).sum(axis=1) == 1).sum())
    text = (
        f"{pure} of {len(counts)} groups have cells of one class only; the class that comes from the fewest, "
        f"{escape_markdown(fewest)}, comes from {groups[fewest]}. The rule that sees only the group "
        f"reaches a balanced accuracy of {lookup:.2f}, where "
        f"images of a group are on both sides of the split; guessing gives {1 / counts.shape[1]:.2f}."
    )
    if told is None:
        return f"{text} No class has two groups of three images, so that no classifier can be trained to tell groups."
    verdict = "pixels tell the group" if told.accuracy.value > 2 * told.chance else "pixels hardly tell the group"
    if told.accuracy.n < FEW:
        verdict = "too few images to say more"
    return (
        f"{text} Within the class {escape_markdown(told.within)} alone, a classifier names the right one of "
        f"{told.n_groups} groups for {told.accuracy.value:.0%} of {told.accuracy.n} images; always naming the largest "
        f"group would be right in {told.chance:.0%}: {verdict}."
    )
