"""Bring a dataset here, load it, and check it: from its name to a :class:`helpers.datasets.Dataset`.

The sequence is the same for all: :mod:`helpers.datasets.catalogue` knows what builds the dataset and where its files
lie, the module of the source lists them and makes the table, :mod:`helpers.datasets.copies` joins the groups of copies,
and the headers of all files are checked.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.datasets import archives, copies, fetch
from helpers.datasets.catalogue import OWN, Source, locate, refuse_unknown_options
from helpers.datasets.dataset import Dataset
from helpers.datasets.errors import DataError


def load(name: str, root: str | Path | None = None, on_bad: str = "raise", **options: Any) -> Dataset:
    """Load a dataset by name; files of the same content share a group.

    Args:
        name: one of :func:`helpers.datasets.names`, or ``folder:/path`` for your own class folders.
        root: the data root; see :func:`helpers.datasets.data_root`.
        on_bad: ``"raise"`` refuses a dataset in which a header shows a file to be unusable, and lists all of them;
            damage further in is found when the pixels are read. ``"skip"`` decodes everything once, goes on without
            what is damaged and warns how many images that left out.
        options: of the source, for instance ``fields=True`` for ``bccd``.

    Raises:
        DataError: the name or an option is unknown, the data are not there, or do not agree with their layout.
    """
    if on_bad not in ("raise", "skip"):
        raise DataError(f"on_bad is 'raise' or 'skip', not {on_bad!r}")
    dataset = _build(name, *locate(name, root), options)
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


def get(name: str, root: str | Path | None = None, **options: Any) -> Dataset:
    """Bring a dataset to its folder, check every image, and return it.

    What can be fetched is fetched and verified; for the rest, archives that lie in the folder are unpacked.

    Raises:
        DataError: no such option; a folder of your own; not to be fetched (the message says where to ask), or damaged.
    """
    source, directory = locate(name, root)
    if source is OWN:
        raise DataError(
            f"{name}: your own images are not fetched; check them with: python -m helpers data check {name}"
        )
    refuse_unknown_options(name, options, source, directory)
    if directory is not None and source.remote is not None:
        registry = source.remote.files(directory).registry
        fetch.download(source.remote, directory, tuple(file for file in registry if source.wanted(file, options)))
    elif directory is not None and directory.is_dir():
        archives.unpack_all(directory)
        return _check_layout(name, directory, root, options)
    return check(name, root, **options)


def _check_layout(name: str, directory: Path, root: str | Path | None, options: dict[str, Any]) -> Dataset:
    """:func:`check`, which does not ask for what was given, but says what that holds."""
    try:
        return check(name, root, **options)
    except DataError as error:
        held = archives.contents(directory)
        if not error.missing or not held:
            raise
        raise DataError(
            f"{name}: {directory} holds {held}, which is not laid out as expected; move or rename the folders ("
            f"{str(error).splitlines()[0]})",
            missing=True,
        ) from None


def check(name: str, root: str | Path | None = None, **options: Any) -> Dataset:
    """Load a dataset and decode every image and mask of it; of a folder, warn of images that show the same pixels.

    Raises:
        DataError: as :func:`load` does, or images are damaged; each is named.
    """
    source, directory = locate(name, root)
    dataset = _build(name, source, directory, options)
    digests, errors = zip(*dataset.try_rows(dataset.decode, "checking"), strict=True)
    bad = list(filter(None, errors))
    if bad:
        remedy = "mend or remove them" if source is OWN else "fetch them again"
        raise DataError(f"{name}: {len(bad)} of {len(dataset)} images are damaged; {remedy}", bad)
    if source is OWN:
        copies.warn_of_same_pixels(dataset, pd.Series(digests, index=dataset.frame.index))
    return dataset


def _build(name: str, source: Source, directory: Path | None, options: dict[str, Any]) -> Dataset:
    """A dataset whose copies share a group, before its headers are looked at."""
    refuse_unknown_options(name, options, source, directory)
    try:
        dataset = source.build(*([] if directory is None else [directory]), **options)
    except DataError as error:
        if error.missing and source is not OWN:
            raise DataError(f"{error}\n{_instructions(name, source, directory)}", missing=True) from None
        raise
    return copies.join_copies(dataset, refuse_torn=source is OWN)


def _instructions(name: str, source: Source, directory: Path | None) -> str:
    if source.remote is not None:
        return f"To fetch {name}: python -m helpers data get {name}   (or set LEUKOBOOK_DATA to a folder that has it)"
    return (
        f"To get {name}: {source.ask} into {directory}; then run: python -m helpers data get {name}\n"
        f"Home page: {source.card.home}   Licence: {source.card.licence}"
    )
