"""Plan a sweep: one named task for each combination of its parameter grid."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from helpers.project import Project
from helpers.runs import notebooks, profiles, runner
from helpers.runs.notebooks import Parameters


@dataclass(frozen=True)
class Task:
    """One run of one notebook.

    Attributes:
        name: notebook name and digest of the parameters; the same whenever the run is repeated.
        notebook: name of the notebook.
        parameters: parameters set by profile and grid.
        key: digest of everything that determines the outputs: notebook, helpers, libraries, parameters, data, threads.
        datasets: fingerprint of each dataset read, by name and options as JSON.
    """

    name: str
    notebook: str
    parameters: Parameters
    key: str
    datasets: dict[tuple[str, str], str]

    @property
    def data(self) -> str:
        """Combined fingerprint of all datasets read."""
        return runner.combined_fingerprint(list(self.datasets.values()))


def combinations(profile: profiles.Profile) -> Iterator[tuple[str, str, Parameters]]:
    """Yield name, notebook and parameters of each run of a profile, in the order of its notebooks and grid."""
    for notebook, chapter in profile.notebooks.items():
        grid = profile.relevant_grid(notebook)
        for values in itertools.product(*grid.values()):
            parameters = {**chapter.parameters, **dict(zip(grid, values, strict=True))}
            yield f"{notebook}-{runner.digest(parameters)[:12]}", notebook, parameters


def expand(profile: profiles.Profile) -> Iterator[Task]:
    """Yield the tasks of a profile, in the order of :func:`helpers.sweeps.plan.combinations`.

    Raises:
        DatasetError: a dataset is unreadable.
    """
    content, fingerprint = functools.cache(_content), functools.cache(runner.fingerprint)
    for name, notebook, parameters in combinations(profile):
        values = profile.notebooks[notebook].values(parameters)
        fingerprints = {dataset: fingerprint(dataset) for dataset in profiles.profile_datasets(values)}
        data = runner.combined_fingerprint(list(fingerprints.values()))
        yield Task(name, notebook, parameters, runner.run_key(content(notebook), parameters, data), fingerprints)


def _content(name: str) -> str:
    return runner.content_digest(name, notebooks.read(Project.current().notebooks / f"{name}.ipynb"))
