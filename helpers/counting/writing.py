"""Count a folder of fields into tables, overlays and a page, and count again after an expert's corrections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from helpers import checks, files, images, metrics, outputs, plots
from helpers.counting.cells import cut_out
from helpers.counting.corrections import CORRECTED, apply_corrections
from helpers.counting.differential import count_types, describe_missing_flags, flag_patients
from helpers.counting.films import Films, find_cells
from helpers.counting.report import count_page, shown_cells
from helpers.counting.saving import Detector
from helpers.datasets import DatasetError
from helpers.datasets.boxes import SIDES
from helpers.datasets.groups import read_groups
from helpers.datasets.tables import read_table
from helpers.images.scale import ScaleError, validate_scale
from helpers.models.model_card import ModelCard
from helpers.prediction.classification import Classifier
from helpers.preprocessing import RED_CELL_UM, estimate_um_per_pixel
from helpers.reports import tables

CELLS, COUNTS, FIELDS, FLAGS, REPORT = "cells.csv", "counts.csv", "fields.csv", "flags.csv", "report.html"
TABLES = (CELLS, COUNTS, FIELDS, FLAGS)
OVERLAYS, OVERLAY = "overlays", ".overlay.png"
THUMBNAIL = 72  # pixels
MAX_FACTOR = 1.35  # between the scale that is passed and that of the red cells; people's red cells differ by less
N_SCALE = 20  # fields at most on which the red cells are measured


@dataclass(frozen=True)
class Count:
    """Hold a count: the cells, the fields, and per patient the types and the flags.

    Attributes:
        cells: see :class:`helpers.counting.films.Films`, with ``class``, the most probable or the corrected type, and
            ``corrected``.
        counts: see :func:`helpers.counting.differential.count_types`.
        fields: see :class:`helpers.counting.films.Films`.
        flags: see :func:`helpers.counting.differential.flag_patients`.
        findings: differences from the training images, and flags that no class can raise; none after a correction.
        bad: one message per unreadable image.
    """

    cells: pd.DataFrame
    counts: pd.DataFrame
    fields: pd.DataFrame
    flags: pd.DataFrame
    findings: list[str]
    bad: list[str]


def count_folder(
    paths: Sequence[Path],
    detector: Detector,
    classifier: Classifier,
    card: ModelCard,
    *,
    folder: Path,
    output_dir: Path,
    groups_table: Path | None = None,
    um_per_pixel: float | None = None,
    validation: pd.DataFrame | None = None,
) -> Count:
    """Count the white blood cells of fields, and write tables, overlays and a page.

    Args:
        paths: paths of the fields; files named like outputs of commands are skipped.
        detector: from :func:`helpers.counting.saving.load_detector`.
        classifier: from :func:`helpers.prediction.load`.
        card: model card of the classifier.
        folder: folder that the names of images are relative to.
        output_dir: folder to write to, created if missing.
        groups_table: table with the columns ``image`` and ``group``; without it all fields are of one patient, who has
            the name of the folder.
        um_per_pixel: scale of the fields; by default it is measured on their red cells.
        validation: labelled predictions of the classifier, to correct the shares for its confusion.

    Raises:
        OutputError: the folder is not writable, or all files are outputs of commands.
        DatasetError: the table of groups does not fit the images.
        ScaleError: the scale is out of range, or cannot be measured.
        ImageError: no image is readable.
        ModelError: an output of the classifier is not a probability.
    """
    output_dir = outputs.require_folder(output_dir)
    chosen = outputs.without_own_images(paths)
    names = dict(zip(chosen, outputs.relative_names(chosen, folder), strict=True))
    group = folder.resolve().name
    groups = read_groups(groups_table, names.values(), folder) if groups_table else dict.fromkeys(names.values(), group)
    scale, findings = resolve_scale(chosen, um_per_pixel)
    films = find_cells(names, detector, classifier, card, groups=groups, um_per_pixel=scale)
    cells = films.cells.assign(**{CORRECTED: False})
    # The most probable class: a threshold that misses few cells of one class would bend the shares of all.
    cells["class"] = metrics.predicted_classes(cells)
    findings = [*findings, *films.findings, *describe_missing_flags(card.classes)]
    films = Films(cells, films.fields, findings, films.bad)
    output_dir.mkdir(parents=True, exist_ok=True)
    return _write(films, card, folder, output_dir, validation)


def recount(corrections: Path, card: ModelCard, *, folder: Path, output_dir: Path) -> Count:
    """Apply an expert's corrections to an earlier count, and write its tables, overlays and page again.

    Args:
        corrections: table of corrections, see :func:`helpers.counting.corrections.apply_corrections`.
        card: model card of the classifier.
        folder: folder of the fields.
        output_dir: folder of the earlier count.

    Raises:
        DatasetError: there is no earlier count, or the corrections do not fit it; nothing is changed.
        ImageError: a field of the count cannot be read any more.
    """
    for name in (CELLS, FIELDS):
        if not (output_dir / name).is_file():
            raise DatasetError(f"{output_dir / name}: no such file; count the fields before you correct the count")
    output_dir = outputs.require_folder(output_dir)
    cells, fields = (_read(output_dir / name) for name in (CELLS, FIELDS))
    corrected = apply_corrections(cells, fields, corrections, card.classes)
    return _write(Films(corrected, fields, [], []), card, folder, output_dir, None)


def read_validation(path: Path, card: ModelCard) -> pd.DataFrame:
    """Read labelled predictions of a classifier, such as ``predictions.csv`` of an evaluation.

    Args:
        path: CSV table with ``group``, ``label`` and ``p_<class>`` for each class of the card. With a column ``model``,
            as an evaluation of several models writes it, the rows of the classifier are read.
        card: model card of the classifier.

    Raises:
        DatasetError: a column is missing, a probability is no number from 0 to 1, or no row is of the classifier.
    """
    columns = [metrics.PREFIX + name for name in card.classes]
    table = read_table(path, ["group", "label", *columns])
    if "model" in table.columns:
        models = table["model"].astype(str)
        if card.network not in set(models):
            raise DatasetError(
                f"{path}: has predictions of {', '.join(map(repr, dict.fromkeys(models)))}, none of {card.network!r}, "
                "the model of the card; pass the predictions of the evaluation that made the model"
            )
        table = table[models == card.network]
    probabilities = table[columns].apply(pd.to_numeric, errors="coerce")
    wrong = ~((probabilities >= 0) & (probabilities <= 1)).all(axis=1)
    if wrong.any():
        line = wrong.idxmax()
        raise DatasetError(f"{path}: line {line} has a probability that is no number from 0 to 1; mend the table")
    return table.assign(**{name: probabilities[name] for name in columns})


def resolve_scale(paths: Sequence[Path], um_per_pixel: float | None) -> tuple[float, list[str]]:
    """Take the scale that is passed and compare it with the red cells, or measure it on them.

    Args:
        paths: fields of one magnification; up to twenty are measured.
        um_per_pixel: scale in µm per pixel, or ``None``.

    Returns:
        The scale, and findings.

    Raises:
        ScaleError: the scale is out of range, or not passed and not measurable.
    """
    if um_per_pixel is not None:
        validate_scale(um_per_pixel)
    sample = [paths[k] for k in range(0, len(paths), max(1, -(-len(paths) // N_SCALE)))]
    # One field at a time; those that cannot be read are listed when cells are found.
    pictures = (image for batch in images.read_batches(sample, [], "scale", 1) for _, image in batch)
    if um_per_pixel is None:
        return estimate_um_per_pixel(pictures), []
    try:
        measured = estimate_um_per_pixel(pictures)
    except ScaleError:
        return um_per_pixel, []
    if 1 / MAX_FACTOR <= measured / um_per_pixel <= MAX_FACTOR:
        return um_per_pixel, []
    wide = RED_CELL_UM * um_per_pixel / measured
    observed = f"at {um_per_pixel:.3g} µm per pixel, red cells are {wide:.2g} µm wide, and they are about {RED_CELL_UM}"
    return um_per_pixel, [str(checks.Finding("scale", observed, "the magnification, and the pixel size of the camera"))]


def _write(films: Films, card: ModelCard, folder: Path, output_dir: Path, validation: pd.DataFrame | None) -> Count:
    counts = count_types(films.cells, card.classes, validation=validation)
    flags = flag_patients(films.cells, list(films.fields["group"]))
    for name, table in zip(TABLES, (films.cells, counts, films.fields, flags), strict=True):
        files.write_text(output_dir / name, tables.safe_text(table).to_csv(index=False, float_format="%.6g"))
    count = Count(films.cells, counts, films.fields, flags, films.findings, films.bad)
    thumbnails = _draw(films, folder, output_dir / OVERLAYS)
    files.write_text(output_dir / REPORT, count_page(count, card, folder.resolve().name, thumbnails))
    return count


def _draw(films: Films, folder: Path, overlays: Path) -> dict[str, np.ndarray]:
    """Write an overlay of every field; return the picture of each cell of the gallery by its name."""
    names = sorted(films.cells["class"].unique())
    colour_of = {name: plots.COLOURS[k % len(plots.COLOURS)] for k, name in enumerate(names)}
    shown, thumbnails = set(shown_cells(films.cells)["cell"]), {}
    cells_of = dict(tuple(films.cells[films.cells["left"].notna()].groupby("image")))
    for name in tqdm(films.fields["image"], "overlays", unit="field", delay=2, leave=False):
        field, cells = images.read_image(folder / name), cells_of.get(name, films.cells.head(0))
        labels = [f"{cell.rpartition('#')[2]} {kind}" for cell, kind in zip(cells["cell"], cells["class"], strict=True)]
        colours = [colour_of[kind] for kind in cells["class"]]
        path = overlays / f"{name}{OVERLAY}"
        path.parent.mkdir(parents=True, exist_ok=True)
        images.write_png(path, plots.draw_boxes(field, cells[SIDES].to_numpy(), labels, colours))
        chosen = cells[cells["cell"].isin(shown)]
        for cell, picture in zip(chosen["cell"], cut_out(field, chosen), strict=True):
            thumbnails[cell] = images.resize_pad(picture, THUMBNAIL)
    return thumbnails


def _read(path: Path) -> pd.DataFrame:
    """Read a table that :func:`_write` has written; empty text is no missing value."""
    table = tables.plain_text(pd.read_csv(path))
    text = [name for name in ("predicted_class", "prediction_set", "reason", "note", "class") if name in table]
    return table.fillna(dict.fromkeys(text, ""))
