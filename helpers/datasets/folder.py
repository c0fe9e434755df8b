"""Your own images in class folders: ``folder:/path``.

Layout: one subfolder per class; optionally a table of groups (see :mod:`helpers.datasets.groups`) and masks of
background, cytoplasm and nucleus, ``masks/<class>/<name>.png`` or ``masks/<name>.png`` (see
:mod:`helpers.datasets.masks`). For more levels of folders, the option ``layout`` gives the meaning of each level from
the top: ``class``, ``patient`` (its name is the group) and ``split`` (kept in the column ``split``), as in
``class/patient`` or ``split/class``. Images outside these levels are an error, other files a warning.

:func:`load_folder` lists the folder once, checks the list against the layout, builds a row for each image, reads the
table of groups, matches the masks and reads their values. :mod:`helpers.datasets.loading` then checks for identical
files and reads the headers, as for every dataset.
"""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from helpers.datasets import masks
from helpers.datasets.card import DatasetCard
from helpers.datasets.dataset import Dataset
from helpers.datasets.directory import folder_named, normalise_name
from helpers.datasets.errors import DatasetError, warn_problems
from helpers.datasets.groups import read_groups, validate_groups
from helpers.datasets.listing import EVERY_DEPTH, MASKS, Listing, counts_by_suffix, find_table, list_images
from helpers.datasets.mask_files import match_masks
from helpers.datasets.readers import FileReader
from helpers.datasets.tables import build_frame

FOLDER_CARD = DatasetCard("Your own class folders", "yours", "", "", "image (patients are not known)")
PATIENTS = "patient (as your table of groups or your folders name them)"
LEVELS = ("class", "patient", "split")
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing", "eval", "dev"})


def load_folder(root: Path, layout: str = "class") -> Dataset:
    """Load images from class subfolders, with optional groups and masks; see the module for the layout.

    Args:
        root: the folder.
        layout: meaning of each level of folders: words of :data:`LEVELS`, separated by ``/``.

    Returns:
        The dataset; without a table of groups or patient folders, each image is its own group.

    Raises:
        DatasetError: the layout is unknown, a class has no images, images lie outside the layout, or masks or groups do
            not match the images.
    """
    levels = _levels(layout)
    listing = list_images(
        root, {len(levels)}, missing="no such folder; give the folder that holds one subfolder per class"
    )
    table = _checked(root, levels, listing)
    rows = [_row(root, path, levels) for path in listing.images]
    classes = sorted({row["label"] for row in rows})
    _refuse_like_classes(root, classes)
    _name_groups(root, rows, levels, table)
    _warn_of_exchanged_levels(root, rows, levels)
    options: dict[str, Any] = {} if levels == ("class",) else {"layout": "/".join(levels)}
    reader, masks_folder = FileReader(root), folder_named(listing.folders, MASKS)
    if masks_folder:
        reader, declared = _with_masks(root, rows, masks_folder)
        options |= declared
    return Dataset(
        f"folder:{root}",
        build_frame(rows),
        tuple(classes),
        replace(FOLDER_CARD, independent_unit=PATIENTS) if table or "patient" in levels else FOLDER_CARD,
        reader,
        has_masks=masks_folder is not None,
        options=options,
    )


def _levels(layout: str) -> tuple[str, ...]:
    levels = tuple(word.strip().casefold() for word in str(layout).strip(" /").split("/"))
    known = set(levels) <= set(LEVELS) and len(set(levels)) == len(levels)
    if not known or "class" not in levels:
        raise DatasetError(
            f"layout {layout!r}: not what each level of folders is; write class, class/patient, patient/class, "
            "split/class or split/class/patient"
        )
    return levels


def _checked(root: Path, levels: tuple[str, ...], listing: Listing) -> Path | None:
    """Refuse a folder that does not match the layout, warn of ignored files, and return its table of groups."""
    tops = [path for path in listing.folders if normalise_name(path.name) != MASKS]
    if not tops:
        raise DatasetError(f"{root}: holds no subfolder; make one per class and put its images there")
    table = find_table(listing, "groups", "groups")
    _refuse_elsewhere(root, levels, listing)
    _refuse_empty(tops, levels, listing)
    _warn_of_others(root, listing, table)
    return table


def _refuse_elsewhere(root: Path, levels: tuple[str, ...], listing: Listing) -> None:
    """Refuse images at other levels than those of the layout; images directly in ``root`` only cause a warning."""
    elsewhere = [path for path in listing.elsewhere if path.parent != root]
    if not elsewhere:
        return
    by_folder = Counter(path.parent.relative_to(root) for path in elsewhere)
    depth = max(len(directory.parts) for directory in by_folder)
    number = f"{'at least ' if listing.cut else ''}{len(elsewhere)}"
    raise DatasetError(
        f"{root}: {number} images lie where layout={'/'.join(levels)!r} does not look; "
        f"say what each level of folders is, {_better_layout(by_folder, depth)}, or move or remove them",
        (f"{directory.as_posix()}: {count} images" for directory, count in sorted(by_folder.items())),
    )


