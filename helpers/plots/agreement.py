"""Figure of the agreement of two measurements."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.metrics import limits_of_agreement
from helpers.plots.notice import NoFigure
from helpers.plots.style import COLOURS, FONT_SIZE, AccessibleFigure, make_axes


def bland_altman_plot(
    predicted: pd.Series, true: pd.Series, name: str, caption: str, *, groups: pd.Series
) -> AccessibleFigure | NoFigure:
    """Draw a Bland-Altman plot of predicted and true values: differences against means, bias and limits of agreement.

    A dash-dotted line is the regression of the difference on the mean, which is level without proportional bias. Limits
    and slope are those of :func:`helpers.metrics.limits_of_agreement`.

    Args:
        predicted: predicted values, one per image.
        true: true values, in the same order; pairs with a missing value are left out.
        name: name of the measured quantity.
        caption: caption of the figure.
        groups: group of every image, in the same order.
    """
    mean, difference = ((predicted + true) / 2).dropna(), (predicted - true).dropna()
    if len(difference) < 2:
        return NoFigure(
            f"limits of agreement need {name} of two images, both predicted and true; there are {len(mean)}"
        )
    if np.ptp(difference) == 0:
        return NoFigure(f"predicted and true {name} differ by {difference.iloc[0]:.3f} in all {len(mean)} images")
    agreement = limits_of_agreement(predicted, true, groups, seed=0)
    bias, slope = agreement.bias.value, agreement.slope.value
    figure, ax = make_axes(5.5, 3)
    ax.scatter(mean, difference, s=9, color=COLOURS[0], alpha=0.6, linewidth=0)
    for limit, style in ((agreement.bias, "-"), (agreement.lower, "--"), (agreement.upper, "--")):
        ax.axhline(limit.value, color=COLOURS[-1], linewidth=0.9, linestyle=style)
    ends = np.array([mean.min(), mean.max()])
    ax.plot(ends, bias + slope * (ends - mean.mean()), color=COLOURS[1], linewidth=1.2, linestyle="-.")
    ax.set_xlabel(f"mean {name}", fontsize=FONT_SIZE)
    ax.set_ylabel("predicted − true", fontsize=FONT_SIZE)
    alt = (
        f"{len(mean)} differences of predicted and true {name} against their mean: mean difference {bias:.3f}, limits "
        f"of agreement {agreement.lower.value:.3f} to {agreement.upper.value:.3f}, slope {slope:.3f}."
    )
    return AccessibleFigure(figure, alt, caption)
