"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

DatasetOptions = Annotated[
    list[str], typer.Option("--option", help="Of the dataset, name=value, for instance part=preliminary.")
]
