"""What several commands print: files that will be replaced, findings, images that could not be read."""

from __future__ import annotations

from pathlib import Path

import typer


def folder_of(images: Path) -> Path:
    """Return the folder of images: that which was passed, or that of the image which was passed."""
    return images if images.is_dir() else images.parent


def announce_replacement(path: Path) -> None:
    """Print before the work begins that a file of an earlier run will be replaced."""
    from helpers import outputs

    if note := outputs.replacement_note(path):
        typer.echo(note)


def print_findings(findings: list[str]) -> None:
    """Print findings, which must be explained before the results are used but do not fail the command."""
    for finding in findings:
        typer.echo(finding, err=True)


def fail_on_unreadable(bad: list[str]) -> None:
    """List unreadable images and exit with 1 if there are any."""
    if bad:
        typer.echo("\n".join([f"{len(bad)} images could not be read:", *(f"  - {line}" for line in bad)]), err=True)
        raise typer.Exit(1)
