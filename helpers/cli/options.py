"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from helpers.cli.errors import CommandError

DatasetOptions = Annotated[
    list[str], typer.Option("--dataset-option", help="Of the dataset, name=value, for instance layout=class/patient.")
]
# Arguments of helpers.datasets.load that are no options of a dataset.
_OTHERS = {"name": "it is typed behind the command", "root": "use --root", "on_error": "use --skip-unreadable"}


def dataset_options(pairs: list[str]) -> dict[str, Any]:
    """Read options of a dataset, each ``name=value`` with a value in YAML.

    Raises:
        YamlError: as :func:`helpers.yamlfile.parse_options` does.
        CommandError: one is no option of a dataset.
    """
    from helpers import yamlfile

    options = yamlfile.parse_options(pairs)
    for name in options.keys() & _OTHERS.keys():
        raise CommandError(f"option {name}: is none of a dataset; {_OTHERS[name]}")
    return options
