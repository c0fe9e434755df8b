"""Pictures for questions of quizzes; a quiz file names the function.

The alt text says what the picture shows, so that the question can be answered without seeing it, but not the answer.
A picture is made of numbers or synthetic cells that never change, and is legible on a telephone: at most 4 inches wide.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import ndimage

from helpers import datasets
from helpers.diagrams import atlas
from helpers.plots import COLOURS, AccessibleFigure, confusion_plot
from helpers.plots.style import FONT_SIZE, make_axes

_WIDTH = 4.0  # inches
_BETWEEN_CLOUDS = 140  # mean blue that no cell of blue_clouds comes near


def overfitting_curves() -> AccessibleFigure:
    """Draw training and validation loss of three networks; B overfits, A fits, C underfits."""
    epochs = np.arange(1, 31)
    falling = np.exp(-epochs / 6)
    networks = {
        "A": (0.15 + 0.75 * falling, 0.22 + 0.72 * falling),
        "B": (0.02 + 0.9 * falling, 0.35 + 0.6 * falling + 0.014 * np.maximum(epochs - 8, 0)),
        "C": (0.68 + 0.1 * falling, 0.70 + 0.1 * falling),
    }
    figure, axes = make_axes(_WIDTH, 4.8, 1, 3, sharex=True, sharey=True)
    for ax, (letter, losses) in zip(axes, networks.items(), strict=True):
        for loss, name, colour, dash in zip(losses, ("training", "validation"), COLOURS, ("-", "--"), strict=False):
            ax.plot(epochs, loss, dash, color=colour, label=name)
        _name_panel(ax, letter)
        ax.set_ylabel("loss", fontsize=FONT_SIZE)
        ax.set_ylim(0, 1)
    axes[-1].set_xlabel("epoch", fontsize=FONT_SIZE)
    axes[0].legend(fontsize=8, frameon=False)
    ends = {
        letter: f"{training[-1]:.2f} and {validation[-1]:.2f}" for letter, (training, validation) in networks.items()
    }
    turn = epochs[networks["B"][1].argmin()]
    alt = (
        f"Training and validation loss of three networks over 30 epochs. A: both fall and end at {ends['A']}. B: "
        f"training loss falls throughout, validation loss falls until epoch {turn} and then rises; they end at "
        f"{ends['B']}. C: both hardly fall and end at {ends['C']}."
    )
    return AccessibleFigure(figure, alt, "Loss by epoch of three networks, A, B and C.")


def dice_outlines() -> AccessibleFigure:
    """Draw two outlines over the mask of one synthetic cell: A is shifted by a few pixels, B covers half of it."""
    data = datasets.load("synthetic", n_images=1, n_patients=1, size=128)
    image, cell = data.load_images(128)[0], data.load_masks(128)[0] > 0
    outlines = {"A": ndimage.shift(cell.astype(np.uint8), (4, 4), order=0) > 0, "B": _upper_half(cell)}
    figure, axes = make_axes(_WIDTH, 2.6, 2)
    for ax, (letter, outline) in zip(axes, outlines.items(), strict=True):
        ax.imshow(image)
        ax.contour(cell, [0.5], colors=["black"], linewidths=1.5)
        ax.contour(outline, [0.5], colors=[COLOURS[1]], linewidths=2, linestyles="--")
        ax.set_axis_off()
        _name_panel(ax, letter)
    figure.supxlabel("black: annotated; orange, dashed: predicted", fontsize=FONT_SIZE)
    alt = (
        "One synthetic cell twice, with the annotated outline and a predicted one. A: the predicted outline has the "
        "size of the annotated one and lies 4 of 128 pixels lower and further right. B: the predicted outline follows "
        "the annotated one around the upper half of the cell and leaves out the lower half."
    )
    return AccessibleFigure(figure, alt, "Two predicted outlines, A and B, of one synthetic cell.")


def three_granulocytes() -> AccessibleFigure:
    """Draw three cells: A is a basophil, B an eosinophil, C a neutrophil."""
    figure, axes = make_axes(_WIDTH, 1.7, 3)
    for ax, letter, name in zip(axes, "ABC", ("basophil", "eosinophil", "neutrophil"), strict=True):
        ax.imshow(atlas.example(name)[0])
        ax.set_axis_off()
        _name_panel(ax, letter)
    alt = (
        "Three synthetic cells. A: many dark violet granules, some of them over the nucleus, in pale cytoplasm. B: "
        "many large orange-red granules and a nucleus of two lobes. C: fine pale granules and a nucleus of three lobes "
        "joined by thin threads."
    )
    return AccessibleFigure(figure, alt, "Three synthetic cells, A, B and C.")


def numbered_lymphoblast() -> AccessibleFigure:
    """Draw a lymphoblast with numbers: 1 is cytoplasm, 2 chromatin, 3 a nucleolus."""
    image, mask = atlas.example("lymphoblast")
    places = atlas.find_places(image, mask)
    numbers = {"cytoplasm": (205, 205), "chromatin": (15, 205), "nucleoli": (205, 15)}  # column and row of each number
    figure, ax = make_axes(3.0, 3.0)
    ax.imshow(image)
    ax.set_axis_off()
    for number, (feature, start) in enumerate(numbers.items(), start=1):
        arrow = {"arrowstyle": "-|>", "color": COLOURS[1], "lw": 1.3}
        ax.annotate(str(number), places[feature][::-1], start, fontweight="bold", arrowprops=arrow)
    alt = (
        "A synthetic lymphoblast with three numbered arrows. 1 points outside the nucleus, at its pale blue "
        "surroundings. 2 points inside the nucleus, at one of its darkest spots. 3 points inside the nucleus, at a "
        "round spot that is paler than what surrounds it."
    )
    return AccessibleFigure(figure, alt, "A synthetic lymphoblast with the numbers 1 to 3.")


def two_nuclei() -> AccessibleFigure:
    """Draw the masks of two cells; B has the larger nucleus-to-cell area ratio, A the larger nucleus."""
    colours = np.array([[255, 255, 255], [160, 200, 230], [60, 40, 120]], np.uint8)
    masks = {"A": atlas.example("monocyte")[1], "B": atlas.example("lymphoblast")[1]}
    figure, axes = make_axes(_WIDTH, 2.2, 2)
    areas = []
    for ax, (letter, mask) in zip(axes, masks.items(), strict=True):
        ax.imshow(colours[mask])
        ax.set_axis_off()
        _name_panel(ax, letter)
        nucleus, cell = np.count_nonzero(mask == datasets.NUCLEUS), np.count_nonzero(mask)
        areas.append(f"{letter}: the nucleus has {nucleus} pixels, the whole cell {cell}.")
    alt = f"Two masks, with the nucleus dark and the cytoplasm pale. {' '.join(areas)}"
    return AccessibleFigure(figure, alt, "Masks of two synthetic cells, A and B.")


def blue_clouds() -> AccessibleFigure:
    """Draw the mean blue of the same cells by class (A), where clouds mix, and by patient (B), where they part."""
    data = datasets.load("synthetic", n_images=60, size=32)
    blue = data.load_images(32)[..., 2].mean(axis=(1, 2))
    columns = {"A": data.frame["label"], "B": data.frame["group"]}
    figure, axes = make_axes(_WIDTH, 4.6, 1, 2)
    both = []
    for ax, (letter, column) in zip(axes, columns.items(), strict=True):
        names = sorted(column.unique())
        for position, name in enumerate(names):
            values = blue[column == name]
            spread = np.linspace(-0.25, 0.25, len(values))
            ax.scatter(position + spread, values, s=9, color=COLOURS[position % len(COLOURS)], lw=0)
        mixed = [name for name in names if len(set(blue[column == name] > _BETWEEN_CLOUDS)) == 2]
        both.append(f"{letter}: {len(mixed)} of {len(names)} columns have dots in both clouds.")
        ax.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=8)
        ax.set_ylabel("mean blue", fontsize=FONT_SIZE)
        _name_panel(ax, letter)
    alt = f"Mean blue of 60 synthetic cells, drawn twice, in two clouds. {' '.join(both)} A is by class, B by patient."
    return AccessibleFigure(figure, alt, "Mean blue of the same cells, by class (A) and by patient (B).")


def confusion_matrix() -> AccessibleFigure:
    """Draw a confusion matrix of three classes; the rare one has the lowest recall."""
    names = ["neutrophil", "lymphocyte", "monocyte"]
    counts = pd.DataFrame([[112, 6, 2], [1, 57, 2], [2, 10, 8]], index=names, columns=names)
    caption = "Images by true class (rows) and predicted class (columns)."
    rows = "; ".join(f"true {name}: {', '.join(map(str, counts.loc[name]))}" for name in names)
    alt = f"Confusion matrix with the predicted classes {', '.join(names)} in this order: {rows}."
    figure = confusion_plot(counts, caption)
    assert isinstance(figure, AccessibleFigure)
    return replace(figure, alt=alt)


def histograms() -> AccessibleFigure:
    """Draw three histograms of grey values: A has two separate peaks, B a single one, C a peak with a shoulder."""
    rng = np.random.default_rng(0)
    grey_values = {
        "A": np.concatenate([rng.normal(80, 12, 3000), rng.normal(190, 14, 7000)]),
        "B": rng.normal(150, 30, 10_000),
        "C": np.concatenate([rng.normal(150, 14, 1200), rng.normal(190, 14, 8800)]),
    }
    figure, axes = make_axes(_WIDTH, 4.4, 1, 3, sharex=True)
    for ax, (letter, values) in zip(axes, grey_values.items(), strict=True):
        ax.hist(values, bins=np.arange(0, 257, 8), color=COLOURS[0])
        _name_panel(ax, letter)
        ax.set_ylabel("pixels", fontsize=FONT_SIZE)
    axes[-1].set_xlabel("grey value", fontsize=FONT_SIZE)
    alt = (
        "Three histograms of grey values from 0 to 255. A: two peaks, near 80 and 190, with an empty valley between "
        "them. B: one broad peak near 150. C: one peak near 190 with a shoulder near 150 and no valley."
    )
    return AccessibleFigure(figure, alt, "Histograms of the grey values of three images, A, B and C.")


def four_pairs() -> AccessibleFigure:
    """Draw AUC with and without a mistake for four reports; in Q the mistake narrows the interval only."""
    pairs = {  # value, low and high, with the mistake and corrected
        "P": ((0.93, 0.89, 0.96), (0.82, 0.72, 0.90)),
        "Q": ((0.82, 0.81, 0.83), (0.82, 0.72, 0.90)),
        "R": ((0.51, 0.48, 0.55), (0.82, 0.72, 0.90)),
        "S": ((0.78, 0.70, 0.85), (0.82, 0.72, 0.90)),
    }
    figure, ax = make_axes(_WIDTH, 2.8)
    series = zip(zip(*pairs.values(), strict=True), ("with the mistake", "corrected"), strict=True)
    for k, (triples, name) in enumerate(series):
        value, low, high = np.array(triples).T
        rows = np.arange(len(pairs)) + 0.2 * k - 0.1
        reach = np.array([value - low, high - value])
        ax.errorbar(value, rows, xerr=reach, fmt="os"[k], color=COLOURS[k], capsize=2, ms=5, label=name)
    ax.set_yticks(range(len(pairs)), list(pairs), fontsize=FONT_SIZE)
    ax.invert_yaxis()
    ax.set_xlabel("AUC, 95 % interval", fontsize=FONT_SIZE)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize=8, frameon=False)
    words = [
        f"{name}: with the mistake {a[0]:.2f} [{a[1]:.2f}, {a[2]:.2f}], corrected {b[0]:.2f} [{b[1]:.2f}, {b[2]:.2f}]."
        for name, (a, b) in pairs.items()
    ]
    return AccessibleFigure(figure, f"AUC of four reports. {' '.join(words)}", "Four reports, P, Q, R and S.")


def cascade_lines() -> AccessibleFigure:
    """Draw what is left of a map as layers are drawn anew: A keeps most of it, B nothing, C turns it round."""
    layers = np.arange(1, 9)
    lines = {"A": 0.95 - 0.02 * layers, "B": 0.9 * np.exp(-layers / 1.5), "C": -0.75 + 1.5 * np.exp(-layers / 2)}
    figure, ax = make_axes(_WIDTH, 2.8)
    for (letter, values), colour, marker in zip(lines.items(), COLOURS, "os^", strict=False):
        ax.plot(layers, values, color=colour, marker=marker, ms=4)
        ax.annotate(letter, (layers[-1] + 0.2, values[-1]), fontweight="bold", va="center", fontsize=FONT_SIZE + 2)
    ax.axhline(0, color="black", lw=0.8, ls=":")
    ax.set(ylim=(-1, 1), xlim=(0.5, 8.8))
    ax.set_xlabel("layers drawn anew, of 8", fontsize=FONT_SIZE)
    ax.set_ylabel("rank correlation", fontsize=FONT_SIZE)
    ends = ", ".join(f"{letter} at {values[-1]:.2f}" for letter, values in lines.items())
    alt = f"Rank correlation of maps with those of the trained network as more layers are drawn anew. They end: {ends}."
    return AccessibleFigure(figure, alt, "What is left of the maps of three methods, A, B and C.")


def _upper_half(cell: np.ndarray) -> np.ndarray:
    rows = np.flatnonzero(cell.any(axis=1))
    half = cell.copy()
    half[rows[len(rows) // 2] :] = False
    return half


def transfer_curves() -> AccessibleFigure:
    """Draw validation loss over time: A frozen with cached features, B fine-tuned, C from scratch."""
    chance = np.log(4)
    head = np.arange(9, 17, 0.5)
    network = np.arange(4, 60, 5)
    curves = {
        "A": (head, 0.5 + 0.75 * np.exp(-(head - 9) / 1.6)),
        "B": (network + 14, 0.3 + 0.22 * np.exp(-(network - 4) / 22)),
        "C": (network, 0.95 + (chance - 0.95) * np.exp(-(network - 4) / 60)),
    }
    figure, ax = make_axes(_WIDTH, 2.8)
    for (letter, (seconds, loss)), colour, dash in zip(curves.items(), COLOURS, ("-", "--", "-."), strict=False):
        ax.plot(seconds, loss, dash, color=colour, linewidth=2)
        ax.text(seconds[-1] + 1, loss[-1], letter, fontsize=FONT_SIZE, fontweight="bold", va="center")
    ax.axhline(chance, color=COLOURS[-1], linewidth=0.8, linestyle=":")
    ax.set(xlim=(0, 76), ylim=(0, 1.5))
    ax.set_xlabel("seconds, all work counted", fontsize=FONT_SIZE)
    ax.set_ylabel("validation loss", fontsize=FONT_SIZE)
    words = "; ".join(
        f"{letter} from {loss[0]:.2f} at {seconds[0]:.0f} seconds to {loss[-1]:.2f} at {seconds[-1]:.0f}"
        for letter, (seconds, loss) in curves.items()
    )
    alt = f"Validation loss over seconds of three trainings: {words}. A dotted line marks chance, {chance:.2f}."
    return AccessibleFigure(figure, alt, "Validation loss over time of three trainings, A, B and C.")


def unfreezing_curves() -> AccessibleFigure:
    """Draw losses of two networks that are fine-tuned from epoch 5 on; the validation loss of B jumps there."""
    epochs = np.arange(1, 11)
    training = 0.25 + 1.1 * np.exp(-epochs / 3)
    since = np.maximum(epochs - 4, 0)
    validation = {"A": training + 0.12, "B": training + 0.12 + 1.6 * (1 - np.exp(-since / 1.5))}
    figure, axes = make_axes(_WIDTH, 2.8, 2, sharey=True)
    for ax, (letter, loss) in zip(axes, validation.items(), strict=True):
        ax.plot(epochs, training, "-", color=COLOURS[0], label="training")
        ax.plot(epochs, loss, "--", color=COLOURS[1], label="validation")
        ax.axvline(4.5, color=COLOURS[-1], linewidth=0.8, linestyle=":")
        ax.set_xlabel("epoch", fontsize=FONT_SIZE)
        ax.set_xticks(range(2, 11, 2))
        _name_panel(ax, letter)
    axes[0].set_ylabel("loss", fontsize=FONT_SIZE)
    axes[0].set_ylim(0, 2.3)
    axes[0].legend(fontsize=8, frameon=False)
    ends = {letter: f"{loss[3]:.2f} at epoch 4 and {loss[-1]:.2f} at epoch 10" for letter, loss in validation.items()}
    alt = (
        f"Losses of two networks over 10 epochs; a dotted line before epoch 5. In both the training loss falls to "
        f"{training[-1]:.2f}. Validation loss of A: {ends['A']}. Of B: {ends['B']}."
    )
    return AccessibleFigure(
        figure, alt, "Losses of two networks, A and B; from epoch 5 on more than the head is trained."
    )


def _name_panel(ax: Axes, letter: str) -> None:
    ax.set_title(letter, fontsize=FONT_SIZE + 2, fontweight="bold", loc="left")


def reliability_diagram() -> AccessibleFigure:
    """Draw predicted probability and observed frequency of two models; A is too certain, B is calibrated."""
    predicted = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    observed = {"A": 0.5 + 0.5 * (predicted - 0.5), "B": predicted + np.array([0.02, -0.03, 0.01, 0.02, -0.02])}
    figure, axes = make_axes(_WIDTH, 2.6, 2, sharey=True)
    words = []
    for ax, (letter, frequency) in zip(axes, observed.items(), strict=True):
        ax.plot([0, 1], [0, 1], ":", color=COLOURS[-1])
        ax.plot(predicted, frequency, "o-", color=COLOURS[0], ms=5)
        ax.set(xlim=(0, 1), ylim=(0, 1), xticks=(0, 0.5, 1))
        ax.set_xlabel("predicted", fontsize=FONT_SIZE)
        _name_panel(ax, letter)
        words.append(
            f"{letter}: {', '.join(f'{p:.1f} and {f:.2f}' for p, f in zip(predicted, frequency, strict=True))}"
        )
    axes[0].set_ylabel("observed frequency", fontsize=FONT_SIZE)
    alt = f"Two reliability diagrams with a dotted diagonal; predicted and observed of five points. {'; '.join(words)}."
    return AccessibleFigure(figure, alt, "Predicted probability and observed frequency of two models, A and B.")
