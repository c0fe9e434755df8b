"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated, Any

import typer
import yaml

from helpers.cli.errors import CommandError

DatasetOptions = Annotated[list[str], typer.Option(help="Of the dataset, name=value, for instance part=preliminary.")]


def dataset_options(pairs: list[str]) -> dict[str, Any]:
    """Read options of a dataset that were typed as ``name=value``, the value in YAML.

    Raises:
        CommandError: one is not of this form, or stands twice.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise CommandError(f"--option {pair}: not name=value, for instance part=preliminary")
        if name in found:
            raise CommandError(f"--option {name}: stands twice; give it once")
        try:
            found[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise CommandError(f"--option {pair}: the value is not YAML ({error.problem}); quote it") from None
    return found
