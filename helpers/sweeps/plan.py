"""What a sweep will run: every combination of its grid, each under a name of its own."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from helpers import notebooks, profiles, runs


@dataclass(frozen=True)
class Task:
    """One run of one notebook.

    Attributes:
        name: of the notebook and a digest of its parameters: the same in every repetition.
        notebook: its name.
        parameters: given to it.
        key: a digest of all that decides its outputs: notebook, helpers, libraries, parameters, data and threads.
        datasets: fingerprint of each that it reads, by name and options as JSON.
    """

    name: str
    notebook: str
    parameters: dict[str, Any]
    key: str
    datasets: dict[tuple[str, str], str]

    @property
    def data(self) -> str:
        """Fingerprint of all that it reads."""
        return runs.fingerprint_of_all(list(self.datasets.values()))


def varied(profile: profiles.Profile, notebook: str) -> dict[str, list[Any]]:
    """The part of the grid that a notebook has parameters for; the rest does not multiply its runs."""
    defaults = notebooks.defaults(notebook)
    return {name: values for name, values in profile.grid.items() if name in defaults}


def combinations(profile: profiles.Profile) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The runs of a profile, in the order of its notebooks and of its grid: name, notebook and its parameters."""
    for notebook, given in profile.notebooks.items():
        own = varied(profile, notebook)
        for chosen in itertools.product(*own.values()):
            parameters = {**given, **dict(zip(own, chosen, strict=True))}
            yield f"{notebook}-{runs.digest(parameters)[:12]}", notebook, parameters


def expand(profile: profiles.Profile) -> Iterator[Task]:
    """The tasks of a profile, as :func:`combinations`.

    Raises:
        DataError: a dataset cannot be read.
    """
    defaults, content, fingerprint = map(functools.cache, (notebooks.defaults, runs.content_digest, runs.fingerprint))
    for name, notebook, parameters in combinations(profile):
        read = {dataset: fingerprint(dataset) for dataset in profiles.datasets_of({**defaults(notebook), **parameters})}
        data = runs.fingerprint_of_all(list(read.values()))
        key = runs.run_key(content(notebooks.NOTEBOOKS / f"{notebook}.ipynb"), parameters, data)
        yield Task(name, notebook, parameters, key, read)
