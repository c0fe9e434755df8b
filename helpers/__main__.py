"""The command line: ``python -m helpers``. The Makefile calls nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from helpers import datasets
from helpers.notebooks import ROOT

app = typer.Typer(help="Leukobook: data, runs and the book.", no_args_is_help=True, pretty_exceptions_enable=False)
data = typer.Typer(help="Datasets: list them, get them, check them.", no_args_is_help=True)
app.add_typer(data, name="data")

Root = Annotated[Path | None, typer.Option(help="Data root; default $LEUKOBOOK_DATA, else a cache of the user.")]
Run = Annotated[Path, typer.Argument(help="A profile: a YAML file, or the name of one in profiles/.")]


@data.command("list")
def list_(root: Root = None) -> None:
    """Show every dataset, its licence, and whether it is there."""
    typer.echo(f"Data root: {datasets.data_root(root)}")
    for name, source in datasets.SOURCES.items():
        there = source.folder is None or (datasets.data_root(root) / source.folder).is_dir()
        typer.echo(f"{name:12} {'there' if there else '-':6} {source.card.licence:32} {source.card.title}")


@data.command()
def get(name: str, root: Root = None) -> None:
    """Fetch a dataset, or unpack what you were given, and check every image."""
    _report(lambda: datasets.get(name, root))


@data.command()
def check(name: str, root: Root = None) -> None:
    """Decode every image of a dataset and count what is there."""
    _report(lambda: datasets.check(name, root))


def _report(make) -> None:
    try:
        dataset = make()
    except datasets.DataError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    frame = dataset.frame
    typer.echo(f"{dataset.name}: {len(dataset)} images, {frame['group'].nunique()} groups, all readable")
    for label, number in frame["label"].value_counts().items():
        typer.echo(f"  {label:14} {number}")


@app.command()
def segment(
    images: Annotated[Path, typer.Argument(help="An image, or a folder of images.")],
    model: Annotated[Path, typer.Option(help="A .keras file, as chapter 03 saves it.")],
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("segmented"),
    size: Annotated[int, typer.Option(help="Side in pixels at which the model sees an image.")] = 128,
) -> None:
    """Outline cells and nuclei in your images: masks, overlays, and a table of areas. Not for diagnosis."""
    from helpers import segmentation

    try:
        trained = segmentation.load_model(model)
        table, bad = segmentation.segment(segmentation.find_images(images), trained, out, size)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{len(table)} images segmented into {out}, {int(table['nc_ratio'].isna().sum())} without a cell")
    if bad:
        typer.echo("\n".join([f"{len(bad)} images could not be read:", *(f"  - {line}" for line in bad)]), err=True)
        raise typer.Exit(1)


@app.command()
def run(profile: Run) -> None:
    """Execute the notebooks of a profile; only what has changed is repeated."""
    _run(profile)


@app.command()
def book(profile: Run) -> None:
    """Execute the notebooks of a profile and render the book from them; prints the start page."""
    from helpers.book import BookError, build

    name = _run(profile)
    try:
        typer.echo(f"Start page: {build(name)}")
    except (BookError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@app.command()
def notebooks() -> None:
    """Execute the notebooks with the quick profile and write their outputs back, normalised."""
    from helpers.book import refresh_notebooks

    _run(Path("quick"))
    changed = refresh_notebooks()
    typer.echo(f"Changed: {', '.join(changed)}" if changed else "Nothing has changed.")


@app.command()
def publish(profile: Run) -> None:
    """Run a profile and copy its result tables to book/results/, with their provenance."""
    from helpers.results import publish as publish_results

    name = _run(profile)
    for path in publish_results(name, f"python -m helpers publish {name}"):
        typer.echo(str(path.relative_to(ROOT)))


def _run(profile: Path) -> str:
    """Run a profile; exit with 1 if a notebook failed, with 2 if the profile is not right."""
    from helpers import runs

    path = profile if profile.suffix else ROOT / "profiles" / f"{profile}.yaml"
    try:
        chosen = runs.read_profile(path)
    except runs.ProfileError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    records = runs.run(chosen, typer.echo)
    failed = [record for record in records if record.status != "done"]
    if failed:
        typer.echo(f"{len(failed)} of {len(records)} notebooks failed.", err=True)
        raise typer.Exit(1)
    return chosen.name


if __name__ == "__main__":
    app()
