"""Which class must not be missed, and whether there is another one to tell it from."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from helpers.datasets.errors import DataError

# The classes of leukaemic cells: of the synthetic cells, of C-NMC, of ALL-IDB.
LEUKAEMIC = ("lymphoblast", "all", "blast")


def positive_class(classes: Iterable[str], given: str = "") -> str:
    """The class that must not be missed: the given one, or the leukaemic one of :data:`LEUKAEMIC`.

    Raises:
        DataError: there is no such class, or none is given and none is leukaemic.
    """
    known = list(classes)
    found = [name for name in known if name == given or (not given and name in LEUKAEMIC)]
    if not found:
        what = f"no class {given!r}" if given else "no leukaemic class"
        raise DataError(f"{what}; say which class must not be missed, one of {', '.join(known)}")
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
        raise DataError(f"{name}: {what}; add a folder, or a dataset, with the class it is to be told from")
