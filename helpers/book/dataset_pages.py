"""Generate the overview, the cards and the rows of cells of the datasets page."""

from __future__ import annotations

import numpy as np

from helpers import datasets, plots
from helpers.book.story import as_figure, figure_directive
from helpers.datasets import Dataset, DatasetError, DatasetSpec
from helpers.markup import escape_markdown
from helpers.plots import AccessibleFigure

# Licences that allow a page to show images, with the name of the dataset beside them.
SHOWN_LICENCES = ("MIT", "CC BY 3.0", "CC BY 4.0", "GPL-3.0")
COLUMNS = 4
SIDE = 128  # pixels of an image


def generated_files() -> dict[str, bytes]:
    """Generate overview, cards and figures, by file name; only images of the datasets at hand are shown."""
    rows = [
        "| Name | Classes | Images published | Download | Licence | Unit |",
        "|---|---:|---:|---|---|---|",
    ]
    cards, files = [], {}
    for name, source in datasets.SOURCES.items():
        dataset = load_at_hand(name)
        rows.append(overview_row(name, source, dataset))
        picture = ""
        if dataset is not None and source.card.licence in SHOWN_LICENCES:
            figure = row_of_cells(name, dataset)
            files[f"cells-{name}.png"] = figure.to_png()
            picture = "\n".join(figure_directive(f"cells-{name}.png", figure))
        cards.append(card(name, source, dataset, picture))
    texts = {"dataset-overview.md": "\n".join([*rows, ""]), "dataset-cards.md": "\n".join(cards)}
    return files | {file: text.encode() for file, text in texts.items()}


def load_at_hand(name: str) -> Dataset | None:
    """Load a dataset that is on the machine that builds the page; None where it is not."""
    try:
        return datasets.load(name)
    except DatasetError as error:
        if error.missing:
            return None
        raise


def overview_row(name: str, source: DatasetSpec, dataset: Dataset | None) -> str:
    """Return the row of a dataset in the overview."""
    known = source.card
    n_classes = len(known.classes or (dataset.classes if dataset is not None else ())) or "–"
    cells = [f"[`{name}`](#dataset-{name})", n_classes, known.published_images or "–", known.download_size or "–"]
    unit = known.independent_unit.partition(" (")[0]
    return "| " + " | ".join(map(str, [*cells, known.licence, unit])) + " |"


def card(name: str, source: DatasetSpec, dataset: Dataset | None, picture: str = "") -> str:
    """Return the card of one dataset in MyST Markdown.

    Args:
        name: name of the dataset.
        source: its specification.
        dataset: the dataset, where it is at hand.
        picture: directive of its row of cells; empty without one.
    """
    known = source.card
    access = "drawn by the code" if source.folder is None else "fetched" if source.remote else "on your request"
    command = f": `make data NAME={name}`" if source.folder else ""
    lines = [f"(dataset-{name})=", f"## `{name}`", "", f"{known.title}. {contents(source, dataset)}", ""]
    lines += [picture, ""] if picture else []
    lines += ["| Field | Value |", "|---|---|", f"| Licence | {known.licence} |"]
    lines += [f"| Unit of independence | {known.independent_unit} |", f"| How it comes | {access}{command} |"]
    classes = ", ".join(known.classes or (dataset.classes if dataset is not None else ()))
    lines += [f"| Classes | {escape_markdown(classes)} |"] if classes else []
    lines += [f"| Images published | {known.published_images} |"] if known.published_images else []
    lines += [f"| Download | {known.download_size} |"] if known.download_size else []
    lines += [f"| Home | <{known.homepage}> |"] if known.homepage else []
    lines += [f"| Citation | {{cite:t}}`{known.citation}` |"] if known.citation else []
    return "\n".join([*lines, "", "Known issues:", "", *(f"- {issue}" for issue in known.known_issues), ""])


def contents(source: DatasetSpec, dataset: Dataset | None) -> str:
    """Say how many images, groups and classes the copy at hand has, or why there is no picture."""
    if dataset is None:
        return "It was not at hand when this page was built, so no cell is shown and none is counted."
    counts = dataset.frame["label"].value_counts()
    by_class = ", ".join(f"{escape_markdown(label)} {counts.get(label, 0):,}" for label in dataset.classes)
    groups = dataset.frame["group"].nunique()
    what = "By default" if source.folder is None else "The copy at hand when this page was built holds"
    verb = " it draws" if source.folder is None else ""
    hidden = "" if source.card.licence in SHOWN_LICENCES else " Its terms do not allow us to show cells."
    return f"{what}{verb} {len(dataset):,} images in {groups:,} groups: {by_class}.{hidden}"


def row_of_cells(name: str, dataset: Dataset, seed: int = 20) -> AccessibleFigure:
    """Draw one cell of each class, chosen at random, four in a row.

    Args:
        name: name of the dataset.
        dataset: dataset with classes.
        seed: seed of the choice.
    """
    random = np.random.default_rng(seed)
    labels = [label for label in dataset.classes if (dataset.frame["label"] == label).any()]
    chosen = [random.choice(np.sort(dataset.frame.index[dataset.frame["label"] == label])) for label in labels]
    images = np.stack([dataset.select([image_id]).load_images(SIDE)[0] for image_id in chosen])
    rows = {" " * k: images[k * COLUMNS : (k + 1) * COLUMNS] for k in range(-(-len(images) // COLUMNS))}
    whose = "Synthetic cells" if name == "synthetic" else f"Images of {dataset.card.title}, {dataset.card.licence}"
    caption = f"{whose}; one of each class, chosen at random."
    figure = as_figure(plots.image_grid(rows, caption, side=1.3)).figure
    cells = [ax for ax in figure.axes if ax.images]
    for ax, label in zip(cells, labels, strict=True):
        ax.set_title(label, fontsize=9)
    alt = f"One image of each class of {dataset.card.title}: {', '.join(labels)}."
    return AccessibleFigure(figure, alt, caption)
