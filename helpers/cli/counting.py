"""Commands on whole fields: train-detector, count, compare-counts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from helpers.cli.errors import CommandError
from helpers.cli.messages import announce_replacement, fail_on_unreadable, folder_of, print_findings

if TYPE_CHECKING:  # keeps pandas and Keras out of the start of every command
    import pandas as pd

    from helpers.counting.writing import Count


def train_detector(
    names: Annotated[list[str], typer.Argument(help="Fields with boxes: synthetic, txl, txl:pbc, txl:raabin, bccd.")],
    model: Annotated[Path, typer.Option(help="The .keras file to write; its note goes beside it.")] = Path(
        "detector.keras"
    ),
    epochs: Annotated[int, typer.Option(min=1, max=200, help="At most.")] = 12,
    seed: Annotated[int, typer.Option(help="Of split, weights, patches and synthetic fields.")] = 20,
) -> None:
    """Train a detector of white blood cells on fields with boxes, test it, and save it. Not for diagnosis."""
    from helpers import reports
    from helpers.counting import preparation

    note = preparation.train_detector(names, model, seed=seed, epochs=epochs, log=typer.echo)
    for name, estimate in note.validation.items():
        shown = reports.format_estimate(estimate.value, estimate.low, estimate.high, estimate.interval)
        typer.echo(f"{name:38} {shown} (n={estimate.n}, groups={estimate.groups})")
    typer.echo("These are the fields that chose epoch and threshold; test it on others before you rely on it.")
    typer.echo(f"{model} and {model.with_suffix('.json')} are written")


def count(
    folder: Annotated[Path, typer.Argument(help="A folder of fields, or one field.")],
    model: Annotated[
        Path, typer.Option(help="A classifier, .keras or .features with its card, from python -m helpers train.")
    ],
    detector: Annotated[
        Path, typer.Option(help="A .keras file with its note, from python -m helpers train-detector.")
    ] = Path("detector.keras"),
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("counted"),
    groups: Annotated[
        Path | None, typer.Option(help="A table with the columns image and group; else all fields are of one patient.")
    ] = None,
    um_per_pixel: Annotated[
        float | None, typer.Option(help="Scale of your fields, µm per pixel; else it is measured on their red cells.")
    ] = None,
    validation: Annotated[
        Path | None, typer.Option(help="Labelled predictions of the classifier; corrects the shares for its confusion.")
    ] = None,
    correct: Annotated[
        Path | None, typer.Option(help="A table with image, cell and class: your corrections; counts again.")
    ] = None,
) -> None:
    """Find, name and count the white blood cells of your fields, per patient. Not for diagnosis."""
    from helpers import prediction
    from helpers.counting import saving, writing
    from helpers.datasets import find_images

    if correct and (groups or um_per_pixel is not None or validation):
        raise CommandError("--correct changes a finished count; leave out --groups, --um-per-pixel and --validation")
    classifier, card = prediction.load(model)
    if correct:
        result = writing.recount(correct, card, folder=folder_of(folder), output_dir=out)
    else:
        announce_replacement(out / writing.CELLS)
        chosen = [name for name in (groups, validation, *(out / name for name in writing.TABLES)) if name]
        result = writing.count_folder(
            find_images(folder, [*chosen, out / writing.REPORT]),
            saving.load_detector(detector),
            classifier,
            card,
            folder=folder_of(folder),
            output_dir=out,
            groups_table=groups,
            um_per_pixel=um_per_pixel,
            validation=writing.read_validation(validation, card) if validation else None,
        )
    _report(result, out)


def compare_counts(
    counts: Annotated[Path, typer.Argument(help="counts.csv of a count.")],
    reference: Annotated[
        Path,
        typer.Argument(help="A person's differentials: columns group, class and n, and patient if films share one."),
    ],
    out: Annotated[Path, typer.Option(help="The CSV file to write.")] = Path("agreement.csv"),
    seed: Annotated[int, typer.Option(help="Of the resamples of patients.")] = 20,
) -> None:
    """Compare a count with the differentials of people, class by class. Not for diagnosis."""
    from helpers import files, outputs, reports
    from helpers.counting import agreement
    from helpers.reports import tables

    path = outputs.require_file(out)
    announce_replacement(path)
    counted = agreement.read_counts(counts)
    table = agreement.compare_differentials(counted, agreement.read_reference(reference, counted), seed=seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, tables.safe_text(table).to_csv(index=False, float_format="%.6g"))
    typer.echo("count − reference, percentage points; limits of agreement hold about 95 % of films")
    for _, row in table.iterrows():
        bias = reports.format_estimate(row["bias"], row["bias_low"], row["bias_high"], row["interval"])
        typer.echo(
            f"{row['class']:20} {bias}, limits {row['lower_limit']:.1f} to {row['upper_limit']:.1f}; "
            f"{row['beyond_chance']} of {row['films']} films differ by more than chance makes likely "
            f"(patients={row['patients']})"
        )
    typer.echo(f"{out} is written")


def _report(result: Count, out: Path) -> None:
    from helpers.counting import writing
    from helpers.prediction.referral import REFER

    cells, fields = result.cells, result.fields
    scale = fields["um_per_pixel"].iloc[0]
    typer.echo(
        f"{len(cells)} white blood cells in {len(fields)} fields at {scale:.3g} µm per pixel, "
        f"{int(cells['counted'].sum())} counted, {int(cells[REFER].sum())} referred"
    )
    for group, own in result.counts.groupby("group", sort=True):
        typer.echo(f"{group}: {_differential(own)}")
    for flag in result.flags.itertuples():
        typer.echo(f"{flag.group}: {flag.flag} ({flag.cells})")
    typer.echo(f"{out / writing.REPORT} shows them; {', '.join(writing.TABLES)} and {writing.OVERLAYS}/ are beside it")
    print_findings(result.findings)
    fail_on_unreadable(result.bad)


def _differential(counts: pd.DataFrame) -> str:
    """Format the counts of a patient: ``100 cells: neutrophil 60 % [50–69], …``."""
    of_white = counts.dropna(subset=["share"])
    shares = ", ".join(
        f"{row.share:.0%} {name} [{row.low:.0%}, {row.high:.0%}]"
        for name, row in zip(of_white["class"], of_white.itertuples(), strict=True)
    )
    return f"{int(of_white['total'].max())} cells: {shares}" if len(of_white) else "no white blood cell counted"
