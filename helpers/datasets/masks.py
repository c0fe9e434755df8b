"""Values of ground-truth masks and their classes; :mod:`helpers.datasets.mask_files` matches masks with images.

A mask file contains values: palette indices (whatever their colours), grey values, colours, or an alpha channel alone.
Their classes are inferred from all masks of a dataset together, and only if they are unambiguous:

=========================================================  =======================================================
three evenly spaced values from 0: 0, 1, 2; 0, 85, 170;    background, cytoplasm, nucleus, from dark to light
0, 127, 255; 0, 128, 255; …
0 and 2; 0 alone                                           the same, without cytoplasm or without a cell
two other values (1-bit, 0 and 1, 0 and 255, …)            refused: the second may be the cell or its nucleus
colours; 1, 2, 3; one value too many                       refused
nucleus on more than half of a mask's border               refused: inverted, or another order of the classes
no background on half of the border of most masks          refused: another order of the classes
=========================================================  =======================================================

Other values can be declared in ``masks/values.csv`` (case-insensitive; or ``.tsv``, ``.txt``, ``.xlsx``), a table with
the columns ``value`` (0 to 255, a range such as ``0-63``, or a colour such as ``#ff0000``) and ``class``
(``background``, ``cytoplasm`` or ``nucleus``).
"""

from __future__ import annotations

import os
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers import images
from helpers.datasets.clinical import BACKGROUND, COMPARTMENTS, CYTOPLASM, NUCLEUS
from helpers.datasets.errors import DatasetError
from helpers.datasets.tables import read_table

TABLE = "values.csv"
SHOWN_VALUES = 8
MAX_VALUES, BAND_PIXELS = 1000, 1_000_000
_COLOUR = 1 << 24  # added to 0xRRGGBB to separate colours from greys; a grey has one value however it is stored
_NO_CLASS = 255


def read_grey_levels(path: Path) -> np.ndarray:
    """Read a mask with noisy grey values: < 64 background, < 192 cytoplasm, else nucleus (Zheng et al. 2018)."""
    mask = images.read_mask(path)
    return (mask >= 64).astype(np.uint8) + (mask >= 192)


def read_labels(path: Path, classes: Mapping[int, int]) -> np.ndarray:
    """Read a mask and map its values to classes.

    Args:
        path: mask file.
        classes: class of each value; see :func:`mask_classes`.

    Returns:
        ``uint8 (height, width)``: 0 background, 1 cytoplasm, 2 nucleus.

    Raises:
        ImageError: the file cannot be read, or contains another value.
    """
    bands = []
    for values in _bands(images.read_mask_values(path)):
        labels = np.full(values.shape, _NO_CLASS, np.uint8)
        for value, label in classes.items():
            labels[values == value] = label
        strange = labels == _NO_CLASS
        if strange.any():
            raise images.ImageError(
                f"{path}: holds {_listed(_counted(values[strange]))}; the masks of this dataset hold "
                f"{_all(classes)}; correct the mask, or declare the value in {TABLE}"
            )
        bands.append(labels)
    return np.concatenate(bands)


def mask_classes(folder: Path, paths: Iterable[Path], table: Path | None) -> tuple[dict[int, int], bool]:
    """Infer the class of each mask value of a dataset; see the module for the rules.

    Every mask is decoded once, in threads. Unreadable masks are skipped here; the reader reports them later. A class
    that occurs in no mask causes a warning.

    Args:
        folder: folder of the masks.
        paths: all mask files.
        table: the table ``values.csv`` in that folder; ``None`` if there is none.

    Returns:
        The class of each value, and whether the table declares it.

    Raises:
        DatasetError: the table is invalid or incomplete, or the values are ambiguous; the message lists files and
            values.
    """
    declared = _declared(table) if table else None
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counted = [mask for mask in pool.map(_count_values, paths) if mask]
    values = {value for mask in counted for value in mask.counts}
    if declared is None:
        classes = _infer_classes(values) if counted else {}
        if classes is None:
            raise _ambiguity_error(folder, counted)
        _refuse_other_orders(folder, counted, classes)
    else:
        classes = declared
        unknown = [_problem(mask, set(classes)) for mask in counted if set(mask.counts) - set(classes)]
        if unknown:
            raise DatasetError(f"{folder}: masks hold values that {table} does not declare; add them there", unknown)
    missing = [name for name, label in COMPARTMENTS.items() if label not in {classes[value] for value in values}]
    if counted and missing:
        warnings.warn(
            f"{folder}: no mask holds {' or '.join(missing)} (values {_all(values)}); what is measured of it has no "
            f"meaning here",
            stacklevel=4,
        )
    return classes, declared is not None


def _refuse_other_orders(folder: Path, counted: list[_Mask], classes: Mapping[int, int]) -> None:
    """Refuse masks whose borders indicate another order of the classes; a cell may fill some images."""
    nucleus = [mask.path for mask in counted if _on_border(mask, classes, NUCLEUS) > 0.5]
    filled = [mask.path for mask in counted if _on_border(mask, classes, BACKGROUND) < 0.5]
    if nucleus:
        problem, paths = "masks whose border is mostly nucleus, so they may be inverted", nucleus
    elif len(filled) > len(counted) / 2:
        problem, paths = "masks whose border is mostly no background, so their values may be in another order", filled
    else:
        return
    raise DatasetError(
        f"{folder}: {problem} ({_all(classes)}); correct them, or declare in {folder / TABLE} (columns value, class) "
        "which value is which class",
        map(str, paths),
    )


