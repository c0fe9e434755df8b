"""The datasets of the course, each behind one call: ``load("wbc1") -> Dataset``.

Where data lie: every source has a folder below the data root, which is the argument ``root``, else the environment
variable ``LEUKOBOOK_DATA``, else a cache folder of the user. ``python -m helpers data list`` shows the names and the
folders.
"""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import home
from helpers.datasets import (
    all_idb,
    archives,
    aria,
    bccd,
    bloodmnist,
    cnmc,
    copies,
    fetch,
    folder,
    leukocytes4,
    pbc,
    synthetic,
    wbc,
)
from helpers.datasets.base import BACKGROUND, CYTOPLASM, NUCLEUS, Dataset
from helpers.datasets.card import Card
from helpers.datasets.classes import positive_class, refuse_single_class
from helpers.datasets.errors import DataError
from helpers.datasets.listing import find_images

__all__ = [
    "BACKGROUND", "CYTOPLASM", "NUCLEUS", "SOURCES", "Card", "DataError", "Dataset",
    "Source", "check", "data_root", "find_images", "get", "load", "names", "options_for", "positive_class",
    "refuse_single_class",
]  # fmt: skip

FOLDER = "folder:"


@dataclass(frozen=True)
class Source:
    """One dataset: how to build it, and where its files come from.

    Attributes:
        build: ``build(folder, **options) -> Dataset``.
        card: what one must know of it.
        folder: its folder below the data root; ``None`` where nothing is read (drawn) or the user names the folder.
        remote: files that can be fetched without an account; ``None`` where they must be asked for.
        ask: where to ask, what to download and where to put it, for sources without ``remote``.
        wanted: whether a file of the remote's registry is needed, given the options.
    """

    build: Callable[..., Dataset]
    card: Card
    folder: str | None = None
    remote: fetch.Remote | None = None
    ask: str = ""
    wanted: Callable[[str, dict[str, Any]], bool] = lambda name, options: True


SOURCES: dict[str, Source] = {
    "synthetic": Source(synthetic.synthetic, synthetic.CARD),
    "wbc1": Source(wbc.wbc1, wbc.CARD1, "wbc", wbc.REMOTE, wanted=lambda name, options: "Dataset 1" in name),
    "wbc2": Source(wbc.wbc2, wbc.CARD2, "wbc", wbc.REMOTE, wanted=lambda name, options: "Dataset 2" in name),
    "bccd": Source(bccd.bccd, bccd.CARD, "bccd", bccd.REMOTE),
    "pbc": Source(
        pbc.pbc,
        pbc.CARD,
        "pbc",
        ask="open the home page, download PBC_dataset_normal_DIB.zip (no account needed) and put the zip file",
    ),
    "bloodmnist": Source(
        bloodmnist.bloodmnist,
        bloodmnist.CARD,
        "bloodmnist",
        bloodmnist.REMOTE,
        wanted=lambda name, options: name == bloodmnist.file_name(options.get("pixels", 28)),
    ),
    "cnmc": Source(
        cnmc.cnmc,
        cnmc.CARD,
        "cnmc",
        ask="open the home page, download C-NMC_training_data (and the preliminary test set with its CSV file) with "
        "the TCIA data retriever and put the folders, or their zip files,",
    ),
    "all_idb1": Source(
        all_idb.all_idb1,
        all_idb.CARD1,
        "all_idb",
        ask="apply with the form on the home page (institutional address), download ALL_IDB1.zip and put it, or its "
        "folder,",
    ),
    "all_idb2": Source(
        all_idb.all_idb2,
        all_idb.CARD2,
        "all_idb",
        ask="apply with the form on the home page (institutional address), download ALL_IDB2.zip and put it, or its "
        "folder,",
    ),
    "aria": Source(
        aria.aria,
        aria.CARD,
        "aria",
        ask="log in to Kaggle on the home page, download the archive and put it, or its folder Original (and "
        "Segmented),",
    ),
    "leukocytes4": Source(
        leukocytes4.leukocytes4,
        leukocytes4.CARD,
        "leukocytes4",
        ask="open the home page, download small_dataset.rar, unpack it (7-Zip, unrar) and put the folder small_dataset",
    ),
}


def names() -> list[str]:
    """The names that :func:`load` knows; beside these, ``folder:/path`` loads your own class folders."""
    return list(SOURCES)


def data_root(root: str | Path | None = None) -> Path:
    """The folder below which datasets lie: ``root``, else ``$LEUKOBOOK_DATA``, else the user's cache."""
    return _resolved(root or os.environ.get("LEUKOBOOK_DATA") or home.cache())


def _resolved(place: str | Path) -> Path:
    try:
        return Path(place).expanduser().resolve()
    except (RuntimeError, OSError, ValueError) as error:  # no such user; a loop of links; a null byte
        raise DataError(f"{str(place)!r}: not a path that can be read ({error}); check how it is written") from None


def load(name: str, root: str | Path | None = None, on_bad: str = "raise", **options: Any) -> Dataset:
    """Load a dataset by name; files of the same content share a group.

    Args:
        name: one of :func:`names`, or ``folder:/path`` for your own class folders.
        root: the data root; see :func:`data_root`.
        on_bad: ``"raise"`` refuses a dataset in which a header shows a file to be unusable, and lists all of them;
            damage further in is found when the pixels are read. ``"skip"`` decodes everything once, goes on without
            what is damaged and warns how many images that left out.
        options: of the source, for instance ``fields=True`` for ``bccd``.

    Raises:
        DataError: the name or an option is unknown, the data are not there, or do not agree with their layout.
    """
    if on_bad not in ("raise", "skip"):
        raise DataError(f"on_bad is 'raise' or 'skip', not {on_bad!r}")
    dataset = _joined(name, root, options)
    bad = dataset.problems(decode=on_bad == "skip")
    if bad and on_bad == "raise":
        raise DataError(
            f"{name}: {len(bad)} of {len(dataset)} images cannot be used; mend or remove these files, "
            'or go on without them (--skip-bad; on_bad="skip" in Python)',
            bad.values(),
        )
    if bad:
        warnings.warn(
            str(DataError(f"{name}: going on without {len(bad)} of {len(dataset)} images", bad.values())), stacklevel=2
        )
        dataset = dataset.subset(dataset.frame.index.difference(bad, sort=False))
    return dataset


