"""Exercises of *Trust*."""

from __future__ import annotations

from helpers.teaching.declarations import Exercise, Mistake, ValueExercise

_ACCURACY, _SENSITIVITY, _SPECIFICITY = 0.5972, 0.8179, 0.1821
_SHARE = (_ACCURACY - _SPECIFICITY) / (_SENSITIVITY - _SPECIFICITY)
_NO_INTERVAL_ABOVE = (39 / 40) ** 60

EXERCISES: dict[str, Exercise] = {
    "trust-share": ValueExercise(
        solve=lambda data: _SHARE,
        hint="accuracy is share × sensitivity + (1 - share) × specificity",
        mistakes=(
            Mistake(lambda data: 1 - _SHARE, "you gave the share of the normal cells"),
            Mistake(
                lambda data: _ACCURACY / _SENSITIVITY,
                "you left out the normal cells; those that are classified correctly count in the accuracy, too",
            ),
        ),
    ),
    "trust-tries": ValueExercise(
        solve=lambda data: 1 - _NO_INTERVAL_ABOVE,
        hint="one less the probability that none of sixty lies above",
        mistakes=(
            Mistake(lambda data: _NO_INTERVAL_ABOVE, "you gave the probability that no interval lies above one half"),
            Mistake(lambda data: 1 / 40, "you gave the probability for a single model"),
            Mistake(lambda data: 60 / 40, "you added up probabilities; the sum exceeds 1, so it cannot be one"),
        ),
    ),
}
