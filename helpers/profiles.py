"""Profiles: which notebooks run, with which parameters, on which data."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from helpers import datasets, notebooks
from helpers.errors import LeukobookError

KEYS = {"notebooks", "parameters", "grid", "limit_s", "measures"}
# Parameters of notebooks that name a dataset; the first one may come with options.
DATASETS = ("dataset", "other", "elsewhere")


class ProfileError(LeukobookError):
    """A profile that cannot be run; the message names the file and what to change."""


@dataclass(frozen=True)
class Profile:
    """Which notebooks run, and with which parameters; with a grid it is a sweep (see :mod:`helpers.sweeps`)."""

    name: str
    notebooks: dict[str, dict[str, Any]]
    grid: dict[str, list[Any]] = field(default_factory=dict)
    limit_s: float = 3600.0
    measures: tuple[str, ...] = ("*",)


def read_profile(path: Path) -> Profile:
    """Read a profile and check it against the notebooks before anything runs.

    The file has ``notebooks`` (name to parameters) and optionally ``parameters`` given to all of them. A sweep has a
    ``grid`` (parameter to a list of values) as well, and may have ``limit_s``, the seconds after which a run is
    stopped, and ``measures``, patterns of what its report shows.

    Raises:
        ProfileError: not a readable profile, an unknown notebook, an unknown parameter, or a value of another type than
            the notebook's default.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in (notebooks.ROOT / "profiles").glob("*.yaml")))
        raise ProfileError(f"{path}: no such profile; there are {known}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path}: not YAML ({error})") from None
    if isinstance(content, dict):
        content = {key: value for key, value in content.items() if value is not None}  # a key with nothing behind it
    _check_form(path, content)
    common = content.get("parameters", {})
    grid = {key: [_in_place(key, value) for value in values] for key, values in content.get("grid", {}).items()}
    chosen, problems, varied = {}, [], set()
    for name, own in content["notebooks"].items():
        source = notebooks.NOTEBOOKS / f"{name}.ipynb"
        if not source.exists():
            problems.append(f"no notebook {name} in {notebooks.NOTEBOOKS}")
            continue
        if not isinstance(own, dict | None):
            problems.append(f"{name} has parameters and their values, not {own!r}")
            continue
        defaults = notebooks.defaults(name)
        given = {key: _in_place(key, value) for key, value in {**common, **(own or {})}.items()}
        own_grid = {key: values for key, values in grid.items() if key in defaults}
        varied |= set(own_grid)
        for key, value in [*given.items(), *((key, value) for key, values in own_grid.items() for value in values)]:
            if complaint := _complaint(key, value, defaults):
                problems.append(f"{name} {complaint}")
        chosen[name] = given
    problems += [
        f"no notebook of this profile has the parameter {key}, of the grid" for key in sorted(set(grid) - varied)
    ]
    if problems:
        raise ProfileError("\n  - ".join([f"{path}: nothing was run", *problems]))
    return Profile(path.stem, chosen, grid, float(content.get("limit_s", 3600)), tuple(content.get("measures", ["*"])))


def _check_form(path: Path, content: Any) -> None:
    """Whether every part of a profile is of the right kind, whatever the notebooks are."""
    form = "has 'notebooks' (name: parameters) and optionally 'parameters'; a sweep 'grid', 'limit_s' and 'measures'"
    if not isinstance(content, dict) or not isinstance(content.get("notebooks"), dict):
        raise ProfileError(f"{path}: a profile {form}")
    if unknown := sorted(map(repr, set(content) - KEYS)):
        raise ProfileError(f"{path}: no part of a profile is called {' or '.join(unknown)}; it {form}")
    if not content.get("grid") and set(content) & {"limit_s", "measures"}:
        raise ProfileError(f"{path}: 'limit_s' and 'measures' are for sweeps, and there is no 'grid'")
    grid, limit_s, measures = content.get("grid", {}), content.get("limit_s", 1), content.get("measures", [])
    if not isinstance(content.get("parameters", {}), dict):
        raise ProfileError(f"{path}: 'parameters' has a value for every name, not {content['parameters']!r}")
    if not isinstance(grid, dict) or not all(isinstance(values, list) and values for values in grid.values()):
        raise ProfileError(f"{path}: 'grid' has a list of values for every parameter that is varied, not {grid!r}")
    if not isinstance(limit_s, int | float) or isinstance(limit_s, bool) or not limit_s > 0:
        raise ProfileError(f"{path}: 'limit_s' is a number of seconds above 0, not {limit_s!r}")
    if not isinstance(measures, list) or not all(isinstance(pattern, str) for pattern in measures):
        raise ProfileError(f"{path}: 'measures' is a list of patterns, such as '04-auc: *', not {measures!r}")


def _in_place(key: str, value: Any) -> Any:
    """A parameter as it is given; a folder beside which the command is called with its whole path.

    Notebooks run elsewhere. What begins with ``~`` stays, so that each worker takes the folder of its own user.
    """
    if key in DATASETS and isinstance(value, str) and value.startswith("folder:") and not value.startswith("folder:~"):
        return f"folder:{Path(value.removeprefix('folder:')).resolve()}"
    return value


def _complaint(key: str, value: Any, defaults: dict[str, Any]) -> str:
    """What is wrong with the value of a parameter of a notebook with these defaults; empty where nothing is."""
    if key not in defaults:
        return f"has no parameter {key}; it has {', '.join(defaults)}"
    default = defaults[key]
    if type(value) is not type(default) and (type(value), type(default)) != (int, float):
        hint = ""
        if isinstance(default, float) and isinstance(value, str):
            with contextlib.suppress(ValueError):  # YAML reads 4e-3 as a text
                hint = f"; write {float(value)}"
        return f"has {key} = {value!r}, but its default is {default!r}{hint}"
    try:
        json.dumps(value, sort_keys=True)
    except TypeError:  # a date, which YAML knows
        return f"has {key} = {value!r}; a parameter is made of texts, numbers, lists and tables"
    return ""


def datasets_of(parameters: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Name and options, as JSON, of every dataset that a notebook with these parameters reads."""
    options = datasets.options_for(parameters.get("dataset", ""), parameters.get("options", {}))
    named = {parameter: parameters.get(parameter, "") for parameter in DATASETS}
    return tuple(
        (name, json.dumps(options if parameter == "dataset" else {}, sort_keys=True))
        for parameter, name in named.items()
        if name
    )
