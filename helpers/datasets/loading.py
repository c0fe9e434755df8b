"""Fetch, load and validate datasets: from a name to a :class:`helpers.datasets.Dataset`.

All datasets follow the same sequence: :mod:`helpers.datasets.catalogue` looks up the loader and the folder, the module
of the source lists the files and builds the table, :mod:`helpers.datasets.copies` merges the groups of identical files,
and the headers of all files are checked. :mod:`helpers.datasets.verified` tells whether the files were found in order
before.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import images
from helpers.datasets import archives, copies, download, verified
from helpers.datasets.catalogue import OWN, DatasetSpec, locate, refuse_unknown_options
from helpers.datasets.dataset import Dataset
from helpers.datasets.errors import DatasetError


def load(name: str, root: str | Path | None = None, on_error: str = "raise", **options: Any) -> Dataset:
    """Load a dataset by name; files of identical content share a group.

    Args:
        name: one of :func:`helpers.datasets.list_datasets`, or ``folder:/path`` for your own class folders.
        root: the data root; see :func:`helpers.datasets.data_root`.
        on_error: ``"raise"`` reads the headers and raises an error that lists all unusable files; damage behind the
            header shows only when the pixels are read. ``"skip"`` decodes every file once, drops the damaged ones and
            warns with their number.
        options: loader options, for instance ``whole_fields=True`` for ``bccd``.

    Raises:
        DatasetError: the name or an option is unknown, or the data are missing or do not match their layout.

    Example:
        >>> from helpers import datasets
        >>> data = datasets.load("synthetic", n_images=60, task="leukaemia")
        >>> len(data)
        60
        >>> data.classes
        ('lymphocyte', 'lymphoblast')
        >>> data.frame["group"].nunique()
        12
    """
    if on_error not in ("raise", "skip"):
        raise DatasetError(f"on_error must be 'raise' or 'skip', got {on_error!r}")
    source, directory = locate(name, root)
    dataset = _build(name, source, directory, options)
    state = verified.hash_state(dataset)
    known = verified.recall(state)
    copied = copies.find_copied_files(dataset) if known is None else known
    dataset = copies.group_copies(dataset, copied, refuse_conflicts=source is OWN)
    bad = {}
    if known is None or on_error == "skip":
        bad = dataset.find_problems(decode=on_error == "skip")
    if known is None and not bad:
        verified.remember(state, copied)
    if bad and on_error == "raise":
        raise DatasetError(
            f"{name}: {len(bad)} of {len(dataset)} images cannot be used; mend or remove these files, "
            'or go on without them (--skip-unreadable; on_error="skip" in Python)',
            bad.values(),
        )
    if bad:
        warnings.warn(
            str(DatasetError(f"{name}: going on without {len(bad)} of {len(dataset)} images", bad.values())),
            stacklevel=2,
        )
        kept = dataset.select(dataset.frame.index.difference(list(bad), sort=False))
        dataset = replace(kept, unreadable=tuple(bad))
    return dataset


def fetch(name: str, root: str | Path | None = None, **options: Any) -> Dataset:
    """Download or unpack a dataset, check every image, and return it.

    Files that can be downloaded are downloaded and verified; for other datasets, archives in the folder are unpacked.

    Args:
        name: one of :func:`helpers.datasets.list_datasets`.
        root: the data root; see :func:`helpers.datasets.data_root`.
        options: loader options.

    Raises:
        DatasetError: an option is unknown, the name is a folder of your own, or the data are damaged or cannot be
            downloaded (the message says where to request them).
    """
    source, directory = locate(name, root)
    if source is OWN:
        raise DatasetError(
            f"{name}: your own images are not fetched; check them with: python -m helpers data check {name}"
        )
    refuse_unknown_options(name, options, source, directory)
    if directory is not None and source.remote is not None:
        registry = source.remote.files(directory).registry
        download.download_files(
            source.remote, directory, tuple(file for file in registry if source.file_filter(file, options))
        )
    elif directory is not None and directory.is_dir():
        archives.unpack_all(directory)
        return _check_layout(name, directory, root, options)
    return validate(name, root, **options)


def _check_layout(name: str, directory: Path, root: str | Path | None, options: dict[str, Any]) -> Dataset:
    """Validate a dataset of unpacked archives; if the layout does not match, list what the folder contains."""
    try:
        return validate(name, root, **options)
    except DatasetError as error:
        listed = archives.contents(directory)
        if not error.missing or not listed:
            raise
        raise DatasetError(
            f"{name}: {directory} holds {listed}, which is not laid out as expected; move or rename the folders ("
            f"{str(error).splitlines()[0]})",
            missing=True,
        ) from None


def validate(name: str, root: str | Path | None = None, **options: Any) -> Dataset:
    """Load a dataset and decode every image and mask; for your own folders, warn of images with equal pixels.

    Args:
        name: one of :func:`helpers.datasets.list_datasets`, or ``folder:/path``.
        root: the data root; see :func:`helpers.datasets.data_root`.
        options: loader options.

    Raises:
        DatasetError: as :func:`load`, or images are damaged; the message lists all.
    """
    source, directory = locate(name, root)
    dataset = _build(name, source, directory, options)
    dataset = copies.group_copies(dataset, copies.find_copied_files(dataset), refuse_conflicts=source is OWN)
    digests, bad = [], []
    for outcome in dataset.try_rows(dataset.decode, "checking"):
        if isinstance(outcome, images.ImageError):
            bad.append(str(outcome))
        else:
            digests.append(outcome)
    if bad:
        remedy = "mend or remove them" if source is OWN else "fetch them again"
        raise DatasetError(f"{name}: {len(bad)} of {len(dataset)} images are damaged; {remedy}", bad)
    if source is OWN:
        copies.warn_of_equal_pixels(dataset, pd.Series(digests, index=dataset.frame.index))
    return dataset


def _build(name: str, source: DatasetSpec, directory: Path | None, options: dict[str, Any]) -> Dataset:
    """List the files of a dataset and build its table."""
    refuse_unknown_options(name, options, source, directory)
    try:
        return source.loader(*([] if directory is None else [directory]), **options)
    except DatasetError as error:
        if error.missing and source is not OWN:
            raise DatasetError(f"{error}\n{_instructions(name, source, directory)}", missing=True) from None
        raise


def _instructions(name: str, source: DatasetSpec, directory: Path | None) -> str:
    if source.remote is not None:
        return f"To fetch {name}: python -m helpers data get {name}   (or set LEUKOBOOK_DATA to a folder that has it)"
    return (
        f"To get {name}: {source.instructions} into {directory}; then run: python -m helpers data get {name}\n"
        f"Home page: {source.card.homepage}   Licence: {source.card.licence}"
    )
