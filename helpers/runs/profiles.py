"""Read and validate profiles: the notebooks of a run, their parameters and datasets."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from helpers import datasets, yamlfile
from helpers.errors import LeukobookError
from helpers.project import Project
from helpers.runs import notebooks
from helpers.runs.notebooks import Parameters

# Notebook parameters that hold a dataset's name; only the first may have dataset options.
DATASETS = ("dataset", "external_dataset")
MAX_RUNS = 10_000  # maximum number of runs of a sweep
# A profile's name becomes a folder in build/ and a prefix of its tables, so it must not be a path.
_NAME = re.compile(r"\w([\w .+-]{0,98}\w)?")


class ProfileError(LeukobookError):
    """An invalid profile; the message states the file and a remedy."""


@dataclass(frozen=True)
class Chapter:
    """A notebook of a profile, with its parameters parsed once when the profile was read.

    Attributes:
        parameters: parameters set by the profile.
        defaults: default values of all parameters of the notebook.
        code: code of the ``parameters`` cell that the defaults were parsed from.
    """

    parameters: Parameters
    defaults: Parameters
    code: str

    def values(self, varied: Parameters | None = None) -> Parameters:
        """Merge defaults, parameters of the profile and parameters varied by a sweep; later ones take precedence."""
        return {**self.defaults, **self.parameters, **(varied or {})}


@dataclass(frozen=True)
class Profile:
    """Notebooks to run with their parameters; a profile with a grid is a sweep (see :mod:`helpers.sweeps`).

    Attributes:
        name: name of the profile's file without suffix.
        notebooks: chapters by name of their notebook.
        workers: number of notebooks that a run executes at a time; 1 with a grid.
        grid: values of each varied parameter; empty without a sweep.
        timeout_s: time limit of each run of a sweep in seconds.
        report_metrics: patterns of the metrics in the report of a sweep.
    """

    name: str
    notebooks: dict[str, Chapter]
    grid: dict[str, list[Any]] = field(default_factory=dict)
    timeout_s: float = 3600.0
    report_metrics: tuple[str, ...] = ("*",)
    workers: int = 1

    def relevant_grid(self, notebook: str) -> dict[str, list[Any]]:
        """Return the part of the grid that a notebook has parameters for; the rest does not multiply its runs."""
        return {name: values for name, values in self.grid.items() if name in self.notebooks[notebook].defaults}


class _Form(BaseModel):
    """Schema of a profile, independent of the notebooks."""

    model_config = ConfigDict(strict=True, extra="forbid")

    notebooks: Annotated[dict[str, Parameters | None], Field(min_length=1)]
    parameters: Parameters = {}
    grid: dict[str, Annotated[list[Any], Field(min_length=1)]] = {}
    timeout_s: Annotated[float, Field(gt=0)] = 3600.0
    report_metrics: Annotated[list[str], Field(min_length=1)] = ["*"]
    workers: Annotated[int, Field(ge=1)] = 1


# Expected form of a profile and each of its keys, for messages.
_KEYS = {
    "": "a profile has 'notebooks' (name: parameters) and may have 'parameters' and 'workers'; a sweep 'grid', "
    "'timeout_s', 'report_metrics'",
    "notebooks": "'notebooks' has parameters and their values for every name, {00-start-here: {seed: 21}}",
    "parameters": "'parameters' has a value for every name, {seed: 21}",
    "grid": "'grid' has a list of values for every parameter that is varied, {seed: [21, 22]}",
    "timeout_s": "'timeout_s' is a number of seconds above 0",
    "report_metrics": "'report_metrics' is a list of patterns, such as 'classify-auc: *'",
    "workers": "'workers' is the number of notebooks that run at a time, 1 or more",
}


def read_profile(path: Path) -> Profile:
    """Read a profile and validate it against the notebooks before anything runs.

    The file has ``notebooks`` (parameters by notebook name) and optionally ``parameters`` of all notebooks, which those
    of a notebook override, and ``workers``, the number of notebooks that run at a time. A sweep instead has a ``grid``
    (distinct values by parameter) of at most :data:`MAX_RUNS` combinations, and optionally ``timeout_s``, the time
    limit of a run in seconds, and ``report_metrics``, patterns of the metrics in its report. For limits on the file see
    :mod:`helpers.yamlfile`.

    Raises:
        ProfileError: the file is not a readable profile, its name leads out of ``build/``, a notebook or parameter is
            unknown, something is set twice, or a value has another type than the notebook's default.
    """
    if not _NAME.fullmatch(path.stem):
        raise ProfileError(
            f"{path}: {path.stem!r} is not a valid profile name; use letters, digits, '.', '-' and '_', a letter or a "
            "digit first and last, at most 100"
        )
    try:
        document = yamlfile.read(path)
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in Project.current().profiles.glob("*.yaml")))
        raise ProfileError(f"{path}: unknown profile; choose from {known}") from None
    except yamlfile.YamlError as error:
        raise ProfileError(str(error)) from None
    form = _form(path, document)
    available = {path.stem: path for path in Project.current().notebooks.glob("*.ipynb")}
    chapters = {name: _chapter(form, name, available[name]) for name in form.notebooks if name in available}
    problems = [
        *_duplicates(form),
        *_notebook_problems(form, chapters, sorted(available)),
        *_grid_problems(form, chapters),
    ]
    if problems:
        lines = [f"line {document.line(location)}: {complaint}" for location, complaint in problems]
        raise ProfileError("\n  - ".join([f"{path}: nothing was run", *lines]))
    grid = {key: [_absolute_paths(key, value) for value in values] for key, values in form.grid.items()}
    return Profile(path.stem, chapters, grid, form.timeout_s, tuple(form.report_metrics), form.workers)


def _chapter(form: _Form, name: str, path: Path) -> Chapter:
    """Read a notebook and parse its parameters."""
    notebook = notebooks.read(path)
    values = {**form.parameters, **(form.notebooks[name] or {})}
    parameters = {key: _absolute_paths(key, value) for key, value in values.items()}
    try:
        return Chapter(parameters, notebooks.parameters(notebook), notebooks.parameters_code(notebook))
    except notebooks.NotebookError as error:
        raise ProfileError(f"{path}: {error}") from None


def _form(path: Path, document: yamlfile.Document) -> _Form:
    """Validate a profile against its schema."""
    content = document.value
    if not isinstance(content, dict):
        raise ProfileError(f"{path}: {_KEYS['']}")
    content = {key: value for key, value in content.items() if value is not None}  # a key without a value
    try:
        form = _Form.model_validate(content)
    except ValidationError as error:
        wrong = error.errors()[0]
        location = wrong["loc"]
        line = f"{path}, line {document.line(location)}"
        if wrong["type"] == "extra_forbidden":
            raise ProfileError(f"{line}: unknown key {location[0]!r}; {_KEYS['']}") from None
        if wrong["type"] == "missing":
            raise ProfileError(f"{line}: {_KEYS['']}") from None
        value = f"{wrong['input']!r}"
        shown = value if len(value) <= 60 else f"{value[:60]}…"
        raise ProfileError(
            f"{line}: {'.'.join(map(str, location))} is {shown}, but {_KEYS[str(location[0])]}"
        ) from None
    if not form.grid and (lost := form.model_fields_set & {"timeout_s", "report_metrics"}):
        line = f"{path}, line {document.line([min(lost)])}"
        raise ProfileError(f"{line}: 'timeout_s' and 'report_metrics' are for sweeps, and there is no 'grid'")
    if form.grid and "workers" in form.model_fields_set:
        line = f"{path}, line {document.line(['workers'])}"
        raise ProfileError(f"{line}: 'workers' is for runs without a 'grid'; a sweep has the option --workers")
    return form


# Path in the profile and message of each problem.
_Problems = Iterator[tuple[tuple[str | int, ...], str]]


def _duplicates(form: _Form) -> _Problems:
    """Find duplicate values in the grid, and parameters that are set both in the grid and elsewhere."""
    for key, values in form.grid.items():
        earlier = set()
        for number, value in enumerate(_absolute_paths(key, value) for value in values):
            if (known := _hashable(value)) in earlier:
                yield ("grid", key, number), f"{key} has the value {value!r} twice in the grid; keep one of them"
            earlier.add(known)
        locations: list[tuple[str, ...]] = [("parameters", key)] if key in form.parameters else []
        locations += [
            ("notebooks", name, key) for name, parameters in form.notebooks.items() if key in (parameters or {})
        ]
        for location in locations:
            yield location, f"{key} is set here and in the grid; keep one of them"


def _hashable(value: Any) -> Any:
    """Return a hashable form of a value in which 1 equals 1.0, but not true."""
    if isinstance(value, dict):
        return dict, frozenset((key, _hashable(inner)) for key, inner in value.items())
    if isinstance(value, list):
        return list, tuple(map(_hashable, value))
    return isinstance(value, bool), value


def _notebook_problems(form: _Form, chapters: dict[str, Chapter], available: list[str]) -> _Problems:
    """Find unknown notebooks, unknown parameters and parameters of the wrong type."""
    for name, parameters in form.notebooks.items():
        if name not in chapters:
            yield ("notebooks", name), f"unknown notebook {name!r}; choose from {', '.join(available)}"
            continue
        for key, value in chapters[name].parameters.items():
            location = ("notebooks", name, key) if key in (parameters or {}) else ("parameters", key)
            if complaint := _complaint(key, value, chapters[name].defaults):
                yield location, f"{name} {complaint}"


def _grid_problems(form: _Form, chapters: dict[str, Chapter]) -> _Problems:
    """Find parameters of the grid that no notebook has, values of the wrong type, and too many runs."""
    runs = 0
    for name, chapter in chapters.items():
        varied = {key: values for key, values in form.grid.items() if key in chapter.defaults}
        runs += math.prod(map(len, varied.values()))
        for key, values in varied.items():
            for number, value in enumerate(values):
                if complaint := _complaint(key, value, chapter.defaults):
                    yield ("grid", key, number), f"{name} {complaint}"
    for key in form.grid:
        if not any(key in chapter.defaults for chapter in chapters.values()):
            yield ("grid", key), f"no notebook of this profile has the parameter {key}, of the grid"
    if runs > MAX_RUNS:
        yield ("grid",), f"the grid has {runs} runs; the maximum is {MAX_RUNS}"


def _absolute_paths(key: str, value: Any) -> Any:
    """Make the paths of folder datasets absolute, as notebooks run in another working directory.

    Paths that begin with ``~`` are kept, so that each worker expands its own user's home directory.
    """
    if key == "options" and isinstance(value, dict):  # options by dataset
        return {_absolute_path(name): options for name, options in value.items()}
    return _absolute_path(value) if key in DATASETS and isinstance(value, str) else value


def _absolute_path(dataset: str) -> str:
    kind, _, location = dataset.partition(":")
    if kind != "folder" or not location.strip() or location.startswith("~"):  # load() reports an empty path
        return dataset
    return f"folder:{os.path.realpath(location)}"  # also accepts circular links


def _complaint(key: str, value: Any, defaults: Parameters) -> str:
    """Return what is wrong with the value of a parameter, given the notebook's defaults; empty if it is valid."""
    if key not in defaults:
        return f"has no parameter {key}; it has {', '.join(defaults)}"
    default = defaults[key]
    if type(value) is type(default) or (type(value), type(default)) == (int, float):
        return ""
    hint = ""
    if isinstance(default, str) and isinstance(value, int | float):
        hint = f"; put it in quotes, '{value}'"
    elif isinstance(default, float) and isinstance(value, str):
        with contextlib.suppress(ValueError):  # YAML reads 4e-3 as text
            hint = f"; write {float(value)}"
    return f"has {key} = {value!r}, but its default is {default!r}{hint}"


def profile_datasets(parameters: Parameters) -> tuple[tuple[str, str], ...]:
    """Return name and options, as JSON, of each dataset that a notebook with these parameters reads."""
    options = datasets.dataset_options(parameters.get("dataset", ""), parameters.get("options", {}))
    named = {parameter: parameters.get(parameter, "") for parameter in DATASETS}
    return tuple(
        (name, json.dumps(options if parameter == "dataset" else {}, sort_keys=True))
        for parameter, name in named.items()
        if name
    )
