"""Numbers with their intervals, and how a training went."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.metrics import PREFIX
from helpers.plots.look import (
    BESIDE,
    COLOURS,
    MARKERS,
    STYLE,
    Picture,
    axes_of,
    draw_legend,
    listed,
    series_styles,
)
from helpers.plots.whiskers import draw_kinds, draw_whiskers, interval_kinds, kinds_in_words


def intervals(table: pd.DataFrame, value: str, by: str, series: str, caption: str) -> Picture:
    """Draw means as points with their intervals as whiskers, from :func:`helpers.metrics.table_of_means`.

    Args:
        table: columns ``value``, ``by``, ``series``, ``low`` and ``high`` (NaN where there is no interval). A column
            ``interval`` names the kind of each interval, ``95 %`` or ``range of groups``, and figure and alt text do
            so as well; without it all are 95 % intervals.
        value: the column of the mean.
        by, series: the columns of row and of colour.
        caption: what to see.

    Raises:
        ValueError: a mean outside its interval, or another kind of interval.
    """
    if table.empty:
        figure, ax = axes_of(6.5, 1.2)
        ax.set_axis_off()
        ax.text(0.5, 0.5, f"no {value} was measured", ha="center", **STYLE)
        return Picture(figure, f"An empty panel: no {value} was measured, there is no truth to compare with.", caption)
    names, groups = list(dict.fromkeys(table[by])), list(dict.fromkeys(table[series]))
    step = min(0.2, 0.8 / len(groups))  # all series of a row stay nearer to it than to the next
    figure, ax = axes_of(6.5, 0.9 + 0.42 * len(names) * 0.2 / step)
    for k, (group, style) in enumerate(zip(groups, series_styles(len(groups)), strict=True)):
        part = table[table[series] == group]
        place = np.array([names.index(name) for name in part[by]]) + (k - (len(groups) - 1) / 2) * step
        draw_whiskers(ax, place, part, value, axis="x", style=style, label=group)
    draw_kinds(ax, [table], axis="x")
    kinds = kinds_in_words([table])
    ax.set_yticks(range(len(names)), names, **STYLE)
    ax.invert_yaxis()
    ax.set_xlabel(f"{value}, mean and {kinds}" if kinds else f"{value}, mean", **STYLE)
    ax.grid(axis="x", alpha=0.3)
    draw_legend(ax, **BESIDE)
    told = f", with {kinds}" if "interval" in table and kinds else ""
    alt = f"{value} by {by} for {listed(groups)}{told}: " + "; ".join(
        f"{row[by]}, {row[series]} {row[value]:.2f}{ends}"
        for (_, row), ends in zip(table.iterrows(), _ends_in_words(table), strict=True)
    )
    return Picture(figure, alt + ".", caption)


def _ends_in_words(table: pd.DataFrame) -> list[str]:
    """Of every row the ends of its interval, and its kind where there are several."""
    kinds = interval_kinds(table)
    several = kinds[kinds != ""].nunique() > 1
    words = []
    for low, high, kind in zip(table["low"], table["high"], kinds, strict=True):
        ends = f" [{low:.2f}, {high:.2f}]" if kind else ", no interval"
        words.append(f"{ends} ({kind})" if kind and several else ends)
    return words


def curves(history: pd.DataFrame, caption: str) -> Picture:
    """Training and validation loss by epoch, with a mark at the epoch of least validation loss."""
    figure, ax = axes_of(5.5, 3)
    for k, (column, name) in enumerate((("loss", "training"), ("val_loss", "validation"))):
        ax.plot(history["epoch"] + 1, history[column], color=COLOURS[k], marker=MARKERS[k], markersize=3, label=name)
    best = history.loc[history["val_loss"].idxmin()]
    ax.axvline(best["epoch"] + 1, color=COLOURS[-1], linewidth=0.8, linestyle=":")
    ax.set_xlabel("epoch", **STYLE)
    ax.set_ylabel("loss", **STYLE)
    draw_legend(ax)
    first, last = history["loss"].iloc[0], history["loss"].iloc[-1]
    alt = (
        f"Loss over {len(history)} epochs; training {'falls' if last < first else 'goes'} from {first:.2f} to "
        f"{last:.2f}; validation is least, {best['val_loss']:.2f}, after epoch "
        f"{best['epoch'] + 1:.0f}."
    )
    return Picture(figure, alt, caption)


def bland_altman(measured: pd.Series, true: pd.Series, name: str, caption: str) -> Picture:
    """Difference of two measurements against their mean, with the mean difference and the limits of agreement.

    The limits are the mean difference ± 1.96 standard deviations (Bland and Altman 1986).
    """
    mean, difference = (measured + true) / 2, measured - true
    bias, spread = difference.mean(), 1.96 * difference.std()
    figure, ax = axes_of(5.5, 3)
    ax.scatter(mean, difference, s=9, color=COLOURS[0], alpha=0.6, linewidth=0)
    for level, style in ((bias, "-"), (bias - spread, "--"), (bias + spread, "--")):
        ax.axhline(level, color=COLOURS[-1], linewidth=0.9, linestyle=style)
    ax.set_xlabel(f"mean {name}", **STYLE)
    ax.set_ylabel("predicted − true", **STYLE)
    alt = (
        f"{len(mean)} differences of predicted and true {name} against their mean: mean difference {bias:.3f}, limits "
        f"of agreement {bias - spread:.3f} to {bias + spread:.3f}."
    )
    return Picture(figure, alt, caption)


def roc(curves_by_name: dict[str, pd.DataFrame], caption: str) -> Picture:
    """Draw ROC curves with their bands, from :func:`helpers.metrics.roc_curve`; the diagonal is chance.

    A column ``interval``, where a curve has one, names the kind of its band, and the legend does so as well.
    """
    figure, ax = axes_of(4.6, 4.2)
    reached = []
    for (name, curve), style in zip(curves_by_name.items(), series_styles(len(curves_by_name)), strict=True):
        told = _with_kind(name, curve)
        ax.fill_between(curve["fall_out"], curve["low"], curve["high"], color=style.colour, alpha=0.15, linewidth=0)
        ax.plot(curve["fall_out"], curve["sensitivity"], color=style.colour, linestyle=style.dash, label=told)
        reached.append(f"{told} {np.interp(0.2, curve['fall_out'], curve['sensitivity']):.2f}")
    ax.plot([0, 1], [0, 1], color=COLOURS[-1], linewidth=0.8, linestyle=":", label="chance")
    ax.set_xlabel("fall-out, 1 − specificity", **STYLE)
    ax.set_ylabel("sensitivity", **STYLE)
    draw_legend(ax, loc="lower right")
    bands = " with bands" if kinds_in_words(curves_by_name.values()) else ""
    return Picture(figure, f"ROC curves{bands}; sensitivity at a fall-out of 0.2: {'; '.join(reached)}.", caption)


def _with_kind(name: str, table: pd.DataFrame) -> str:
    """The name of a series and the kind of its band, where the table names one."""
    kinds = kinds_in_words([table]) if "interval" in table else ""
    return f"{name} ({kinds})" if kinds else str(name)


def reliability(tables: dict[str, pd.DataFrame], caption: str) -> Picture:
    """Draw frequency against probability, from :func:`helpers.metrics.reliability`; on the diagonal both agree.

    Whiskers and their kinds are as in :func:`intervals`.

    Raises:
        ValueError: a frequency outside its interval, or an unknown kind of interval.
    """
    figure, ax = axes_of(4.6, 4.2)
    for (name, table), style in zip(tables.items(), series_styles(len(tables)), strict=True):
        draw_whiskers(ax, table["probability"].to_numpy(), table, "frequency", axis="y", style=style, label=name)
    draw_kinds(ax, tables.values(), axis="y")
    ax.plot([0, 1], [0, 1], color=COLOURS[-1], linewidth=0.8, linestyle=":")
    ax.set_xlabel("probability, mean of the bin", **STYLE)
    ax.set_ylabel("came true", **STYLE)
    draw_legend(ax, loc="upper left")
    said = "; ".join(
        f"{_with_kind(name, table)}: "
        + ", ".join(f"{p:.2f} came true in {f:.2f}" for p, f in table[["probability", "frequency"]].to_numpy())
        for name, table in tables.items()
    )
    return Picture(figure, f"Frequency against probability in up to ten bins. {said}.", caption)


def by_patient(table: pd.DataFrame, positive: str, threshold: pd.Series, caption: str, most: int = 60) -> Picture:
    """One row of dots per patient, a dot per cell, with the patient's mean; from a table of predictions.

    Args:
        table: of predictions.
        positive: the class whose probability is shown.
        threshold: of every patient, drawn as a stroke.
        caption: what to see.
        most: patients shown, those with the most cells.
    """
    shown = table["group"].value_counts().index[:most]
    mean = table[table["group"].isin(shown)].groupby("group")[PREFIX + positive].mean().sort_values()
    label = table.groupby("group")["label"].first()
    figure, ax = axes_of(6, 0.8 + 0.14 * len(mean))
    for row, name in enumerate(mean.index):
        ill = label[name] == positive
        scores = table.loc[table["group"] == name, PREFIX + positive]
        ax.plot(scores, np.full(len(scores), row), ".", color=COLOURS[int(ill)], ms=3, alpha=0.35)
        ax.plot(mean[name], row, MARKERS[int(ill)], color=COLOURS[int(ill)], ms=5)
        ax.plot(threshold[name], row, "|", color=COLOURS[6], ms=5)
    ax.set_yticks([])
    ax.set_ylabel("patients", **STYLE)
    ax.set_xlabel(f"probability of {positive}", **STYLE)
    for ill, name in ((False, "other"), (True, positive)):
        ax.plot([], [], MARKERS[int(ill)], color=COLOURS[int(ill)], ms=5, label=f"{name}: mean of a patient")
    draw_legend(ax, loc="upper left")
    above = mean >= threshold[mean.index]
    wrong = int((above != (label[mean.index] == positive)).sum())
    alt = (
        f"Probabilities of the cells of {len(mean)} patients, patients by their mean; {wrong} means are on the wrong "
        "side of their threshold."
    )
    return Picture(figure, alt, caption)


def learning_curve(table: pd.DataFrame, value: str, caption: str, images: str = "training images") -> Picture:
    """A score against the number of training images, one line with a band per ``learner``.

    Args:
        table: columns ``learner``, ``images``, ``value``, ``low`` and ``high``; a column ``interval`` names the kind of
            the band, and the legend does so as well.
        value: the column of the score.
        caption: what to see.
        images: what ``images`` counts.
    """
    figure, ax = axes_of(5.5, 3)
    learners = list(table.groupby("learner", sort=False))
    said = []
    for (name, part), style in zip(learners, series_styles(len(learners)), strict=True):
        told = _with_kind(name, part)
        look = {"color": style.colour, "marker": style.marker, "linestyle": style.dash, "ms": 4}
        ax.fill_between(part["images"], part["low"], part["high"], color=style.colour, alpha=0.15, linewidth=0)
        ax.plot(part["images"], part[value], label=told, **look)
        said.append(f"{told}, " + ", ".join(f"{int(n)} images {v:.2f}" for n, v in part[["images", value]].to_numpy()))
    ax.set_xlabel(images, **STYLE)
    ax.set_ylabel(value, **STYLE)
    draw_legend(ax)
    return Picture(figure, f"{value} by number of {images}: {'; '.join(said)}.", caption)


def confusion(counts: pd.DataFrame, caption: str) -> Picture:
    """Counts of images by true (rows) and predicted class (columns), from :func:`helpers.metrics.confusion`.

    The shade is the share of the row, so that a rare class is as dark on the diagonal as a common one.
    """
    share = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    figure, ax = axes_of(1.8 + 0.55 * len(counts), 1.3 + 0.45 * len(counts))
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), number in np.ndenumerate(counts.to_numpy()):
        part = share.iat[row, column]
        text = f"{number}\n{part:.0%}" if number else "0"
        ax.text(column, row, text, ha="center", va="center", color="white" if part > 0.6 else "black", fontsize=7)
    ax.set_xticks(range(len(counts)), counts.columns, rotation=40, ha="right", **STYLE)
    ax.set_yticks(range(len(counts)), counts.index, **STYLE)
    ax.set_xlabel("predicted", **STYLE)
    ax.set_ylabel("true", **STYLE)
    right = ", ".join(f"{name} {share.at[name, name]:.2f} of {counts.loc[name].sum()}" for name in counts.index)
    return Picture(figure, f"Confusion matrix; called right: {right}.", caption)


def paired(table: pd.DataFrame, value: str, by: str, run: str, caption: str) -> Picture:
    """A score of every run, one column per way and one line per run: lines that cross say that chance decides.

    Args:
        table: columns ``value``, ``by`` (the way) and ``run`` (such as the seed that ways share).
        value: the column of the score.
        by, run: the columns of way and run.
        caption: what to see.
    """
    wide = table.pivot(index=by, columns=run, values=value).loc[lambda t: list(dict.fromkeys(table[by]))]
    figure, ax = axes_of(1.2 + 1.0 * len(wide), 3)
    for name, style in zip(wide.columns, series_styles(wide.shape[1]), strict=True):
        look = {"color": style.colour, "marker": style.marker, "linestyle": style.dash, "ms": 4, "lw": 0.8}
        ax.plot(range(len(wide)), wide[name], label=name, **look)
    ax.hlines(wide.mean(axis=1), np.arange(len(wide)) - 0.25, np.arange(len(wide)) + 0.25, color=COLOURS[6], lw=2)
    ax.set_xticks(range(len(wide)), wide.index, rotation=25, ha="right", **STYLE)
    ax.set_ylabel(value, **STYLE)
    draw_legend(ax, **BESIDE, title=run, title_fontsize=8)
    means = "; ".join(f"{name} {row.mean():.2f} ({row.min():.2f} to {row.max():.2f})" for name, row in wide.iterrows())
    return Picture(figure, f"{value} of {wide.shape[1]} runs by {by}, mean and range: {means}.", caption)


def lines(table: pd.DataFrame, value: str, by: str, series: str, caption: str) -> Picture:
    """A number along steps, one line per series.

    Args:
        table: columns ``value``, ``by`` (the steps, in the order they are to be shown in) and ``series``.
        value: the column of the number.
        by, series: the other columns.
        caption: what to see.
    """
    steps = list(dict.fromkeys(table[by]))
    figure, ax = axes_of(1.6 + 0.42 * len(steps), 3.2)
    groups = list(table.groupby(series, sort=False))
    said = []
    for (name, part), style in zip(groups, series_styles(len(groups)), strict=True):
        values = part.set_index(by)[value].reindex(steps)
        look = {"color": style.colour, "marker": style.marker, "linestyle": style.dash, "ms": 4, "lw": 1}
        ax.plot(range(len(steps)), values, label=name, **look)
        said.append(f"{name} from {values.iloc[0]:.2f} to {values.iloc[-1]:.2f}")
    ax.set_xticks(range(len(steps)), steps, rotation=40, ha="right", **STYLE)
    ax.set_xlabel(by, **STYLE)
    ax.set_ylabel(value, **STYLE)
    ax.grid(axis="y", alpha=0.3)
    draw_legend(ax, **BESIDE)
    return Picture(figure, f"{value} over {len(steps)} steps of {by}: {'; '.join(said)}.", caption)
