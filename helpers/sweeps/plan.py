"""What a sweep will run: every combination of its grid, each under a name of its own."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from helpers import datasets, notebooks, runs


@dataclass(frozen=True)
class Task:
    """One run of one notebook.

    Attributes:
        name: of the notebook and a digest of its parameters: the same in every repetition.
        notebook: its name.
        parameters: given to it.
        key: a digest of all that decides its outputs: notebook, helpers, libraries, parameters and data.
        dataset: name and options, as JSON, of its dataset; empty where it has none.
        data: fingerprint of that dataset.
    """

    name: str
    notebook: str
    parameters: dict[str, Any]
    key: str
    dataset: tuple[str, ...]
    data: str


def expand(profile: runs.Profile) -> Iterator[Task]:
    """The runs of a profile, in the order of its notebooks and of its grid.

    A parameter of the grid that a notebook does not have does not multiply its runs.

    Raises:
        DataError: a dataset cannot be read.
    """
    prints: dict[tuple[str, ...], str] = {}  # each dataset is looked at once
    for notebook, given in profile.notebooks.items():
        source = notebooks.NOTEBOOKS / f"{notebook}.ipynb"
        content, defaults = runs.content_digest(source), notebooks.parameters(notebooks.read(source))
        own = {name: values for name, values in profile.grid.items() if name in defaults}
        for chosen in itertools.product(*own.values()):
            parameters = {**given, **dict(zip(own, chosen, strict=True))}
            name, options = (({**defaults, **parameters}).get(key, {}) for key in ("dataset", "options"))
            dataset = (name, json.dumps(options, sort_keys=True)) if name else ()
            if dataset not in prints:
                prints[dataset] = fingerprint(*dataset) if dataset else ""
            data = prints[dataset]
            key = _digest([content, parameters, data])
            yield Task(f"{notebook}-{_digest(parameters)[:12]}", notebook, parameters, key, dataset, data)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def fingerprint(name: str, options: str) -> str:
    """Of a dataset as it lies here.

    Args:
        name: of the dataset.
        options: as JSON.
    """
    return datasets.load(name, **json.loads(options)).fingerprint()
