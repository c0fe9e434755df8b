"""Catalogue of datasets: names, loaders, and where their files lie and come from."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import project
from helpers.datasets import (
    all_idb,
    aria,
    bccd,
    bloodmnist,
    cnmc,
    download,
    folder,
    leukocytes4,
    pbc,
    synthetic,
    txl,
    wbc,
)
from helpers.datasets.card import DatasetCard
from helpers.datasets.dataset import Dataset
from helpers.datasets.errors import DatasetError

FOLDER = "folder:"


@dataclass(frozen=True)
class DatasetSpec:
    """Specify how to load a dataset and where its files come from.

    Attributes:
        loader: ``loader(folder, **options) -> Dataset``; ``loader(**options)`` if no files are read.
        card: licence, citation and known issues.
        folder: the dataset's folder below the data root; ``None`` if no files are read (synthetic) or the user sets it.
        remote: files that can be downloaded without an account; ``None`` if the user has to request them.
        instructions: where to request, what to download and where to put it, for sources without ``remote``.
        file_filter: whether a file of the remote's registry is needed, from its name and the options.
    """

    loader: Callable[..., Dataset]
    card: DatasetCard
    folder: str | None = None
    remote: download.Remote | None = None
    instructions: str = ""
    file_filter: Callable[[str, dict[str, Any]], bool] = lambda name, options: True


SOURCES: dict[str, DatasetSpec] = {
    "synthetic": DatasetSpec(synthetic.synthetic, synthetic.CARD),
    "wbc1": DatasetSpec(
        wbc.load_wbc1, wbc.CARD1, "wbc", wbc.REMOTE, file_filter=lambda name, options: "Dataset 1" in name
    ),
    "wbc2": DatasetSpec(
        wbc.load_wbc2, wbc.CARD2, "wbc", wbc.REMOTE, file_filter=lambda name, options: "Dataset 2" in name
    ),
    "bccd": DatasetSpec(bccd.load_bccd, bccd.CARD, "bccd", bccd.REMOTE),
    "pbc": DatasetSpec(
        pbc.load_pbc,
        pbc.CARD,
        "pbc",
        instructions="open the home page, download PBC_dataset_normal_DIB.zip (no account needed) and put the zip file",
    ),
    "txl": DatasetSpec(
        txl.load_txl,
        txl.CARD,
        "txl",
        instructions="download the repository of the home page, put the images of PBC and Raabin-WBC and their label "
        "files, without its subfolders, into images and labels, write cells.csv (image, source, original, type, "
        "type_from, slide) and put all three",
    ),
    "bloodmnist": DatasetSpec(
        bloodmnist.load_bloodmnist,
        bloodmnist.CARD,
        "bloodmnist",
        bloodmnist.REMOTE,
        file_filter=lambda name, options: name == bloodmnist.archive_name(options.get("size", 28)),
    ),
    "cnmc": DatasetSpec(
        cnmc.load_cnmc,
        cnmc.CARD,
        "cnmc",
        instructions="open the home page, download C-NMC_training_data (and the preliminary test set with its CSV "
        "file) with the TCIA data retriever and put the folders, or their zip files,",
    ),
    "all_idb1": DatasetSpec(
        all_idb.load_all_idb1,
        all_idb.CARD1,
        "all_idb",
        instructions="apply with the form on the home page (institutional address), download ALL_IDB1.zip and put "
        "it, or its folder,",
    ),
    "all_idb2": DatasetSpec(
        all_idb.load_all_idb2,
        all_idb.CARD2,
        "all_idb",
        instructions="apply with the form on the home page (institutional address), download ALL_IDB2.zip and put "
        "it, or its folder,",
    ),
    "aria": DatasetSpec(
        aria.load_aria,
        aria.CARD,
        "aria",
        instructions="log in to Kaggle on the home page, download the archive and put it, or its folder Original (and "
        "Segmented),",
    ),
    "leukocytes4": DatasetSpec(
        leukocytes4.load_leukocytes4,
        leukocytes4.CARD,
        "leukocytes4",
        instructions="open the home page, download small_dataset.rar, unpack it (7-Zip, unrar) and put the "
        "folder small_dataset",
    ),
}


# The user's own images; the name contains the folder: ``folder:/path``.
OWN = DatasetSpec(folder.load_folder, folder.FOLDER_CARD)


def list_datasets() -> list[str]:
    """List the dataset names; in addition, ``folder:/path`` loads your own class folders."""
    return list(SOURCES)


def data_root(root: str | Path | None = None) -> Path:
    """Return the folder that contains all datasets: ``root``, else ``$LEUKOBOOK_DATA``, else the user's cache.

    Raises:
        DatasetError: the path is not valid.
    """
    return _resolved(root or os.environ.get("LEUKOBOOK_DATA") or project.user_cache())


def _resolved(path: str | Path) -> Path:
    try:
        return Path(path).expanduser().resolve()
    except (RuntimeError, OSError, ValueError) as error:  # no such user; a loop of links; a null byte
        raise DatasetError(f"{str(path)!r}: not a path that can be read ({error}); check how it is written") from None


def locate(name: str, root: str | Path | None = None) -> tuple[DatasetSpec, Path | None]:
    """Look up the specification of a dataset and the folder of its files.

    Args:
        name: one of :func:`helpers.datasets.list_datasets`, or ``folder:/path``.
        root: the data root; see :func:`helpers.datasets.data_root`.

    Returns:
        The specification and the folder, which need not exist; ``None`` instead of a folder if no files are read.

    Raises:
        DatasetError: there is no such dataset, or ``folder:`` has no path.
    """
    if name.startswith(FOLDER):
        return OWN, _own_folder(name)
    source = _source(name)
    return source, data_root(root) / source.folder if source.folder else None


def _source(name: str) -> DatasetSpec:
    if name not in SOURCES:
        raise DatasetError(f"no dataset {name!r}; known are {', '.join(SOURCES)}, and folder:/path for your own images")
    return SOURCES[name]


def _own_folder(name: str) -> Path:
    """Return the path in ``folder:/path``."""
    path = name.removeprefix(FOLDER)
    if not path.strip():
        raise DatasetError(f"{name}: names no folder; write folder:/path/to/your/images")
    return _resolved(path)


def refuse_unknown_options(name: str, options: dict[str, Any], source: DatasetSpec, directory: Path | None) -> None:
    """Raise an error for options that a dataset does not have.

    Args:
        name: of the dataset, for the message.
        options: loader options.
        source: specification of the dataset.
        directory: folder of the dataset, the loader's first parameter; ``None`` if no files are read.

    Raises:
        DatasetError: some options are unknown; the message lists the known ones.
    """
    known = list(inspect.signature(source.loader).parameters)[int(directory is not None) :]
    unknown = [key for key in options if key not in known]
    if unknown:
        raise DatasetError(f"{name}: no option {', '.join(unknown)}; it has {', '.join(known) or 'none'}")


def dataset_options(name: str, options: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Select the options of one dataset from the options of several, as the chapters pass them.

    Args:
        name: of the dataset; different spellings of a folder's path (``~``, relative) are equal.
        options: options by dataset name.

    Returns:
        The options of the dataset; empty if it is not among the keys.

    Raises:
        DatasetError: ``options`` is not a dictionary of dictionaries, or a key is not a dataset.

    Example:
        >>> from helpers import datasets
        >>> options = {"synthetic": {"n_images": 60}, "wbc1": {}}
        >>> datasets.dataset_options("synthetic", options)
        {'n_images': 60}
        >>> datasets.dataset_options("wbc2", options)
        {}
    """
    if not isinstance(options, dict):  # papermill -p passes a string
        raise DatasetError(
            f"options is {options!r}, and not by dataset; with papermill give YAML, -y 'options: {{{name}: {{n: 30}}}}'"
        )
    for dataset, values in options.items():
        if not dataset.startswith(FOLDER):
            _source(dataset)
        if not isinstance(values, dict):
            raise DatasetError(f"options are given by dataset, {{{dataset!r}: {{option: value}}}}, not {values!r}")
    if not name.startswith(FOLDER):
        return options.get(name, {})
    folders = (dataset for dataset in options if dataset.startswith(FOLDER))
    return next((options[other] for other in folders if _own_folder(other) == _own_folder(name)), {})
