"""Your own images in class folders: ``folder:/path``.

Layout: one subfolder per class; optionally a table of groups (see :mod:`helpers.datasets.groups`) and
``masks/<class>/<name>.png`` (or ``masks/<name>.png``; see :mod:`helpers.datasets.masks`) of background, cytoplasm and
nucleus. Where there are more levels of folders, the option ``layout`` says what each is, from the top: ``class``,
``patient`` (its name is the group) and ``split`` (kept in the column ``part``), as in ``class/patient`` or
``split/class``. Images that lie elsewhere are an error, other files a warning.
"""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

from helpers.datasets import masks
from helpers.datasets.card import Card
from helpers.datasets.dataset import Dataset
from helpers.datasets.errors import DataError, warn
from helpers.datasets.groups import checked_groups, read_groups
from helpers.datasets.listing import (
    MASKS,
    Listing,
    child,
    counts_by_suffix,
    folders_in,
    listed,
    one_name,
    table_in,
)
from helpers.datasets.maskfiles import find_masks
from helpers.datasets.readers import FileReader
from helpers.datasets.tables import frame_of

FOLDER_CARD = Card("Your own class folders", "yours", "", "", "group of the table or layout, else image")
SEGMENTS = ("class", "patient", "split")
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing", "eval", "dev"})


def folder(root: Path, layout: str = "class") -> Dataset:
    """Class subfolders below ``root``; see the module.

    Args:
        root: the folder.
        layout: what each level of folders is: the words of :data:`SEGMENTS`, with ``/`` between them.

    Raises:
        DataError: an unknown layout, a class without images, images outside the layout, masks or groups that do
            not fit the images.
    """
    segments = _segments(layout)
    tops = [path for path in _folders(root) if one_name(path.name) != MASKS]
    if not tops:
        raise DataError(f"{root}: holds no subfolder; make one per class and put its images there")
    table = table_in(root, "groups", "groups")
    found = listed(root, {len(segments)})
    _refuse_elsewhere(root, segments, found)
    _refuse_empty(tops, segments, found)
    _warn_of_others(root, found, table)
    rows = [_row(root, path, segments) for path in found.images]
    _refuse_like_classes(root, {row["label"] for row in rows})
    _name_groups(root, rows, segments, table)
    _warn_of_exchanged_levels(root, rows, segments)
    options: dict[str, Any] = {} if segments == ("class",) else {"layout": "/".join(segments)}
    reader, of_masks = FileReader(root), child(root, MASKS)
    if of_masks:
        reader, declared = _with_masks(root, rows, of_masks)
        options |= declared
    return Dataset(
        f"folder:{root}",
        frame_of(rows),
        tuple(sorted({row["label"] for row in rows})),
        FOLDER_CARD,
        reader,
        has_masks=of_masks is not None,
        options=options,
    )


def _segments(layout: str) -> tuple[str, ...]:
    segments = tuple(word.strip().casefold() for word in str(layout).strip(" /").split("/"))
    known = set(segments) <= set(SEGMENTS) and len(set(segments)) == len(segments)
    if not known or "class" not in segments:
        raise DataError(
            f"layout {layout!r}: not what each level of folders is; write class, class/patient, patient/class, "
            "split/class or split/class/patient"
        )
    return segments


def _folders(root: Path) -> list[Path]:
    return folders_in(root, missing="no such folder; give the folder that holds one subfolder per class")


def _refuse_elsewhere(root: Path, segments: tuple[str, ...], found: Listing) -> None:
    """Refuse images in folders above or below those that the layout reads; those in ``root`` are only warned of."""
    elsewhere = [path for path in found.elsewhere if path.parent != root]
    if not elsewhere:
        return
    by_folder = Counter(path.parent.relative_to(root) for path in elsewhere)
    levels = max(len(place.parts) for place in by_folder)
    number = f"{'at least ' if found.cut else ''}{len(elsewhere)}"
    raise DataError(
        f"{root}: {number} images lie where layout={'/'.join(segments)!r} does not look; "
        f"say what each level of folders is, {_better_layout(by_folder, levels)}, or move or remove them",
        (f"{place.as_posix()}: {count} images" for place, count in sorted(by_folder.items())),
    )


