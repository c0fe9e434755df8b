"""Commands on the cache of decoded images: list, clear."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

app = typer.Typer(help="Decoded images of large datasets: list or clear the files.", no_args_is_help=True)
GIB = 2**30


@app.command("list")
def list_() -> None:
    """Show the files, those that were not used for longest first, and what they take of the limit."""
    from helpers.datasets import pixels

    listed = pixels.cached_files()
    for path, size in listed:
        used = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        state = "" if path.suffix == ".npy" else ", not complete"
        typer.echo(f"{size / GIB:8.2f} GiB  last used {used:%Y-%m-%d %H:%M} UTC  {path.name}{state}")
    total = sum(size for _, size in listed)
    typer.echo(f"{pixels.folder()}: {len(listed)} files, {total / GIB:.2f} of {pixels.MAX_BYTES / GIB:.0f} GiB")


@app.command()
def clear() -> None:
    """Remove all files; they are made again when a command needs them."""
    from helpers.datasets import pixels, verified

    verified.clear()
    typer.echo(f"{pixels.folder()}: {pixels.clear() / GIB:.2f} GiB removed")