def _better_layout(directories: Counter[Path], depth: int) -> str:
    split = all(normalise_name(directory.parts[0]) in _SPLITS for directory in directories)
    if depth == 2:
        return "layout='split/class'" if split else "such as layout='class/patient' or 'patient/class'"
    if depth == 3:
        return f"such as layout={'split/class/patient' if split else 'class/patient/split'!r}"
    return f"at most {len(LEVELS)} levels of {', '.join(LEVELS)}"


def _refuse_empty(tops: list[Path], levels: tuple[str, ...], listing: Listing) -> None:
    filled = {path.parents[len(levels) - 1] for path in listing.images}
    for top in tops:
        if top not in filled:
            remedy = "an empty class cannot be learnt" if levels[0] == "class" else "remove the folder"
            others = [path for path in listing.others if path.is_relative_to(top)]
            counts = f" but {counts_by_suffix(others)}" if others else ""
            raise DatasetError(f"{top}: no image here{counts}; {remedy}")


def _warn_of_others(root: Path, listing: Listing, table: Path | None) -> None:
    """Warn once of all ignored files: files that are not images, and images beside the class folders."""
    others = [path for path in listing.others if path != table]
    beside = [path for path in listing.elsewhere if path.parent == root]
    counts = [f"{len(beside)} images beside the class folders"] if beside else []
    counts += [f"other files ({counts_by_suffix(others)})"] if others else []
    if counts:
        names = (path.relative_to(root).as_posix() for path in [*beside, *others])
        warn_problems(f"folder:{root}: left out {' and '.join(counts)}", names)


def _refuse_like_classes(root: Path, classes: list[str]) -> None:
    alike: dict[str, list[str]] = {}
    for name in classes:
        alike.setdefault(normalise_name(name), []).append(name)
    pairs = [" and ".join(map(repr, names)) for names in alike.values() if len(names) > 1]
    if pairs:
        raise DatasetError(f"{root}: classes that differ only in case or space; give one class one name", pairs)


def _row(root: Path, path: Path, levels: tuple[str, ...]) -> dict:
    relative = path.relative_to(root)
    names = {level: unicodedata.normalize("NFC", name) for level, name in zip(levels, relative.parts[:-1], strict=True)}
    image_id = unicodedata.normalize("NFC", relative.as_posix())
    row = {
        "image_id": image_id,
        "path": relative.as_posix(),
        "mask_path": "",
        "label": names["class"],
        "group": names.get("patient", image_id),
        "dataset": "folder",
    }
    return row | ({"split": names["split"]} if "split" in names else {})


def _name_groups(root: Path, rows: list[dict], levels: tuple[str, ...], table: Path | None) -> None:
    """Set the group of every row from the table or the layout; by default it is the image."""
    if table and "patient" in levels:
        raise DatasetError(f"{table}: the layout names the patients too; remove the table, or take another layout")
    if table:
        groups = read_groups(table, [row["image_id"] for row in rows])
    elif "patient" in levels:
        groups = validate_groups(root, {row["image_id"]: row["group"] for row in rows})
    else:
        return
    for row in rows:
        row["group"] = groups[row["image_id"]]


def _warn_of_exchanged_levels(root: Path, rows: list[dict], levels: tuple[str, ...]) -> None:
    """Warn if folder names contradict the layout: more classes than patients, or classes named like splits."""
    labels, groups = sorted({row["label"] for row in rows}), {row["group"] for row in rows}
    layout = f"layout={'/'.join(levels)}"
    if "patient" in levels and len(labels) > len(groups):
        warn_problems(
            f"folder:{root}: {len(labels)} classes and {len(groups)} patients; are they exchanged in {layout}?", labels
        )
    splits = [label for label in labels if normalise_name(label) in _SPLITS]
    if splits:
        warn_problems(f"folder:{root}: classes that are called like parts of a split; is {layout} right?", splits)


def _with_masks(root: Path, rows: list[dict], directory: Path) -> tuple[FileReader, dict[str, Any]]:
    """Set the mask paths of the rows; return the reader and the declared mask values for the fingerprint."""
    listing = list_images(directory, EVERY_DEPTH, skip=lambda *_: False)
    mask_of = match_masks(root, directory, listing.images, [row["path"] for row in rows])
    for row in rows:
        row["mask_path"] = mask_of[row["path"]]
    table = find_table(listing, "values", "the values of masks")
    classes, declared = masks.mask_classes(directory, [root / path for path in mask_of.values()], table)
    reader = FileReader(root, functools.partial(masks.read_labels, classes=classes))
    return reader, {"mask_values": tuple(sorted(classes.items()))} if declared else {}
