"""Sentences on an external test, computed from its tables."""

from __future__ import annotations

import pandas as pd

from helpers.evaluation.record import DIFFERENCE, EXTERNAL, SOURCE, ExternalTest
from helpers.evaluation.referral import COVERED, REFERRED, WRONG_KEPT
from helpers.learners.referral import COVERAGE
from helpers.metrics import INTERVAL, RANGE, natural_frequency, prediction_classes
from helpers.prediction.referral import FAR
from helpers.reports import format_estimate


def external_sentences(test: ExternalTest) -> list[str]:
    """Say what an external test shows: score, meaning, recall, referral, prediction sets, distance, caution.

    Args:
        test: the record.

    Returns:
        Sentences in plain text; names of the user are not escaped.
    """
    coverage = [_coverage(test)] if COVERED in set(test.comparison["measure"]) else []
    return [*external_summary(test)[:2], _recall(test), _referral(test), *coverage, _distance(test), _caution(test)]


def external_summary(test: ExternalTest) -> list[str]:
    """Say what an external test shows in three sentences: score, meaning, caution."""
    return [_score(test), _meaning(test), _caution(test)]


def _score(test: ExternalTest) -> str:
    measure = str(test.comparison["measure"].iloc[0])
    at = _rows(test.comparison, "measure", measure)
    return (
        f"In the test on {test.source}, the {measure} is {_counted(at[SOURCE])}; that of the saved model, which is "
        f"trained on {test.n_training} images of {test.source}, is {_counted(at[EXTERNAL])} on {test.external}. "
        f"Difference ({DIFFERENCE}): {_estimate(at[DIFFERENCE])}; chance level: {_chance_level(test):.3f}."
    )


def _chance_level(test: ExternalTest) -> float:
    return 0.5 if test.positive else 1 / len(prediction_classes(test.predictions))


def _meaning(test: ExternalTest) -> str:
    """Say whether the difference may be chance, as far as its interval allows."""
    measure = str(test.comparison["measure"].iloc[0])
    row = _rows(test.comparison, "measure", measure)[DIFFERENCE]
    if row["interval"] == INTERVAL and row["high"] < 0:
        return f"The {measure} is lower there: the 95 % interval of the difference lies below 0."
    if row["interval"] == INTERVAL and row["low"] > 0:
        return f"The {measure} is higher there: the 95 % interval of the difference lies above 0."
    if row["interval"] == INTERVAL:
        return (
            f"The 95 % interval of the difference includes 0, so that these groups do not show whether the {measure} "
            f"is lower there; a loss of {max(0.0, -row['low']):.3f} is compatible with them."
        )
    if row["interval"] == RANGE:
        return (
            "There are too few groups, in one of the datasets at least of one class, for a 95 % interval of the "
            "difference: the range shows how single groups differ, not what other groups would give."
        )
    return "The difference has no interval, as one of the datasets has a single group, or the measure is not defined."


def _recall(test: ExternalTest) -> str:
    """Describe the class whose recall differs most between the datasets."""
    differences = test.recalls[test.recalls["dataset"] == DIFFERENCE]
    name = str(differences.set_index("class")["value"].abs().idxmax())
    at = _rows(test.recalls, "class", name)
    return (
        f"The recall differs most for {name}: of 100 of its images, {_per_hundred(at[SOURCE])} are recognised in the "
        f"source and {_per_hundred(at[EXTERNAL])} in the external dataset."
    )


def _referral(test: ExternalTest) -> str:
    referred, wrong = (_rows(test.comparison, "measure", name) for name in (REFERRED, WRONG_KEPT))
    clauses = [
        f"{_per_hundred(wrong[side])} {words}"
        for side, words in ((SOURCE, "in the source"), (EXTERNAL, "in the external dataset"))
        if wrong[side]["n"]
    ]
    kept = f"of 100 that are not, the prediction is wrong for {' and '.join(clauses)}" if clauses else "none is kept"
    return (
        f"Of 100 images, {_per_hundred(referred[SOURCE])} are referred to an expert in the source and "
        f"{_per_hundred(referred[EXTERNAL])} in the external dataset; {kept}."
    )


def _coverage(test: ExternalTest) -> str:
    at = _rows(test.comparison, "measure", COVERED)
    sentence = (
        f"The prediction sets are to hold the class of {100 * COVERAGE:.0f} of 100 images of new groups of the source; "
        f"they hold that of {_per_hundred(at[SOURCE])} in the source and of {_per_hundred(at[EXTERNAL])} in the "
        "external dataset"
    )
    if at[EXTERNAL]["interval"] == INTERVAL and at[EXTERNAL]["high"] < COVERAGE:
        return f"{sentence}, where the promise does not hold."
    return f"{sentence}."


def _distance(test: ExternalTest) -> str:
    at = _rows(test.comparison, "measure", FAR)
    return (
        f"Of 100 external images, {_per_hundred(at[EXTERNAL])} lie farther from the training images, in hand-crafted "
        f"features, than {test.limit}; of 100 of the source itself, {_per_hundred(at[SOURCE])}."
    )


def _caution(test: ExternalTest) -> str:
    return (
        f"One other laboratory is one sample of laboratories: this says how the model does on {test.external}; no "
        "interval here says how much a third laboratory would differ."
    )


def _rows(table: pd.DataFrame, by: str, name: str) -> dict[str, dict]:
    """Return the rows of one measure or class, by dataset."""
    rows = table[table[by] == name].set_index("dataset")
    return {str(dataset): row.to_dict() for dataset, row in rows.iterrows()}


def _estimate(row: dict) -> str:
    return format_estimate(row["value"], row["low"], row["high"], row["interval"])


def _counted(row: dict) -> str:
    return f"{_estimate(row)} (n={row['n']}, groups={row['groups']})"


def _per_hundred(row: dict) -> str:
    return natural_frequency(row["value"], row["low"], row["high"], kind=row["interval"])
