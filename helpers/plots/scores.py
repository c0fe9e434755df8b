"""Figures of metrics: forest plots, ROC, precision-recall and calibration curves, patient scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.markup import join_words
from helpers.metrics import PREFIX
from helpers.plots.intervals import describe_interval_kinds, draw_kinds, draw_whiskers, interval_kinds
from helpers.plots.notice import NoFigure, short_label
from helpers.plots.style import (
    COLOURS,
    FONT_SIZE,
    MARKERS,
    AccessibleFigure,
    SeriesStyle,
    draw_legend,
    draw_legend_above,
    make_axes,
    series_styles,
)

FOREST_WIDTH = 5.0  # inches; the text of a wider figure is too small on a telephone
MIN_BIN_IMAGES = 5  # minimum number of images for a bin of a reliability diagram to be drawn


def forest_plot(table: pd.DataFrame, value: str, by: str, series: str, caption: str) -> AccessibleFigure | NoFigure:
    """Draw a forest plot of means with their intervals, from :func:`helpers.metrics.summarise`.

    Args:
        table: columns ``value``, ``by``, ``series``, ``low`` and ``high`` (NaN without an interval). An optional column
            ``interval`` holds the kind of each interval, ``95 %`` or ``range of groups``, which figure and alt text
            then state; without it all are 95 % intervals.
        value: column with the mean; rows without a mean are left out and listed in the alt text.
        by: column for the rows of the plot.
        series: column for the colours.
        caption: caption of the figure.

    Raises:
        ValueError: a mean lies outside its interval, or the kind of interval is unknown.

    Example:
        >>> import pandas as pd
        >>> from helpers import plots
        >>> table = pd.DataFrame({
        ...     "method": ["Otsu", "U-Net"], "dataset": "synthetic",
        ...     "dice": [0.8, 0.9], "low": [0.7, 0.85], "high": [0.9, 0.95],
        ... })
        >>> plots.forest_plot(table, "dice", "method", "dataset", "Dice.")
        Figure: dice by method for synthetic: Otsu,
        synthetic 0.80 [0.70, 0.90]; U-Net, synthetic 0.90 [0.85, 0.95].
    """
    measured, absent = table[table[value].notna()], table[table[value].isna()]
    if measured.empty:
        return NoFigure(f"no {value} was measured")
    words = [
        f"{row[by]}, {row[series]} {row[value]:.2f}{ends}"
        for (_, row), ends in zip(measured.iterrows(), _ends_in_words(measured), strict=True)
    ]
    if len(measured) == 1:
        return NoFigure(f"there is one {value} only, {words[0]}, and nothing to compare it with")
    names, groups = list(dict.fromkeys(measured[by])), list(dict.fromkeys(measured[series]))
    step = min(0.2, 0.8 / len(groups))  # keeps all series of a row nearer to that row than to the next
    figure, ax = make_axes(FOREST_WIDTH, 0.9 + 0.42 * len(names) * 0.2 / step)
    for k, (group, style) in enumerate(zip(groups, series_styles(len(groups)), strict=True)):
        rows = measured[measured[series] == group]
        positions = np.array([names.index(name) for name in rows[by]]) + (k - (len(groups) - 1) / 2) * step
        draw_whiskers(ax, positions, rows, value, axis="x", style=style, label=short_label(group))
    draw_kinds(ax, [measured], axis="x")
    kinds = describe_interval_kinds([measured])
    ax.set_yticks(range(len(names)), [short_label(name, 40, 4) for name in names], fontsize=FONT_SIZE)
    ax.invert_yaxis()
    ax.set_xlabel(f"{value}, mean and {kinds}" if kinds else f"{value}, mean", fontsize=FONT_SIZE)
    ax.grid(axis="x", alpha=0.3)
    draw_legend_above(ax, _legend_columns(ax))
    named_kinds = f", with {kinds}" if "interval" in measured and kinds else ""
    missing = [f"; not measured: {row[by]}, {row[series]}" for _, row in absent.iterrows()]
    alt = f"{value} by {by} for {join_words(groups)}{named_kinds}: {'; '.join(words)}{''.join(missing)}."
    return AccessibleFigure(figure, alt, caption)


def _legend_columns(ax: Axes) -> int:
    """Return how many entries of a legend fit beside each other above a forest plot, one to three."""
    labels = ax.get_legend_handles_labels()[1]
    longest = max(len(line) for label in labels for line in label.split("\n"))
    return max(1, min(3, 48 // longest))


def _ends_in_words(table: pd.DataFrame) -> list[str]:
    """Return the interval of each row as text, with its kind where kinds differ."""
    kinds = interval_kinds(table)
    several = kinds[kinds != ""].nunique() > 1
    words = []
    for low, high, kind in zip(table["low"], table["high"], kinds, strict=True):
        ends = f" [{low:.2f}, {high:.2f}]" if kind else ", no interval"
        words.append(f"{ends} ({kind})" if kind and several else ends)
    return words


def roc_plot(curves_by_name: dict[str, pd.DataFrame], caption: str) -> AccessibleFigure | NoFigure:
    """Draw ROC curves with their bands, from :func:`helpers.metrics.roc_curve`; the diagonal is the chance level.

    Args:
        curves_by_name: columns ``false_positive_rate``, ``sensitivity``, ``low`` and ``high`` by name of the model. An
            optional column ``interval`` holds the kind of the band, which the legend then states. A curve without
            sensitivities, because the test set had one class, is left out and listed in the alt text.
        caption: caption of the figure.
    """
    drawn = {name: curve for name, curve in curves_by_name.items() if curve["sensitivity"].notna().any()}
    if not drawn:
        return _no_curve("ROC", curves_by_name)
    figure, ax = make_axes(4.6, 4.2)
    _draw_curves(ax, drawn, "false_positive_rate", "sensitivity")
    ax.plot([0, 1], [0, 1], color=COLOURS[-1], linewidth=0.8, linestyle=":", label="chance")
    ax.set_xlabel("false positive rate, 1 − specificity", fontsize=FONT_SIZE)
    ax.set_ylabel("sensitivity", fontsize=FONT_SIZE)
    draw_legend(ax)
    reached = [
        f"{with_kind(name, curve)} {np.interp(0.2, curve['false_positive_rate'], curve['sensitivity']):.2f}"
        for name, curve in drawn.items()
    ]
    absent = _absent(curves_by_name, drawn)
    alt = f"ROC curves{_bands(drawn)}; sensitivity at a false positive rate of 0.2: {'; '.join(reached)}{absent}."
    return AccessibleFigure(figure, alt, caption)


def precision_recall_plot(
    curves_by_name: dict[str, pd.DataFrame], prevalence: float | None, caption: str
) -> AccessibleFigure | NoFigure:
    """Draw precision-recall curves with their bands; the dotted line is the prevalence, the precision of chance.

    Args:
        curves_by_name: from :func:`helpers.metrics.precision_recall_curve` or
            :func:`helpers.metrics.detection_precision_recall_curve`, by name of the model; otherwise as in
            :func:`roc_plot`.
        prevalence: share of positive images in the test set, 0 to 1; None for detectors, which have no precision of
            chance.
        caption: caption of the figure.
    """
    drawn = {name: curve for name, curve in curves_by_name.items() if curve["precision"].notna().any()}
    if not drawn:
        return _no_curve("precision-recall", curves_by_name)
    figure, ax = make_axes(4.6, 4.2)
    _draw_curves(ax, drawn, "sensitivity", "precision")
    if prevalence is not None:
        ax.axhline(prevalence, color=COLOURS[-1], linewidth=0.8, linestyle=":", label="chance: prevalence")
    ax.set_ylim(0, 1.03)
    ax.set_xlabel("sensitivity (recall)", fontsize=FONT_SIZE)
    ax.set_ylabel("precision", fontsize=FONT_SIZE)
    draw_legend(ax)
    reached = [
        f"{with_kind(name, curve)} {np.interp(0.9, curve['sensitivity'], curve['precision']):.2f}"
        for name, curve in drawn.items()
    ]
    chance = "" if prevalence is None else f" A dotted line at the prevalence, {prevalence:.2f}."
    alt = (
        f"Precision-recall curves{_bands(drawn)}; precision at a sensitivity of 0.9: {'; '.join(reached)}"
        f"{_absent(curves_by_name, drawn)}.{chance}"
    )
    return AccessibleFigure(figure, alt, caption)


def _draw_curves(ax: Axes, curves: dict[str, pd.DataFrame], across: str, upwards: str) -> None:
    """Draw a line with its band for every model."""
    for (name, curve), style in zip(curves.items(), series_styles(len(curves)), strict=True):
        ax.fill_between(curve[across], curve["low"], curve["high"], color=style.colour, alpha=0.15, linewidth=0)
        label = short_label(with_kind(name, curve))
        ax.plot(curve[across], curve[upwards], color=style.colour, linestyle=style.dash, label=label)


def _no_curve(kind: str, curves: dict[str, pd.DataFrame]) -> NoFigure:
    of = f" of {join_words(list(curves))}" if curves else ""
    return NoFigure(f"there is no {kind} curve{of}, as that needs images that are positive and images that are not")


def _bands(curves: dict[str, pd.DataFrame]) -> str:
    return " with bands" if describe_interval_kinds(curves.values()) else ""


def _absent(curves: dict[str, pd.DataFrame], drawn: dict[str, pd.DataFrame]) -> str:
    """Return the end of an alt text, which lists the models without a curve."""
    names = [name for name in curves if name not in drawn]
    return f"; no curve of {join_words(names)}" if names else ""


def with_kind(name: object, table: pd.DataFrame) -> str:
    """Return the name of a series, with the kind of its band where the table has a column ``interval``."""
    kinds = describe_interval_kinds([table]) if "interval" in table else ""
    return f"{name} ({kinds})" if kinds else str(name)


def calibration_plot(tables: dict[str, pd.DataFrame], caption: str) -> AccessibleFigure | NoFigure:
    """Draw reliability diagrams, observed frequency against predicted probability; the diagonal is perfect calibration.

    The lower panel shows the number of images in each bin. A bin of fewer than five images is hollow there and left out
    of the upper panel, as its frequency is arbitrary. Error bars and kinds of interval are as in :func:`forest_plot`;
    an interval from 0 to 1, such as the range of groups of one image each, is uninformative and not drawn.

    Args:
        tables: by model, from :func:`helpers.metrics.calibration_curve`, one row per bin: columns ``probability``,
            ``frequency``, ``low``, ``high`` and ``n``.
        caption: caption of the figure.

    Raises:
        ValueError: a frequency lies outside its interval, or the kind of interval is unknown.
    """
    large = {name: _without_full_range(table[table["n"] >= MIN_BIN_IMAGES]) for name, table in tables.items()}
    n_small = sum((table["n"] < MIN_BIN_IMAGES).sum() for table in tables.values())
    if not any(len(table) for table in large.values()):
        bins = (
            f"each of {n_small} bins has fewer than {MIN_BIN_IMAGES} images" if n_small else "there are no predictions"
        )
        return NoFigure(f"{bins}, so no frequency can be compared with a probability")
    figure, (ax, below) = make_axes(4.6, 5.2, rows=2, sharex=True, height_ratios=(4, 1))
    for (name, table), style in zip(large.items(), series_styles(len(tables)), strict=True):
        label = short_label(name)
        draw_whiskers(ax, table["probability"].to_numpy(), table, "frequency", axis="y", style=style, label=label)
        _draw_bin_counts(below, tables[name], style)
    draw_kinds(ax, large.values(), axis="y")
    ax.plot([0, 1], [0, 1], color=COLOURS[-1], linewidth=0.8, linestyle=":")
    below.set_xlabel("mean predicted probability of the bin", fontsize=FONT_SIZE)
    ax.set_ylabel("observed frequency", fontsize=FONT_SIZE)
    below.set_ylabel("images", fontsize=FONT_SIZE)
    draw_legend(ax)
    words = "; ".join(
        f"{with_kind(name, table)}: "
        + ", ".join(
            f"{row.probability:.2f} predicted, {row.frequency:.2f} observed (n={row.n:.0f})"
            for row in table.itertuples()
        )
        for name, table in large.items()
        if len(table)
    )
    small = f" Left out: {n_small} bins of fewer than {MIN_BIN_IMAGES} images." if n_small else ""
    return AccessibleFigure(
        figure, f"Observed frequency against predicted probability in up to ten bins. {words}.{small}", caption
    )


def _without_full_range(table: pd.DataFrame) -> pd.DataFrame:
    """Remove the ends of intervals that cover all frequencies from 0 to 1."""
    full = (table["low"] <= 0) & (table["high"] >= 1)
    return table.assign(low=table["low"].mask(full), high=table["high"].mask(full))


def _draw_bin_counts(ax: Axes, table: pd.DataFrame, style: SeriesStyle) -> None:
    """Draw a stem plot of images per bin, with hollow markers for bins of too few images."""
    ax.vlines(table["probability"], 0, table["n"], color=style.colour, lw=0.8)
    for rows, inside in (
        (table[table["n"] >= MIN_BIN_IMAGES], style.colour),
        (table[table["n"] < MIN_BIN_IMAGES], "white"),
    ):
        ax.plot(rows["probability"], rows["n"], style.marker, color=style.colour, mfc=inside, ms=4)


def patient_scores(
    table: pd.DataFrame, positive: str, threshold: pd.Series, caption: str, most: int = 60
) -> AccessibleFigure | NoFigure:
    """Draw predicted probabilities of cells, one row per patient, with the mean of each patient.

    Args:
        table: predictions, one row per cell; cells without a probability are left out.
        positive: class whose probability is shown.
        threshold: threshold of each patient, indexed by patient; drawn as a vertical bar.
        caption: caption of the figure.
        most: maximum number of patients shown, those with the most cells.
    """
    mixed = int((table.groupby("group")["label"].nunique() > 1).sum())
    if mixed:
        return NoFigure(f"{mixed} patients have cells of several classes, and so no label of their own")
    table = table.dropna(subset=[PREFIX + positive])
    shown = table["group"].value_counts().index[:most]
    if len(shown) < 2:
        return NoFigure(f"there are predictions for {len(shown)} patients, and nothing to compare")
    mean = table[table["group"].isin(shown)].groupby("group")[PREFIX + positive].mean().sort_values()
    label = table.groupby("group")["label"].first()
    figure, ax = make_axes(6, 0.8 + 0.14 * len(mean))
    for row, name in enumerate(mean.index):
        is_positive = label[name] == positive
        scores = table.loc[table["group"] == name, PREFIX + positive]
        ax.plot(scores, np.full(len(scores), row), ".", color=COLOURS[int(is_positive)], ms=3, alpha=0.35)
        ax.plot(mean[name], row, MARKERS[int(is_positive)], color=COLOURS[int(is_positive)], ms=5)
        ax.plot(threshold[name], row, "|", color=COLOURS[6], ms=5)
    ax.set_yticks([])
    ax.set_ylabel("patients", fontsize=FONT_SIZE)
    ax.set_xlabel(f"probability of {short_label(positive)}", fontsize=FONT_SIZE)
    for is_positive, name in ((False, "other"), (True, positive)):
        if ((label[mean.index] == positive) == is_positive).any():
            entry = short_label(f"{name}: mean of a patient", 30)
            ax.plot([], [], MARKERS[int(is_positive)], color=COLOURS[int(is_positive)], ms=5, label=entry)
    draw_legend(ax)
    above = mean >= threshold[mean.index]
    wrong = int((above != (label[mean.index] == positive)).sum())
    alt = (
        f"Probabilities of the cells of {len(mean)} patients, patients by their mean; {wrong} means are on the wrong "
        "side of their threshold."
    )
    return AccessibleFigure(figure, alt, caption)
