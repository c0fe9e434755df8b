"""Compare two evaluations of the same images, model by model."""

from __future__ import annotations

import warnings
from pathlib import Path

import pandas as pd

from helpers.errors import LeukobookError
from helpers.evaluation.results import difference_table, main_estimate
from helpers.evaluation.writing import PREDICTIONS
from helpers.metrics import PREFIX, prediction_classes
from helpers.reports import format_estimate

COLUMNS = ["model", "image_id", "group", "label", "fold"]


class ComparisonError(LeukobookError):
    """Report evaluations that cannot be compared; the message has the remedy."""


def compare(first: Path, second: Path, *, seed: int) -> pd.DataFrame:
    """Compare the models that two evaluations have in common, on the same images (paired).

    Args:
        first: folder of an evaluation, or its ``predictions.csv``.
        second: the other one.
        seed: random seed of the resamples.

    Returns:
        A row per model: ``model, measure`` (AUC for two classes, else balanced accuracy), ``first, second`` (values),
        ``difference`` (second − first), ``low, high, interval, n, groups`` (of the difference).

    Raises:
        ComparisonError: a table is missing or is not one of predictions; images, labels or classes differ; or the two
            have no model in common.
    """
    one, other = _read(first), _read(second)
    _refuse_unlike(first, second, one, other)
    rows = []
    for model in one:
        if model in other:
            rows.append({"model": model, **_difference(one[model], other[model].loc[one[model].index], seed)})
    if not rows:
        raise ComparisonError(
            f"{first} has {', '.join(one)}, and {second} has {', '.join(other)}: no model in common; evaluate both "
            "with the same version of this package"
        )
    return pd.DataFrame(rows)


def lines(table: pd.DataFrame) -> list[str]:
    """Return a comparison as lines for the terminal."""
    result = ["second − first, on the same images:"]
    for row in table.to_dict("records"):
        difference = format_estimate(row["difference"], row["low"], row["high"], row["interval"])
        result.append(
            f"{row['model']}: {row['measure']} {row['first']:.3f} and {row['second']:.3f}, difference {difference} "
            f"(n={row['n']}, groups={row['groups']})"
        )
    return result


def _difference(first: pd.DataFrame, second: pd.DataFrame, seed: int) -> dict:
    classes = prediction_classes(first)
    # Of two classes either may be the positive one: the AUC is the same.
    positive = classes[0] if len(classes) == 2 else ""
    # The first row is that of the main measure.
    difference = difference_table({"first": first, "second": second}, positive, seed).drop(columns="model").iloc[0]
    values = {
        "first": main_estimate(first, positive, seed).value,
        "second": main_estimate(second, positive, seed).value,
    }
    return {"measure": difference["measure"], **values, **difference.drop("measure").rename({"value": "difference"})}


def _read(path: Path) -> dict[str, pd.DataFrame]:
    """Read the predictions of an evaluation by model, indexed by ``image_id``."""
    path = path.expanduser()
    file = path / PREDICTIONS if path.is_dir() else path
    if not file.is_file():
        raise ComparisonError(f"{file}: no such file; pass the folder that leukobook evaluate has written")
    try:
        table = pd.read_csv(file, dtype=dict.fromkeys(COLUMNS, str), keep_default_na=False)
        probabilities = [column for column in map(str, table.columns) if column.startswith(PREFIX)]
        table[probabilities] = table[probabilities].astype(float)
    except (OSError, ValueError) as error:  # such as not CSV, or a word where a number is expected
        raise ComparisonError(f"{file}: cannot be read as a table of predictions ({error}); evaluate again") from None
    missing = [column for column in COLUMNS if column not in table]
    if missing or len(probabilities) < 2 or table.empty:
        raise ComparisonError(f"{file}: is not the table of an evaluation; missing: {', '.join(missing) or 'rows'}")
    return {str(model): rows.set_index("image_id") for model, rows in table.groupby("model", sort=False)}


def _refuse_unlike(first: Path, second: Path, one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    """Refuse evaluations of other images, labels, groups or classes; warn of other folds."""
    a, b = next(iter(one.values())), next(iter(other.values()))
    if set(a.index) != set(b.index):
        only = len(set(a.index) ^ set(b.index))
        raise ComparisonError(
            f"{first} has {len(a)} images and {second} has {len(b)}; {only} are in only one of them, and a paired "
            "comparison needs the same images"
        )
    b = b.loc[a.index]
    if set(prediction_classes(a)) != set(prediction_classes(b)) or not a["label"].equals(b["label"]):
        raise ComparisonError(f"{first} and {second} have different classes or labels for the same images")
    if not a["group"].equals(b["group"]):
        raise ComparisonError(f"{first} and {second} have different groups for the same images; evaluate both again")
    if not a["fold"].equals(b["fold"]):
        warnings.warn("the folds differ, so that part of the difference may be theirs", stacklevel=3)
