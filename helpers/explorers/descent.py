"""Explorer of gradient descent on the two weights of a logistic model."""

from __future__ import annotations

from typing import Any

from helpers.explorers.explorer import Explorer, render
from helpers.explorers.inputs import check_features, check_labels, check_pair
from helpers.plots.notice import short_label


def gradient_descent(
    features: Any, labels: Any, names: tuple[str, str], classes: tuple[str, str] = ("class 0", "class 1")
) -> Explorer:
    """Show the loss surface of a model with two weights, and the steps of gradient descent on it.

    The model predicts class 1 with probability sigmoid(w1 x1 + w2 x2), where x1 and x2 are the features, standardised
    here to mean 0 and standard deviation 1. It has no bias: then the surface has two dimensions and can be drawn. For
    standardised features of two classes of equal size little is lost, because the best bias is near 0. The loss is the
    mean cross-entropy over all cells, and every step uses all of them. The reader sets start and learning rate.

    Args:
        features: ``(n, 2)`` finite numbers, 4 to 500 cells; arrays and data frames.
        labels: ``(n,)``, 0 or 1 (or bool), both present.
        names: names of the two features.
        classes: names of class 0 and class 1.

    Raises:
        ValueError: features, labels or names have another shape or other values, or a feature is constant.

    Example:
        >>> from helpers import explorers
        >>> area, ratio, blast = [40, 52, 61, 70], [0.5, 0.8, 0.6, 0.9], [0, 0, 1, 1]
        >>> cells, names = list(zip(area, ratio)), ("area", "N:C ratio")
        >>> print(repr(explorers.gradient_descent(cells, blast, names))[:63])
        Explorer: gradient descent on the weights of area and N:C ratio
    """
    points = check_features(features)
    codes = check_labels(labels, len(points))
    first, second = (short_label(name, width=28, lines=1) for name in check_pair(names, "names"))
    standardised = (points - points.mean(axis=0)) / points.std(axis=0)
    return render(
        "gradient_descent",
        "Gradient descent on two weights",
        f"gradient descent on the weights of {first} and {second}, with the loss surface of {len(points)} cells.",
        {
            "features": standardised.round(6).tolist(),
            "labels": codes.tolist(),
            "names": [first, second],
            "classes": [short_label(name, width=28, lines=1) for name in check_pair(classes, "classes")],
        },
    )
