"""Options shared by several commands."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from helpers.cli.errors import CommandError

DatasetOptions = Annotated[
    list[str], typer.Option("--dataset-option", help="Of the dataset, name=value, for instance layout=class/patient.")
]
# Arguments of helpers.datasets.load that are not dataset options.
_OTHERS = {"name": "it is typed behind the command", "root": "use --root", "on_error": "use --skip-unreadable"}


def dataset_options(pairs: list[str]) -> dict[str, Any]:
    """Parse dataset options of the form ``name=value`` with values in YAML.

    Raises:
        YamlError: as :func:`helpers.yamlfile.parse_options`.
        CommandError: an option is not a dataset option.
    """
    from helpers import yamlfile

    options = yamlfile.parse_options(pairs)
    for name in options.keys() & _OTHERS.keys():
        raise CommandError(f"option {name}: not a dataset option; {_OTHERS[name]}")
    return options