@dataclass(frozen=True)
class _Mask:
    """Count the pixels of each value in a mask and on its border."""

    path: Path
    counts: Counter[int]
    border: Counter[int]


def _bands(values: np.ndarray) -> Iterator[np.ndarray]:
    """Yield bands of rows with one value per pixel: ``uint8``, or ``int32`` if there are colours."""
    rows = max(1, BAND_PIXELS // values.shape[1])
    for top in range(0, len(values), rows):
        band = values[top : top + rows]
        if band.ndim == 3:
            red, green, blue = (band[..., k].astype(np.int32) for k in range(3))
            band = np.where((red == green) & (green == blue), red, _COLOUR | red << 16 | green << 8 | blue)
        yield band


def _count_values(path: Path) -> _Mask | None:
    """Count the values of a mask; stop after the first rows of a photograph, which has far too many values."""
    try:
        values = images.read_mask_values(path)
    except images.ImageError:
        return None
    counts: Counter[int] = Counter()
    for band in _bands(values):
        counts += _counted(band)
        if len(counts) > MAX_VALUES:
            break
    edges = (values[:1], values[-1:], values[:, :1], values[:, -1:])
    return _Mask(path, counts, sum((_counted(band) for edge in edges for band in _bands(edge)), Counter()))


def _counted(values: np.ndarray) -> Counter[int]:
    if values.dtype == np.uint8:
        counts = np.bincount(values.ravel(), minlength=256)
        return Counter({int(value): int(counts[value]) for value in np.flatnonzero(counts)})
    unique, counts = np.unique(values, return_counts=True)
    return Counter(dict(zip(unique.tolist(), counts.tolist(), strict=True)))


def _infer_classes(values: set[int]) -> dict[int, int] | None:
    """Return the class of each value if it is unambiguous."""
    known = sorted(values)
    if known in ([0], [0, 2]):
        return {value: value for value in known}
    if len(known) == 3 and known[0] == 0 and known[2] <= 255 and abs(known[2] - 2 * known[1]) <= 1:
        return dict(zip(known, (BACKGROUND, CYTOPLASM, NUCLEUS), strict=True))
    return None


def _on_border(mask: _Mask, classes: Mapping[int, int], label: int) -> float:
    return sum(n for value, n in mask.border.items() if classes[value] == label) / mask.border.total()


def _ambiguity_error(folder: Path, counted: list[_Mask]) -> DatasetError:
    """Build the error for ambiguous values, listing the masks that differ from most, or else all of them."""
    sets = Counter(frozenset(mask.counts) for mask in counted)
    usual = max(
        (one for one in sets if _infer_classes(set(one))), key=lambda one: (len(one), sets[one]), default=frozenset()
    )
    odd = [mask for mask in counted if not set(mask.counts) <= usual]
    if not usual or len(odd) > len(counted) / 2:
        usual, odd = frozenset(), counted
    problem = f"values other than {_all(usual)}" if usual else f"values {_all({v for one in sets for v in one})}"
    return DatasetError(
        f"{folder}: masks hold {problem}, which do not determine background, cytoplasm and nucleus; correct them, or "
        f"declare each value in {folder / TABLE} (columns value, class)",
        [_problem(mask, usual) for mask in odd],
    )


def _problem(mask: _Mask, known: Iterable[int]) -> str:
    return f"{mask.path}: {_listed(Counter({v: n for v, n in mask.counts.items() if v not in set(known)}))}"


def _text(value: int) -> str:
    return f"#{value - _COLOUR:06x}" if value >= _COLOUR else str(value)


def _all(values: Iterable[int]) -> str:
    known = sorted(values)
    more = f" and {len(known) - SHOWN_VALUES:,} more" if len(known) > SHOWN_VALUES else ""
    return ", ".join(map(_text, known[:SHOWN_VALUES])) + more


def _listed(counts: Counter[int]) -> str:
    shown = sorted(counts)[:SHOWN_VALUES]
    more = f" and {len(counts) - len(shown):,} more values" if len(counts) > len(shown) else ""
    return ", ".join(f"{_text(value)} ({counts[value]:,} pixels)" for value in shown) + more


def _declared(path: Path) -> dict[int, int]:
    table = read_table(path, ["value", "class"])
    classes: dict[int, int] = {}
    problems = []
    for value, name in zip(table["value"].str.strip(), table["class"].str.strip(), strict=True):
        numbers = _numbers(value)
        if not numbers:
            problems.append(f"value {value!r}: neither 0 to 255, a range as 0-63, nor a colour as #ff0000")
        elif name not in COMPARTMENTS:
            problems.append(f"class {name!r} of {value}: not one of {', '.join(COMPARTMENTS)}")
        elif set(numbers) & set(classes):
            problems.append(f"value {value}: occurs more than once")
        else:
            classes |= dict.fromkeys(numbers, COMPARTMENTS[name])
    if problems or not classes:
        raise DatasetError(f"{path}: one class for each value, with the columns value and class; correct it", problems)
    return classes


def _numbers(text: str) -> Sequence[int]:
    """Parse the value of a row: greys, or a colour as one number; a colour of three equal parts is a grey."""
    if colour := re.fullmatch(r"#([0-9a-fA-F]{6})", text):
        number = int(colour[1], 16)
        return [number & 255 if len(set(bytes.fromhex(colour[1]))) == 1 else _COLOUR | number]
    if grey := re.fullmatch(r"([0-9]{1,3})(?: *- *([0-9]{1,3}))?", text):
        first, last = int(grey[1]), int(grey[2] or grey[1])
        return range(first, last + 1) if last <= 255 else []
    return []
