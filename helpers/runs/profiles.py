"""Profiles: which notebooks run, with which parameters, on which data."""

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

# Parameters of notebooks that name a dataset; the first one may come with options.
DATASETS = ("dataset", "other", "elsewhere")
MAX_RUNS = 10_000  # of a sweep
# A profile's name is that of its folder in build/ and of its tables, so it must not lead anywhere else.
_NAME = re.compile(r"\w([\w .+-]{0,98}\w)?")


class ProfileError(LeukobookError):
    """A profile that cannot be run; the message names the file and what to change."""


@dataclass(frozen=True)
class Chapter:
    """A notebook of a profile, as it was when the profile was read; nobody parses its parameters again.

    Attributes:
        parameters: set by the profile.
        defaults: of all parameters that the notebook has.
        code: of its ``parameters`` cell, which the defaults were parsed from.
    """

    parameters: Parameters
    defaults: Parameters
    code: str

    def values(self, varied: Parameters | None = None) -> Parameters:
        """Merge defaults, parameters of the profile and those that a sweep varies; the later ones count."""
        return {**self.defaults, **self.parameters, **(varied or {})}


@dataclass(frozen=True)
class Profile:
    """Which notebooks run, and with which parameters; with a grid it is a sweep (see :mod:`helpers.sweeps`)."""

    name: str
    notebooks: dict[str, Chapter]
    grid: dict[str, list[Any]] = field(default_factory=dict)
    timeout_s: float = 3600.0
    report_metrics: tuple[str, ...] = ("*",)


class _Form(BaseModel):
    """What a profile is made of, whatever the notebooks are."""

    model_config = ConfigDict(strict=True, extra="forbid")

    notebooks: Annotated[dict[str, Parameters | None], Field(min_length=1)]
    parameters: Parameters = {}
    grid: dict[str, Annotated[list[Any], Field(min_length=1)]] = {}
    timeout_s: Annotated[float, Field(gt=0)] = 3600.0
    report_metrics: Annotated[list[str], Field(min_length=1)] = ["*"]


# What a profile and each of its parts is, for messages.
_PARTS = {
    "": "a profile has 'notebooks' (name: parameters) and may have 'parameters'; a sweep 'grid', 'timeout_s', "
    "'report_metrics'",
    "notebooks": "'notebooks' has parameters and their values for every name, {00-start-here: {seed: 21}}",
    "parameters": "'parameters' has a value for every name, {seed: 21}",
    "grid": "'grid' has a list of values for every parameter that is varied, {seed: [21, 22]}",
    "timeout_s": "'timeout_s' is a number of seconds above 0",
    "report_metrics": "'report_metrics' is a list of patterns, such as 'classify-auc: *'",
}


def read_profile(path: Path) -> Profile:
    """Read a profile and check it against the notebooks before anything runs.

    The file has ``notebooks`` (name to parameters) and optionally ``parameters`` given to all of them; those of a
    notebook itself count more. A sweep has a ``grid`` (parameter to a list of different values) as well, at most
    :data:`MAX_RUNS` combinations, and may have ``timeout_s``, the seconds after which a run is stopped, and
    ``report_metrics``, patterns of what its report shows. For the size of the file see :mod:`helpers.yamlfile`.

    Raises:
        ProfileError: not a readable profile, a name that leads out of ``build/``, an unknown notebook or parameter,
            something that is given twice, or a value of another type than the notebook's default.
    """
    if not _NAME.fullmatch(path.stem):
        raise ProfileError(
            f"{path}: {path.stem!r} cannot be a profile's name; take letters, digits, '.', '-' and '_', a letter or a "
            "digit first and last, at most 100"
        )
    try:
        document = yamlfile.read(path)
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in Project.current().profiles.glob("*.yaml")))
        raise ProfileError(f"{path}: no such profile; there are {known}") from None
    except yamlfile.YamlError as error:
        raise ProfileError(str(error)) from None
    form = _form(path, document)
    available = {path.stem: path for path in Project.current().notebooks.glob("*.ipynb")}
    chapters = {name: _chapter(form, name, available[name]) for name in form.notebooks if name in available}
    problems = [*_twice(form), *_of_notebooks(form, chapters, sorted(available)), *_of_grid(form, chapters)]
    if problems:
        lines = [f"line {document.line(place)}: {why}" for place, why in problems]
        raise ProfileError("\n  - ".join([f"{path}: nothing was run", *lines]))
    grid = {key: [_in_place(key, value) for value in values] for key, values in form.grid.items()}
    return Profile(path.stem, chapters, grid, form.timeout_s, tuple(form.report_metrics))


def _chapter(form: _Form, name: str, path: Path) -> Chapter:
    """Read a notebook, and parse its parameters once for all that follows."""
    notebook = notebooks.read(path)
    values = {**form.parameters, **(form.notebooks[name] or {})}
    parameters = {key: _in_place(key, value) for key, value in values.items()}
    try:
        return Chapter(parameters, notebooks.parameters(notebook), notebooks.parameters_code(notebook))
    except notebooks.NotebookError as error:
        raise ProfileError(f"{path}: {error}") from None