def _better_layout(places: Counter[Path], levels: int) -> str:
    split = all(one_name(place.parts[0]) in _SPLITS for place in places)
    if levels == 2:
        return "layout='split/class'" if split else "such as layout='class/patient' or 'patient/class'"
    if levels == 3:
        return f"such as layout={'split/class/patient' if split else 'class/patient/split'!r}"
    return f"at most {len(SEGMENTS)} levels of {', '.join(SEGMENTS)}"


def _refuse_empty(tops: list[Path], segments: tuple[str, ...], found: Listing) -> None:
    filled = {path.parents[len(segments) - 1] for path in found.images}
    for top in tops:
        if top not in filled:
            what = "an empty class cannot be learnt" if segments[0] == "class" else "remove the folder"
            others = [path for path in found.others if path.is_relative_to(top)]
            here = f" but {counts_by_suffix(others)}" if others else ""
            raise DataError(f"{top}: no image here{here}; {what}")


def _warn_of_others(root: Path, found: Listing, table: Path | None) -> None:
    """Warn once of all that is left out: files that are no images, and images beside the class folders."""
    others = [path for path in found.others if path != table]
    beside = [path for path in found.elsewhere if path.parent == root]
    counts = [f"{len(beside)} images beside the class folders"] if beside else []
    counts += [f"other files ({counts_by_suffix(others)})"] if others else []
    if counts:
        names = (path.relative_to(root).as_posix() for path in [*beside, *others])
        warn(f"folder:{root}: left out {' and '.join(counts)}", names)


def _refuse_like_classes(root: Path, labels: set[str]) -> None:
    alike: dict[str, list[str]] = {}
    for label in sorted(labels):
        alike.setdefault(one_name(label), []).append(label)
    pairs = [" and ".join(map(repr, names)) for names in alike.values() if len(names) > 1]
    if pairs:
        raise DataError(f"{root}: classes that differ only in case or space; give one class one name", pairs)


def _row(root: Path, path: Path, segments: tuple[str, ...]) -> dict:
    relative = path.relative_to(root)
    names = {
        segment: unicodedata.normalize("NFC", name) for segment, name in zip(segments, relative.parts[:-1], strict=True)
    }
    image_id = unicodedata.normalize("NFC", relative.as_posix())
    row = {
        "image_id": image_id,
        "path": relative.as_posix(),
        "mask_path": "",
        "label": names["class"],
        "group": names.get("patient", image_id),
        "source": "folder",
    }
    return row | ({"part": names["split"]} if "split" in names else {})


def _name_groups(root: Path, rows: list[dict], segments: tuple[str, ...], table: Path | None) -> None:
    """Name the group of every row: of the table or of the layout; without these it is the image."""
    if table and "patient" in segments:
        raise DataError(f"{table}: the layout names the patients too; remove the table, or take another layout")
    if table:
        groups = read_groups(table, [row["image_id"] for row in rows])
    elif "patient" in segments:
        groups = checked_groups(root, {row["image_id"]: row["group"] for row in rows})
    else:
        return
    for row in rows:
        row["group"] = groups[row["image_id"]]


def _warn_of_exchanged_levels(root: Path, rows: list[dict], segments: tuple[str, ...]) -> None:
    """Warn where the names of the folders do not look like what the layout says that they are."""
    labels, groups = sorted({row["label"] for row in rows}), {row["group"] for row in rows}
    layout = f"layout={'/'.join(segments)}"
    if "patient" in segments and len(labels) > len(groups):
        warn(
            f"folder:{root}: {len(labels)} classes and {len(groups)} patients; are they exchanged in {layout}?", labels
        )
    splits = [label for label in labels if one_name(label) in _SPLITS]
    if splits:
        warn(f"folder:{root}: classes that are called like parts of a split; is {layout} right?", splits)


def _with_masks(root: Path, rows: list[dict], folder: Path) -> tuple[FileReader, dict[str, Any]]:
    """The reader of a folder with masks, whose rows get theirs; what is declared of them belongs to the fingerprint."""
    found = find_masks(root, folder, [row["path"] for row in rows])
    for row in rows:
        row["mask_path"] = found[row["path"]]
    classes, declared = masks.classes_of(folder, [root / path for path in found.values()])
    reader = FileReader(root, functools.partial(masks.read_labels, classes=classes))
    return reader, {"mask_values": tuple(sorted(classes.items()))} if declared else {}
