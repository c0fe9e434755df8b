"""The catalogue of datasets: every name, what builds it, and where its files lie and come from."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import project
from helpers.datasets import all_idb, aria, bccd, bloodmnist, cnmc, fetch, folder, leukocytes4, pbc, synthetic, wbc
from helpers.datasets.card import Card
from helpers.datasets.dataset import Dataset
from helpers.datasets.errors import DataError

FOLDER = "folder:"


@dataclass(frozen=True)
class Source:
    """How to build a dataset, and where its files come from.

    Attributes:
        build: ``build(folder, **options) -> Dataset``; ``build(**options)`` where nothing is read.
        card: what one must know of it.
        folder: its folder below the data root; ``None`` where nothing is read (synthetic) or the user names the folder.
        remote: files that can be fetched without an account; ``None`` where they must be asked for.
        ask: where to ask, what to download and where to put it, for sources without ``remote``.
        wanted: whether a file of the remote's registry is needed, by its name and the options.
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


# Images of the user's own, whose folder stands in the name: ``folder:/path``.
OWN = Source(folder.folder, folder.FOLDER_CARD)


def names() -> list[str]:
    """List the names that :func:`load` knows; beside these, ``folder:/path`` loads your own class folders."""
    return list(SOURCES)


def data_root(root: str | Path | None = None) -> Path:
    """Find the folder below which datasets lie: ``root``, else ``$LEUKOBOOK_DATA``, else the user's cache.

    Raises:
        DataError: it is not a path that can be read.
    """
    return _resolved(root or os.environ.get("LEUKOBOOK_DATA") or project.user_cache())


def _resolved(path: str | Path) -> Path:
    try:
        return Path(path).expanduser().resolve()
    except (RuntimeError, OSError, ValueError) as error:  # no such user; a loop of links; a null byte
        raise DataError(f"{str(path)!r}: not a path that can be read ({error}); check how it is written") from None


def locate(name: str, root: str | Path | None = None) -> tuple[Source, Path | None]:
    """Find the source that a name stands for, and the folder of its files.

    Args:
        name: one of :func:`names`, or ``folder:/path``.
        root: the data root; see :func:`data_root`.

    Returns:
        The source and the folder, which need not be there; ``None`` where nothing is read.

    Raises:
        DataError: there is no such dataset, or the name ends before the path.
    """
    if name.startswith(FOLDER):
        return OWN, _own_folder(name)
    source = _source(name)
    return source, data_root(root) / source.folder if source.folder else None


def _source(name: str) -> Source:
    if name not in SOURCES:
        raise DataError(f"no dataset {name!r}; known are {', '.join(SOURCES)}, and folder:/path for your own images")
    return SOURCES[name]


def _own_folder(name: str) -> Path:
    """The folder that ``folder:/path`` names."""
    path = name.removeprefix(FOLDER)
    if not path.strip():
        raise DataError(f"{name}: names no folder; write folder:/path/to/your/images")
    return _resolved(path)


def refuse_unknown_options(name: str, options: dict[str, Any], source: Source, directory: Path | None) -> None:
    """Refuse options that a dataset does not have; the first parameter of one that reads files is their folder.

    Raises:
        DataError: some are unknown; the message names those that there are.
    """
    known = list(inspect.signature(source.build).parameters)[int(directory is not None) :]
    unknown = [key for key in options if key not in known]
    if unknown:
        raise DataError(f"{name}: no option {', '.join(unknown)}; it has {', '.join(known) or 'none'}")


def options_for(name: str, options: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Select the options of one dataset from those of several, as the chapters take them.

    Args:
        name: of the dataset; a folder is the same however its path is written (``~``, relative).
        options: by name of the dataset.

    Returns:
        The options; none where the dataset is not among them.

    Raises:
        DataError: the options are not by dataset.
    """
    if not isinstance(options, dict):  # papermill -p makes a text of it
        raise DataError(
            f"options is {options!r}, and not by dataset; with papermill give YAML, -y 'options: {{{name}: {{n: 30}}}}'"
        )
    for dataset, values in options.items():
        if not dataset.startswith(FOLDER):
            _source(dataset)
        if not isinstance(values, dict):
            raise DataError(f"options are given by dataset, {{{dataset!r}: {{option: value}}}}, not {values!r}")
    if not name.startswith(FOLDER):
        return options.get(name, {})
    folders = (dataset for dataset in options if dataset.startswith(FOLDER))
    return next((options[other] for other in folders if _own_folder(other) == _own_folder(name)), {})