def _form(path: Path, document: yamlfile.Document) -> _Form:
    """Check whether every part of a profile is of the right kind."""
    content = document.value
    if not isinstance(content, dict):
        raise ProfileError(f"{path}: {_PARTS['']}")
    content = {key: value for key, value in content.items() if value is not None}  # a key with nothing behind it
    try:
        form = _Form.model_validate(content)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = wrong["loc"]
        line = f"{path}, line {document.line(place)}"
        if wrong["type"] == "extra_forbidden":
            raise ProfileError(f"{line}: no part of a profile is called {place[0]!r}; {_PARTS['']}") from None
        if wrong["type"] == "missing":
            raise ProfileError(f"{line}: {_PARTS['']}") from None
        given = f"{wrong['input']!r}"
        shown = given if len(given) <= 60 else f"{given[:60]}…"
        raise ProfileError(f"{line}: {'.'.join(map(str, place))} is {shown}, but {_PARTS[str(place[0])]}") from None
    if not form.grid and (lost := form.model_fields_set & {"timeout_s", "report_metrics"}):
        where = f"{path}, line {document.line([min(lost)])}"
        raise ProfileError(f"{where}: 'timeout_s' and 'report_metrics' are for sweeps, and there is no 'grid'")
    return form


# Where in a profile something is wrong, and what.
_Problems = Iterator[tuple[tuple[str | int, ...], str]]


def _twice(form: _Form) -> _Problems:
    """Values that are in the grid twice, and parameters that are in the grid and elsewhere."""
    for key, given in form.grid.items():
        earlier = set()
        for number, value in enumerate(_in_place(key, value) for value in given):
            if (known := _hashable(value)) in earlier:
                yield ("grid", key, number), f"{key} has the value {value!r} twice in the grid; keep one of them"
            earlier.add(known)
        places: list[tuple[str, ...]] = [("parameters", key)] if key in form.parameters else []
        places += [("notebooks", name, key) for name, own in form.notebooks.items() if key in (own or {})]
        for place in places:
            yield place, f"{key} is given here and in the grid; keep one of them"


def _hashable(value: Any) -> Any:
    """What is equal for values that are the same: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, dict):
        return dict, frozenset((key, _hashable(inner)) for key, inner in value.items())
    if isinstance(value, list):
        return list, tuple(map(_hashable, value))
    return isinstance(value, bool), value


def _of_notebooks(form: _Form, chapters: dict[str, Chapter], available: list[str]) -> _Problems:
    """Notebooks that do not exist, and parameters that they do not have or that are of another kind."""
    for name, own in form.notebooks.items():
        if name not in chapters:
            yield ("notebooks", name), f"no notebook {name}; there are {', '.join(available)}"
            continue
        for key, value in chapters[name].parameters.items():
            place = ("notebooks", name, key) if key in (own or {}) else ("parameters", key)
            if complaint := _complaint(key, value, chapters[name].defaults):
                yield place, f"{name} {complaint}"


def _of_grid(form: _Form, chapters: dict[str, Chapter]) -> _Problems:
    """Parameters of the grid that no notebook has, values of another kind, and too many of them."""
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
        yield ("grid",), f"the grid makes {runs} runs; {MAX_RUNS} are the most"


def _in_place(key: str, value: Any) -> Any:
    """A parameter as it is given; a folder beside which the command is called with its whole path.

    Notebooks run elsewhere. What begins with ``~`` stays, so that each worker takes the folder of its own user.
    """
    if key == "options" and isinstance(value, dict):  # by dataset
        return {_whole(name): own for name, own in value.items()}
    return _whole(value) if key in DATASETS and isinstance(value, str) else value


def _whole(dataset: str) -> str:
    kind, _, place = dataset.partition(":")
    if kind != "folder" or not place.strip() or place.startswith("~"):  # that no folder is named is said by load()
        return dataset
    return f"folder:{os.path.realpath(place)}"  # also of links that lead in a circle


def _complaint(key: str, value: Any, defaults: Parameters) -> str:
    """What is wrong with the value of a parameter of a notebook with these defaults; empty where nothing is."""
    if key not in defaults:
        return f"has no parameter {key}; it has {', '.join(defaults)}"
    default = defaults[key]
    if type(value) is type(default) or (type(value), type(default)) == (int, float):
        return ""
    hint = ""
    if isinstance(default, str) and isinstance(value, int | float):
        hint = f"; put it in quotes, '{value}'"
    elif isinstance(default, float) and isinstance(value, str):
        with contextlib.suppress(ValueError):  # YAML reads 4e-3 as a text
            hint = f"; write {float(value)}"
    return f"has {key} = {value!r}, but its default is {default!r}{hint}"


def profile_datasets(parameters: Parameters) -> tuple[tuple[str, str], ...]:
    """Name and options, as JSON, of every dataset that a notebook with these parameters reads."""
    options = datasets.dataset_options(parameters.get("dataset", ""), parameters.get("options", {}))
    named = {parameter: parameters.get(parameter, "") for parameter in DATASETS}
    return tuple(
        (name, json.dumps(options if parameter == "dataset" else {}, sort_keys=True))
        for parameter, name in named.items()
        if name
    )
