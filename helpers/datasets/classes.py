"""Which class must not be missed, and whether there is another one to tell it from."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from helpers.datasets.clinical import LEUKAEMIC
from helpers.datasets.errors import DatasetError


def resolve_positive_class(classes: Iterable[str], given: str | float = "") -> str:
    """The class that must not be missed: the given one, or the leukaemic one of :data:`LEUKAEMIC`.

    Args:
        classes: their names.
        given: a name; also a number or truth value whose text is a name, because ``papermill -p positive 0`` makes a
            number of it. An empty text stands for the leukaemic class.

    Raises:
        DataError: there is no such class, or none is given and none is leukaemic.
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
    """Refuse a dataset whose images are all of one class, before anything is trained on it.

    Args:
        name: of the dataset, for the message.
        frame: of the dataset, with the column ``label``.

    Raises:
        DataError: fewer than two classes have an image.
    """
    present = list(frame["label"].dropna().unique())
    if len(present) < 2:
        what = f"all {len(frame)} images are of one class, {present[0]}" if present else "no image has a class"
        raise DatasetError(f"{name}: {what}; add a folder, or a dataset, with the class it is to be told from")
