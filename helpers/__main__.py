"""The command line: ``python -m helpers``. The Makefile calls nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
import yaml

from helpers import cards, datasets
from helpers.datasets.base import find_images
from helpers.notebooks import ROOT

if TYPE_CHECKING:
    from helpers.profiles import Profile

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


@data.command()
def describe(name: str, root: Root = None) -> None:
    """Print the datasheet of a dataset, as Markdown."""
    typer.echo(cards.datasheet(_made(lambda: datasets.load(name, root=root))))


def _made(make) -> datasets.Dataset:
    """The dataset, or exit with 1 and what is wrong with it."""
    try:
        return make()
    except datasets.DataError as error:
        _fail(str(error))


def _report(make) -> None:
    dataset = _made(make)
    frame = dataset.frame
    typer.echo(f"{dataset.name}: {len(dataset)} images, {frame['group'].nunique()} groups, all readable")
    for label, number in frame["label"].value_counts().items():
        typer.echo(f"  {label:14} {number}")


@app.command()
def segment(
    images: Annotated[Path, typer.Argument(help="An image, or a folder of images.")],
    model: Annotated[Path, typer.Option(help="A .keras file, as chapter 03 saves it with a .json.")],
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("segmented"),
) -> None:
    """Outline cells and nuclei in your images: masks, overlays, and a table of areas. Not for diagnosis."""
    from helpers import segmentation

    try:
        trained, size = segmentation.load_model(model)
        table, bad = segmentation.segment(find_images(images), trained, size, out)
    except ValueError as error:
        _refuse(str(error))
    typer.echo(f"{len(table)} images segmented into {out}, {int(table['nc_ratio'].isna().sum())} without a cell")
    _complain(bad)


@app.command()
def train(
    dataset: Annotated[str, typer.Argument(help="A dataset's name, or folder:/path with a folder per class.")],
    positive: Annotated[str, typer.Option(help="The class that must not be missed.")],
    model: Annotated[Path, typer.Option(help="The .keras file to write; its card goes beside it as .json.")],
    network: Annotated[str, typer.Option(help="encoder or schouten.")] = "encoder",
    option: Annotated[list[str], typer.Option(help="Of the dataset, name=value, for instance task=leukaemia.")] = [],  # noqa: B006
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Go on without images that are damaged.")] = False,
    sensitivity: Annotated[float, typer.Option(help="Wanted where the threshold is chosen.")] = 0.95,
    assurance: Annotated[
        float | None, typer.Option(help="Probability, such as 0.9, that new images reach it; else about a half.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="At most; 0 for the network's own.")] = 0,
    batch: Annotated[int, typer.Option(help="Images in a step; 0 for the network's own, 8 or 5.")] = 0,
    seed: Annotated[int, typer.Option(help="Of folds, weights, order and augmentation.")] = 20,
    strategy: Annotated[str, typer.Option(help="Several GPUs: mirrored. Several machines: multi-worker.")] = "",
) -> None:
    """Train a classifier by group, test it once, and save it with its card. Not for diagnosis."""
    from helpers import classification, training

    try:
        options = {name: yaml.safe_load(value) for name, _, value in (pair.partition("=") for pair in option)}
        data = datasets.load(dataset, on_bad="skip" if skip_bad else "raise", **options)
        made = classification.train(
            data, network, positive, sensitivity, epochs, seed, model, strategy, batch, assurance
        )
    except (ValueError, training.TrainingError) as error:
        _refuse(str(error))
    if made is None:
        typer.echo("this machine has done its part; the first one tests and writes the model")
        return
    card, alarms = made
    test = card["test"]
    for name in ("AUC", "sensitivity", "specificity"):
        typer.echo(f"{name:12} {cards.measured_in_words(test[name])} (n={test[name]['n']})")
    typer.echo(f"{model} and {model.with_suffix('.json')} are written")
    for alarm in alarms:
        typer.echo(str(alarm), err=True)


@app.command()
def predict(
    images: Annotated[Path, typer.Argument(help="An image, or a folder of images.")],
    model: Annotated[Path, typer.Option(help="A .keras file with its card beside it, from python -m helpers train.")],
    out: Annotated[Path, typer.Option(help="The CSV file to write.")] = Path("predictions.csv"),
) -> None:
    """Classify your images into a table of probabilities. Not for diagnosis."""
    from helpers import classification

    try:
        trained, card = classification.load(model)
        table, bad = classification.predict(find_images(images), trained, card, out)
    except ValueError as error:
        _refuse(str(error))
    counts = ", ".join(f"{name} {number}" for name, number in table["called"].value_counts().items())
    typer.echo(f"{len(table)} images classified into {out}: {counts or 'none'}")
    typer.echo(f"The model: {card['network']} on {card['data']['name']}, {card['purpose']}.")
    _complain(bad)


def _complain(bad: list[str]) -> None:
    """List what was wrong and exit with 1, where anything was."""
    if bad:
        typer.echo("\n".join([f"{len(bad)} problems:", *(f"  - {line}" for line in bad)]), err=True)
        raise typer.Exit(1)


@app.command()
def run(
    profile: Run,
    scheduler: Annotated[
        str | None, typer.Option(help="Of a Dask cluster, tcp://host:8786; else this machine.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes of this machine; one per two cores.")] = None,
) -> None:
    """Execute the notebooks of a profile, or every combination of its grid; only what has changed is repeated."""
    chosen = _profile(profile)
    if scheduler and workers:
        _refuse("--scheduler has workers of its own; --workers is for this machine")
    if not chosen.grid and (scheduler or workers):
        _refuse(
            f"{chosen.name} has no grid and runs here, one notebook after the other; --scheduler and --workers "
            "are for sweeps, also of one run: grid: {seed: [20]}"
        )
    if chosen.grid:
        _sweep(chosen, scheduler, workers)
    else:
        _run(chosen)


@app.command()
def report(profile: Run) -> None:
    """Render the results of a sweep, with intervals over what was repeated; prints the page."""
    from helpers import sweeps

    chosen = _profile(profile)
    if not chosen.grid:
        _refuse(f"{chosen.name} has no grid and no report; what it found is in build/{chosen.name}/")
    try:
        typer.echo(f"Report: {sweeps.write_report(chosen)}")
    except (sweeps.SweepError, datasets.DataError) as error:
        _fail(str(error))


@app.command()
def book(profile: Run) -> None:
    """Execute the notebooks of a profile and render the book from them; prints the start page."""
    from helpers.book import BookError, build
    from helpers.runs import RunError

    chosen = _profile(profile)
    _run(chosen)
    try:
        typer.echo(f"Start page: {build(chosen.name)}")
    except (BookError, RunError, ValueError) as error:
        _fail(str(error))


@app.command()
def notebooks() -> None:
    """Execute the notebooks with the quick profile and write their outputs back, normalised."""
    from helpers.book import refresh_notebooks

    _run(_profile(Path("quick")))
    changed = refresh_notebooks()
    typer.echo(f"Changed: {', '.join(changed)}" if changed else "Nothing has changed.")


@app.command()
def publish(
    profiles: Annotated[
        list[Path] | None,
        typer.Argument(help="Profiles or sweeps; all those of profiles/ but quick where none is named."),
    ] = None,
) -> None:
    """Run profiles and sweeps; copy their tables and provenance to book/results/, and remove those no longer made."""
    from helpers import results, runs, sweeps

    everything = sorted(path for path in (ROOT / "profiles").glob("*.yaml") if path.stem != "quick")
    failed = []
    for chosen in [_profile(profile) for profile in profiles or everything]:
        command = f"python -m helpers publish {chosen.name}"
        typer.echo(f"{chosen.name}:")
        try:
            if chosen.grid:
                _sweep(chosen)
                written = [sweeps.publish(chosen, command)]
            else:
                _run(chosen)
                written = results.publish(chosen, command, typer.echo)
        except (typer.Exit, sweeps.SweepError, runs.RunError, ValueError) as error:  # the others go on
            if not isinstance(error, typer.Exit):  # an exit has said what is wrong
                typer.echo(str(error), err=True)
            failed.append(chosen.name)
            continue
        for path in written:
            typer.echo(f"  {path.relative_to(ROOT)}")
    if failed:
        _fail(f"Not published: {', '.join(failed)}")


def _fail(why: str) -> NoReturn:
    """Say what went wrong, and exit with 1."""
    typer.echo(why, err=True)
    raise typer.Exit(1) from None


def _refuse(why: str) -> NoReturn:
    """Say what is wrong with what was typed, and exit with 2."""
    typer.echo(why, err=True)
    raise typer.Exit(2)


def _profile(profile: Path) -> Profile:
    """A profile; exit with 2 if it is not right."""
    from helpers.profiles import ProfileError, read_profile

    path = profile if profile.suffix else ROOT / "profiles" / f"{profile}.yaml"
    try:
        return read_profile(path)
    except ProfileError as error:
        _refuse(str(error))


def _run(chosen: Profile) -> None:
    """Run a profile; exit with 1 if a notebook failed, or if another process runs it."""
    from helpers import runs

    if chosen.grid:
        _refuse(f"{chosen.name} is a sweep: `python -m helpers run {chosen.name}` carries it out")
    try:
        records = runs.run(chosen, typer.echo)
    except runs.RunError as error:
        _fail(str(error))
    failed = [record for record in records if record.status != "done"]
    if failed:
        _fail(f"{len(failed)} of {len(records)} notebooks failed.")


def _sweep(chosen: Profile, scheduler: str | None = None, workers: int | None = None) -> None:
    """Carry out a sweep; exit with 1 if a run failed, or if it could not be ended."""
    from helpers import sweeps

    try:
        with sweeps.cluster(scheduler, workers) as client:
            rows = sweeps.run(chosen, client, typer.echo)
    except (sweeps.SweepError, sweeps.StoreError, datasets.DataError) as error:
        _fail(str(error))
    failed = sum(row["status"] != "done" for row in rows)
    typer.echo(f"{len(rows) - failed} of {len(rows)} runs are done: {sweeps.folder(chosen.name) / 'runs.csv'}")
    if failed:
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
