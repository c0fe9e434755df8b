"""Commands that execute notebooks: run, report, book, slides, pdf, notebooks, publish."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from helpers.cli.errors import CommandError, fail
from helpers.errors import LeukobookError
from helpers.project import Project

if TYPE_CHECKING:
    from helpers.runs.profiles import Profile
    from helpers.runs.records import Record
    from helpers.sweeps import Row

ProfileArgument = Annotated[Path, typer.Argument(help="A profile: a YAML file, or the name of one in profiles/.")]


def run(
    profile: ProfileArgument,
    scheduler: Annotated[
        str | None, typer.Option(help="Of a Dask cluster, tcp://host:8786; else this machine.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes of this machine; one per two cores.")] = None,
) -> None:
    """Execute the notebooks of a profile, or every combination of its grid; only what has changed is repeated."""
    chosen = _profile(profile)
    if scheduler and workers:
        raise CommandError("--scheduler has workers of its own; --workers is for this machine")
    if not chosen.grid and (scheduler or workers):
        raise CommandError(
            f"{chosen.name} has no grid and runs here; --scheduler and --workers are for sweeps, also of one run: "
            "grid: {seed: [20]}. `workers: 2` in the profile runs two notebooks at a time"
        )
    if chosen.grid:
        _sweep(chosen, scheduler, workers)
    else:
        _run(chosen)


def report(profile: ProfileArgument) -> None:
    """Render the results of a sweep, with intervals over repetitions; prints the path of the page."""
    from helpers import sweeps

    chosen = _profile(profile)
    if not chosen.grid:
        raise CommandError(f"{chosen.name} has no grid and no report; its results are in build/{chosen.name}/")
    typer.echo(f"Report: {sweeps.write_report(chosen)}")


def book(profile: ProfileArgument) -> None:
    """Execute the notebooks of a profile and render the book from them; prints the start page."""
    from helpers.book.building import build

    chosen = _profile(profile)
    typer.echo(f"Start page: {build(chosen.name, _run(chosen))}")


def slides(profile: ProfileArgument) -> None:
    """Execute the notebooks of a profile and make slides of their tagged cells; prints the path of each page."""
    from helpers.book.slides import write_slides

    chosen = _profile(profile)
    for path in write_slides(chosen.name, _run(chosen)):
        typer.echo(f"Slides: {path}")


def pdf(profile: ProfileArgument) -> None:
    """Execute the notebooks of a profile, render the book and print each chapter to PDF; prints the paths."""
    from helpers.book.building import build
    from helpers.book.printing import print_chapters

    chosen = _profile(profile)
    page = build(chosen.name, _run(chosen))
    for path in print_chapters(page.parent, _project().build / chosen.name / "pdf"):
        typer.echo(f"PDF: {path}")


def notebooks() -> None:
    """Execute the notebooks with the quick profile and write their outputs back, normalised."""
    from helpers.book.building import refresh_notebooks

    quick = _profile(Path("quick"))
    changed = refresh_notebooks(quick.name, _run(quick))
    typer.echo(f"Changed: {', '.join(changed)}" if changed else "Nothing has changed.")


def publish(
    profiles: Annotated[
        list[Path] | None,
        typer.Argument(help="Profiles or sweeps; all those of profiles/ but quick where none is named."),
    ] = None,
) -> None:
    """Run profiles and sweeps; copy their tables and provenance to book/results/, and remove those no longer made."""
    project = _project()
    everything = sorted(path for path in project.profiles.glob("*.yaml") if path.stem != "quick")
    failed = []
    for chosen in [_profile(profile) for profile in profiles or everything]:
        typer.echo(f"{chosen.name}:")
        try:
            published = _publish(chosen)
        except LeukobookError as error:  # the others go on
            typer.echo(str(error), err=True)
            failed.append(chosen.name)
        except typer.Exit:  # the error has been printed
            failed.append(chosen.name)
        else:
            for path in published:
                typer.echo(f"  {path.relative_to(project.root)}")
    if failed:
        fail(f"Not published: {', '.join(failed)}")


def _publish(chosen: Profile) -> list[Path]:
    """Run a profile or sweep, publish its results and return the paths of the CSV files."""
    from helpers import sweeps
    from helpers.book import results

    command = f"python -m helpers publish {chosen.name}"
    if chosen.grid:
        return [sweeps.publish(chosen, _sweep(chosen), command)]
    return results.publish(chosen, _run(chosen), command, typer.echo)


def _profile(profile: Path) -> Profile:
    from helpers.runs.profiles import read_profile

    folder = _project().profiles
    return read_profile(profile if profile.suffix else folder / f"{profile}.yaml")


def _project() -> Project:
    """Return the current project after :meth:`helpers.project.Project.check`."""
    project = Project.current()
    project.check()
    return project


def _run(chosen: Profile) -> list[Record]:
    """Run a profile and return its records; exit with 1 if a notebook fails."""
    from helpers.runs import runner

    if chosen.grid:
        raise CommandError(f"{chosen.name} is a sweep: use `python -m helpers run {chosen.name}`")
    records = runner.run(chosen, typer.echo)
    failed = sum(not record.done for record in records)
    if failed:
        fail(f"{failed} of {len(records)} notebooks failed.")
    return records


def _sweep(chosen: Profile, scheduler: str | None = None, workers: int | None = None) -> list[Row]:
    """Run a sweep and return its rows; exit with 1 if a run fails."""
    from helpers import sweeps

    with sweeps.connect_cluster(scheduler, workers) as client:
        rows = sweeps.run(chosen, client, typer.echo)
    failed = sum(not row.done for row in rows)
    typer.echo(f"{len(rows) - failed} of {len(rows)} runs are done: {sweeps.sweep_folder(chosen.name) / 'runs.csv'}")
    if failed:
        raise typer.Exit(1)
    return rows
