"""Exercises of *Transfer*."""

from __future__ import annotations

from helpers.teaching.declarations import Exercise, Mistake, ValueExercise

EXERCISES: dict[str, Exercise] = {
    "transfer-passes": ValueExercise(
        solve=lambda data: 10,
        hint="epochs times 0.8 of the images, over 8 times the images",
        mistakes=(
            Mistake(lambda data: 12.5, "you trained on all images; 80 % of them are in the training set"),
            Mistake(
                lambda data: 80,
                "you let every image pass once for the cache; it passes once for each of eight dihedral transforms",
            ),
            Mistake(lambda data: 0.1, "you divided the second number by the first"),
        ),
    ),
    "transfer-megabytes": ValueExercise(
        solve=lambda data: len(data) * 8 * 1280 * 2 / 1e6,
        hint="images × 8 × 1280 numbers of two bytes each",
        mistakes=(
            Mistake(lambda data: len(data) * 1280 * 2 / 1e6, "you left out the eight dihedral transforms"),
            Mistake(lambda data: len(data) * 8 * 1280 / 1e6, "you counted numbers; each takes two bytes"),
            Mistake(lambda data: len(data) * 8 * 1280 * 4 / 1e6, "you took four bytes a number; here it has two"),
            Mistake(lambda data: len(data) * 8 * 1280 * 2 / 1024**2, "you gave mebibytes (1024² bytes), not megabytes"),
        ),
    ),
}
