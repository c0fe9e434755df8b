"""Sentences on transfer learning, computed from the scores, times and shares that they describe."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.metrics import INTERVAL, Estimate
from helpers.reports.result_table import format_estimate
from helpers.reports.statements import difference_words, shown_direction


def describe_methods(scores: pd.DataFrame, value: str) -> str:
    """List methods with their score and the time that all their work takes.

    Args:
        scores: columns ``method``, ``value`` and ``seconds``.
        value: column with the score.
    """
    parts = [f"{row['method']} {row[value]:.2f} in {row['seconds']:.0f} s" for _, row in scores.iterrows()]
    return "; ".join(parts)


def judge_pretraining(differences: Mapping[str, Estimate], is_collapsed: bool = False) -> str:
    """Say of every method that starts from pretrained weights whether it beats training from scratch.

    Args:
        differences: by method, its score less that of training from scratch, on the same images.
        is_collapsed: whether the network from scratch predicts one class for all images; a win over it says nothing of
            pretraining.
    """
    parts = [f"{name}: {difference_words(estimate, 'better', 'worse')}" for name, estimate in differences.items()]
    verdicts = {shown_direction(estimate) for estimate in differences.values()}
    conclusion = {
        frozenset({1}): "Pretrained weights pay here, whichever way they are used.",
        frozenset({-1}): "Pretrained weights do not pay here: training from scratch is better.",
        frozenset({0}): "Whether pretrained weights pay here, these images do not settle.",
    }.get(frozenset(verdicts), "Whether pretrained weights pay depends here on the way they are used.")
    if is_collapsed:
        conclusion = (
            "But the network from scratch is at chance here, so these differences say that the others have learnt, not "
            "what pretraining adds."
        )
    return f"Compared with training from scratch: {'; '.join(parts)}. {conclusion}"


def judge_fine_tuning(difference: Estimate) -> str:
    """Say whether training the layers under a head beats training the head alone.

    Args:
        difference: score of the fine-tuned network less that of the frozen one, on the same images.
    """
    conclusion = {
        1: "So the layers have learnt something of cells that photographs had not taught them.",
        -1: "So training the layers has cost more of what they knew than it has added.",
        0: "So these cells do not show what training the layers adds.",
    }[shown_direction(difference)]
    return f"Fine-tuned compared with frozen: {difference_words(difference, 'better', 'worse')}. {conclusion}"


def explain_first_epoch(frozen: pd.DataFrame, tuned: pd.DataFrame) -> str:
    """Say what the first epoch of fine-tuning does to the loss with which it begins, that of the frozen network.

    Args:
        frozen: columns ``training``, ``epoch`` and ``val_loss`` of the head that fine-tuning begins with; one row per
            epoch.
        tuned: the same of fine-tuning. Losses of several trainings are averaged.
    """
    start = frozen.groupby("training")["val_loss"].min().mean()
    by_training = tuned.groupby("training")["val_loss"]
    first, lowest = by_training.first().mean(), by_training.min().mean()
    facts = (
        f"Fine-tuning begins with the head of the frozen network, so at its lowest validation loss, {start:.2f}. Its "
        f"curve begins one epoch later, at {first:.2f}"
    )
    if round(first, 2) <= round(start, 2):
        return f"{facts}: the steps are small enough to keep what head and layers knew."
    repaired = "below" if round(lowest, 2) < round(start, 2) else "not below"
    return (
        f"{facts}, higher: the first steps of Adam change every weight of every layer by about the learning rate, "
        "however small its gradient, and head and layers no longer fit each other. The epochs after it repair that: "
        f"the lowest loss is {lowest:.2f}, {repaired} the start."
    )


def explain_scratch(history: pd.DataFrame, n_predicted: int, *, n_classes: int) -> str:
    """Explain the result of a network that was trained from scratch by its predictions and its losses.

    Args:
        history: columns ``training``, ``epoch`` and ``val_loss``; one row per epoch.
        n_predicted: number of different classes among its predictions.
        n_classes: number of classes; the loss at chance level is its logarithm.
    """
    chance, lowest = float(np.log(n_classes)), float(history["val_loss"].min())
    facts = (
        f"From scratch, the lowest validation loss is {lowest:.2f}; equal probabilities for all classes would cost "
        f"{chance:.2f}."
    )
    if n_predicted == 1:
        return (
            f"{facts} It predicts one class for every test cell: it has *collapsed*. With so few steps it has not left "
            "its random start; that says little about such networks, and much about so few images and epochs."
        )
    if round(lowest, 2) >= round(chance, 2):
        return f"{facts} So it has learnt nothing yet that holds for other patients, though its predictions vary."
    losses = [losses.to_numpy() for _, losses in history.groupby("training")["val_loss"]]
    n_last = sum(int(values.argmin()) == len(values) - 1 for values in losses)
    if n_last == 0:
        return f"{facts} So it has left its random start, and the loss is lowest before its last epoch."
    where = "in the last epoch" if len(losses) == 1 else f"in the last epoch of {n_last} of {len(losses)} trainings"
    return f"{facts} So it has left its random start. The loss is lowest {where}: more epochs may bring more."


def describe_shifted_statistics(passes: pd.DataFrame, *, n_changed: int, n_kernels_changed: int) -> str:
    """Say what passing images through batch normalisation in training mode has done to a classifier.

    Args:
        passes: columns ``loss`` and ``accuracy`` on the validation images, by number of passes.
        n_changed: number of weight arrays that the passes have changed.
        n_kernels_changed: number of kernels among them.
    """
    first, last = passes.iloc[0], passes.iloc[-1]
    facts = (
        f"No gradient was computed and no step taken; {n_kernels_changed} kernels have changed. But {n_changed} arrays "
        f"of running averages have. Over {passes.index[-1]} passes the validation loss went from {first['loss']:.2f} "
        f"to {last['loss']:.2f}, the accuracy from {first['accuracy']:.0%} to {last['accuracy']:.0%}."
    )
    is_harmed = round(last["loss"] - first["loss"], 2) > 0 or last["accuracy"] < first["accuracy"]
    if is_harmed:
        return f"{facts} The head was trained on features that these layers no longer compute."
    return f"{facts} Here the shift does no harm. Nobody chose it, and no loss would have warned of it."


def judge_safeguards(*, call: bool, layers: bool, version: str) -> str:
    """Say which safeguard keeps the running averages of a base that is being fine-tuned.

    Args:
        call: whether ``training=False`` in the call of the base does.
        layers: whether freezing its normalisation layers does.
        version: version of Keras.
    """
    first = (
        f"In Keras {version}, `training=False` in the call keeps the averages of a base that is trained."
        if call
        else f"In Keras {version}, `training=False` in the call does **not** keep the averages of a base that is "
        "trained: `fit` overrides it."
    )
    second = (
        "Freezing the normalisation layers themselves does, so that is what we do."
        if layers and not call
        else "Freezing the normalisation layers keeps them too."
        if layers
        else "Nor does freezing the normalisation layers: find out what has changed before you fine-tune."
    )
    return f"{first} {second}"


def judge_compiling(*, without: bool, again: bool, version: str) -> str:
    """Say whether a layer that is set free after a first ``fit`` is trained by the next one.

    Args:
        without: whether it is without compiling the model again.
        again: whether it is after compiling it again.
        version: version of Keras.
    """
    first = (
        f"In Keras {version}, a layer set free is trained at once."
        if without
        else f"In Keras {version}, a layer set free is **not** trained before the model is compiled again, and no "
        "message says so."
    )
    second = (
        "After compiling again it is."
        if again and not without
        else "Compiling again does not prevent it."
        if again
        else "Nor is it after compiling again: find out why before you fine-tune."
    )
    return f"{first} {second}"


def compare_with_chance(share: Estimate, chance: float) -> str:
    """Compare a share of images with its chance level.

    Args:
        share: share with its interval.
        chance: chance level, 0 to 1.
    """
    text = f"{format_estimate(share.value, share.low, share.high, share.interval, 2)} against {chance:.2f} by chance"
    if share.interval != INTERVAL:
        return f"{text}; too few groups to tell more"
    if share.low > chance:
        return f"{text}, so more often than by chance"
    if share.high < chance:
        return f"{text}, so less often than by chance"
    return f"{text}, which the interval includes"


def compare_with_pixels(differences: Mapping[str, Estimate]) -> str:
    """Say which groups of layers bring cells of one class nearer to each other than their pixels do.

    Args:
        differences: by representation, the share of cells whose nearest neighbour has the same class, less that by
            pixels, on the same cells.
    """
    listed = "; ".join(f"{name} {difference_words(estimate, digits=2)}" for name, estimate in differences.items())
    unlike = [name for name, estimate in differences.items() if shown_direction(estimate) > 0]
    alike = [name for name in differences if name not in unlike]
    meaning = ""
    if alike and unlike:
        meaning = (
            f" Not shown to be above pixels: {', '.join(alike)}. Early layers find edges and colours, which every "
            "class has; their mean over the image, like pixels, may tell more of stain and size than of class. A gain "
            f"over pixels is shown in {', '.join(unlike)}."
        )
    elif alike:
        meaning = " So no group of layers is shown to bring a class together better than pixels do."
    elif unlike:
        meaning = " So every group of layers is shown to bring a class together better than pixels do."
    return f"Against pixels, on the same cells: {listed}.{meaning}"


def describe_growth(curve: pd.DataFrame, value: str) -> str:
    """Say by how much a score changes from the smallest to the largest number of training images.

    Args:
        curve: columns ``images`` (per class) and ``value``; one learner.
        value: column with the score.
    """
    ordered = curve.sort_values("images")
    first, last = ordered.iloc[0], ordered.iloc[-1]
    if first["images"] == last["images"]:
        return f"{value} is {first[value]:.2f} with {first['images']:.0f} images per class, the only number tried"
    change = round(float(last[value]), 2) - round(float(first[value]), 2)
    verb = {1: "rises", -1: "falls", 0: "stays"}[int(np.sign(round(change, 2)))]
    span = f"at {first[value]:.2f}" if verb == "stays" else f"from {first[value]:.2f} to {last[value]:.2f}"
    return f"{value} {verb} {span} between {first['images']:.0f} and {last['images']:.0f} images per class"