def _joined(name: str, root: str | Path | None, options: dict[str, Any]) -> Dataset:
    return copies.join_copies(_build(name, root, options), refuse_torn=name.startswith(FOLDER))


def options_for(name: str, options: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The options of one dataset out of those of several, as the chapters take them; none where it is not among them.

    A folder is the same however its path is written (``~``, relative).

    Raises:
        DataError: what is given is not by dataset.
    """
    if not isinstance(options, dict):  # papermill -p makes a text of it
        raise DataError(
            f"options is {options!r}, and not by dataset; with papermill give YAML, -y 'options: {{{name}: {{n: 30}}}}'"
        )
    for dataset, own in options.items():
        if not dataset.startswith(FOLDER):
            _source(dataset)
        if not isinstance(own, dict):
            raise DataError(f"options are given by dataset, {{{dataset!r}: {{option: value}}}}, not {options!r}")
    if not name.startswith(FOLDER):
        return options.get(name, {})
    own = [given for dataset, given in options.items() if dataset.startswith(FOLDER) and _own(dataset) == _own(name)]
    return own[0] if own else {}


def _own(name: str) -> Path:
    """The place that ``folder:/path`` names."""
    place = name.removeprefix(FOLDER)
    if not place.strip():
        raise DataError(f"{name}: names no folder; write folder:/path/to/your/images")
    return _resolved(place)


def _build(name: str, root: str | Path | None, options: dict[str, Any]) -> Dataset:
    if name.startswith(FOLDER):
        _refuse_unknown(name, options, folder.folder)
        return folder.folder(_own(name), **options)
    source = _source(name)
    _refuse_unknown(name, options, source.build, reads=source.folder is not None)
    if source.folder is None:
        return source.build(**options)
    place = data_root(root) / source.folder
    try:
        return source.build(place, **options)
    except DataError as error:
        if error.missing:
            raise DataError(f"{error}\n{_how_to_get(name, place)}", missing=True) from None
        raise


def _refuse_unknown(name: str, options: dict[str, Any], build: Callable[..., Dataset], reads: bool = True) -> None:
    """Refuse options that a dataset does not have; the first parameter of one that reads files is their folder."""
    known = list(inspect.signature(build).parameters)[int(reads) :]
    unknown = [key for key in options if key not in known]
    if unknown:
        raise DataError(f"{name}: no option {', '.join(unknown)}; it has {', '.join(known) or 'none'}")


def _source(name: str) -> Source:
    if name not in SOURCES:
        raise DataError(f"no dataset {name!r}; known are {', '.join(SOURCES)}, and folder:/path for your own images")
    return SOURCES[name]


def _how_to_get(name: str, place: Path) -> str:
    source = SOURCES[name]
    if source.remote is not None:
        return f"To fetch {name}: python -m helpers data get {name}   (or set LEUKOBOOK_DATA to a folder that has it)"
    return (
        f"To get {name}: {source.ask} into {place}; then run: python -m helpers data get {name}\n"
        f"Home page: {source.card.home}   Licence: {source.card.licence}"
    )


def get(name: str, root: str | Path | None = None, **options: Any) -> Dataset:
    """Bring a dataset to its folder, check every image, and return it.

    What can be fetched is fetched and verified; for the rest, archives that lie in the folder are unpacked.

    Raises:
        DataError: no such option; a folder of your own; not to be fetched (the message says where to ask), or damaged.
    """
    if name.startswith(FOLDER):
        raise DataError(
            f"{name}: your own images are not fetched; check them with: python -m helpers data check {name}"
        )
    source = _source(name)
    _refuse_unknown(name, options, source.build, reads=source.folder is not None)
    if source.folder is not None:
        place = data_root(root) / source.folder
        if source.remote is not None:
            registry = source.remote.files(place).registry
            fetch.download(source.remote, place, tuple(file for file in registry if source.wanted(file, options)))
        elif place.is_dir():
            archives.unpack_all(place)
            return _check_layout(name, place, root, options)
    return check(name, root, **options)


def _check_layout(name: str, place: Path, root: str | Path | None, options: dict[str, Any]) -> Dataset:
    """:func:`check`, which does not ask for what was given, but says what that holds."""
    try:
        return check(name, root, **options)
    except DataError as error:
        held = archives.contents(place)
        if not error.missing or not held:
            raise
        raise DataError(
            f"{name}: {place} holds {held}, which is not laid out as expected; move or rename the folders ("
            f"{str(error).splitlines()[0]})",
            missing=True,
        ) from None


def check(name: str, root: str | Path | None = None, **options: Any) -> Dataset:
    """Load a dataset and decode every image and mask of it; of a folder, warn of images that show the same pixels.

    Raises:
        DataError: as :func:`load` does, or images are damaged; each is named.
    """
    dataset = _joined(name, root, options)
    bad = dataset.problems(decode=True)
    if bad:
        remedy = "mend or remove them" if name.startswith(FOLDER) else "fetch them again"
        raise DataError(f"{name}: {len(bad)} of {len(dataset)} images are damaged; {remedy}", bad.values())
    if name.startswith(FOLDER):
        copies.warn_of_same_pixels(dataset)
    return dataset
