"""Choose and check the positive class, and check that a dataset has more than one class."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

import pandas as pd

from helpers.datasets.clinical import LEUKAEMIC
from helpers.datasets.errors import DatasetError


def resolve_positive_class(classes: Iterable[str], positive: str | float = "") -> str:
    """Choose the positive class: the user's choice, or by default the leukaemic class.

    Leukaemic classes are those of :data:`helpers.datasets.clinical.LEUKAEMIC`.

    Args:
        classes: class names.
        positive: a class name; also a number or truth value whose text is a class name, because
            ``papermill -p positive 0`` passes a number. An empty string selects the leukaemic class.

    Raises:
        DatasetError: there is no such class, or the default is used and no class is leukaemic.
    """
    known = list(classes)
    matches = [name for name in known if name == str(positive) or (positive in ("", None) and name in LEUKAEMIC)]
    if not matches:
        problem = "no leukaemic class" if positive in ("", None) else f"no class {positive!r}"
        is_text = isinstance(positive, str | None)
        hint = _papermill_option(known[-1]) if is_text else f"-r positive {positive}, which keeps text"
        raise DatasetError(
            f"{problem}; set the positive class to one of {', '.join(known)}; with papermill pass {hint}"
        )
    return matches[0]


def _papermill_option(name: str) -> str:
    """Return the option of papermill that selects a class; ``-r`` keeps text that ``-p`` would read as a number."""
    is_number = re.fullmatch(r"[\d.+-][\d.eE+_-]*|True|False|None", name)
    return f"{'-r' if is_number else '-p'} positive {shlex.quote(name)}"


def refuse_unknown_class(name: str, positive: str, classes: Iterable[str]) -> None:
    """Raise an error if the positive class is none of a dataset, before anything is computed for it.

    Args:
        name: public name of the dataset, for the message.
        positive: the positive class.
        classes: class names of the dataset.

    Raises:
        DatasetError: there is no such class.
    """
    known = list(classes)
    if positive not in known:
        raise DatasetError(f"unknown positive class {positive!r} of {name}; choose from {', '.join(known)}")


def refuse_single_class(name: str, frame: pd.DataFrame) -> None:
    """Raise an error if all images of a dataset belong to one class, before a model is trained on it.

    Args:
        name: name of the dataset, for the message.
        frame: table of the dataset with the column ``label``.

    Raises:
        DatasetError: fewer than two classes have images.
    """
    present = list(frame["label"].dropna().unique())
    if len(present) < 2:
        problem = f"all {len(frame)} images are of one class, {present[0]}" if present else "no image has a class"
        raise DatasetError(f"{name}: {problem}; add a folder, or a dataset, with the class it is to be told from")
