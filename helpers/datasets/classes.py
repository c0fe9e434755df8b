"""Choose the positive class, and check that a dataset has more than one class."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from helpers.datasets.clinical import LEUKAEMIC
from helpers.datasets.errors import DatasetError


def resolve_positive_class(classes: Iterable[str], given: str | float = "") -> str:
    """Choose the positive class: the user's choice, or by default the leukaemic class of :data:`LEUKAEMIC`.

    Args:
        classes: class names.
        given: a class name; also a number or truth value whose text is a class name, because
            ``papermill -p positive 0`` passes a number. An empty string selects the leukaemic class.

    Raises:
        DatasetError: there is no such class, or the default is used and no class is leukaemic.
    """
    known = list(classes)
    found = [name for name in known if name == str(given) or (given in ("", None) and name in LEUKAEMIC)]
    if not found:
        what = "no leukaemic class" if given in ("", None) else f"no class {given!r}"
        hint = (
            "" if isinstance(given, str | None) else f"; papermill keeps a text with -r positive {given} in place of -p"
        )
        raise DatasetError(f"{what}; say which class must not be missed, one of {', '.join(known)}{hint}")
    return found[0]


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
        what = f"all {len(frame)} images are of one class, {present[0]}" if present else "no image has a class"
        raise DatasetError(f"{name}: {what}; add a folder, or a dataset, with the class it is to be told from")
