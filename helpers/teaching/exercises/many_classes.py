"""Exercises of *Many classes*."""

from __future__ import annotations

import numpy as np

from helpers.teaching.declarations import Exercise, FunctionExercise, Mistake, ValueExercise


def _softmax(logits: np.ndarray) -> np.ndarray:
    """Return the softmax of every row, ``float (n, classes)``, without overflow."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def _softmax_of_all(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max())
    return exponentials / exponentials.sum()


def _softmax_below_the_largest_of_all(logits: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        exponentials = np.exp(logits - logits.max())
        return exponentials / exponentials.sum(axis=1, keepdims=True)


def _softmax_over_images(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=0))
    return exponentials / exponentials.sum(axis=0)


def _softmax_that_overflows(logits: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        exponentials = np.exp(logits)
        return exponentials / exponentials.sum(axis=1, keepdims=True)


def _logits() -> list[tuple[np.ndarray]]:
    random = np.random.default_rng(20)
    large = np.array([[1000.0, 999.0, 0.0], [1.0, 0.0, 2.0]])
    return [(random.normal(0, 2, (4, 3)),), (random.normal(0, 1, (2, 6)),), (large,)]


def _balanced_accuracy(matrix: np.ndarray) -> float:
    """Return the mean recall of a confusion matrix ``int (classes, classes)`` with true classes in rows."""
    return float(np.mean(np.diag(matrix) / matrix.sum(axis=1)))


def _matrices() -> list[tuple[np.ndarray]]:
    random = np.random.default_rng(20)
    cases = [random.integers(0, 30, (k, k)) + 40 * np.eye(k, dtype=int) for k in (2, 3, 5)]
    return [(case,) for case in cases]


def _class_weights(counts: np.ndarray) -> np.ndarray:
    """Return the weight of an image of each class, so that classes weigh alike and the mean over images is 1."""
    return counts.sum() / (len(counts) * counts)


EXERCISES: dict[str, Exercise] = {
    "many-classes-baseline": ValueExercise(
        solve=lambda data: 1 / len(data.classes),
        hint="the mean over classes of: 1 for one, 0 for the others",
        mistakes=(
            Mistake(
                lambda data: float(data.frame["label"].value_counts(normalize=True).iloc[0]),
                "you gave the accuracy of today; balanced accuracy is the mean of the recalls of all classes",
            ),
            Mistake(
                lambda data: _share_after_doubling(data.frame["label"].value_counts().to_numpy()),
                "you gave the accuracy; balanced accuracy is the mean of the recalls of all classes",
            ),
        ),
    ),
    "many-classes-averages": ValueExercise(
        solve=lambda data: (0.9 + 0.4) / 2,
        hint="the recall of each class first, then the mean of the two",
        mistakes=(
            Mistake(lambda data: 0.85, "you counted images: that is the accuracy; take the mean of the two recalls"),
            Mistake(
                lambda data: (81 / 87 + 4 / 13) / 2,
                "you divided by the images that were called so: that is the precision; recall divides by the row",
            ),
        ),
    ),
    "many-classes-softmax": FunctionExercise(
        solve=_softmax,
        cases=_logits,
        hint="subtract the largest logit of the row first; then exponentials, divided by their sum in the row",
        mistakes=(
            Mistake(_softmax_of_all, "all rows together make 1; each row must: an image has its own probabilities"),
            Mistake(_softmax_over_images, "you divided by the sum over images; divide by the sum over classes"),
            Mistake(
                _softmax_below_the_largest_of_all,
                "a row far below the largest logit of all becomes 0 / 0; subtract the largest of the row itself",
            ),
            Mistake(
                _softmax_that_overflows,
                "exp(1000) is too large for a float; subtract the largest logit of the row first",
            ),
        ),
    ),
    "many-classes-balanced-accuracy": FunctionExercise(
        solve=_balanced_accuracy,
        cases=_matrices,
        hint="the diagonal divided by the sums of the rows, and the mean of that",
        mistakes=(
            Mistake(
                lambda matrix: float(np.trace(matrix) / matrix.sum()),
                "that is the accuracy: every image counts alike; every class must",
            ),
            Mistake(
                lambda matrix: float(np.mean(np.diag(matrix) / matrix.sum(axis=0))),
                "you divided by the sums of the columns: that is the mean precision",
            ),
        ),
    ),
    "many-classes-weights": FunctionExercise(
        solve=_class_weights,
        cases=lambda: [(np.array([90, 10]),), (np.array([137, 91, 45, 17]),), (np.array([8, 8, 30]),)],
        hint="inverse to the counts, and scaled so that the mean weight of all images is 1",
        mistakes=(
            Mistake(lambda counts: counts / counts.max(), "both errors of the colleague are still there"),
            Mistake(
                lambda counts: counts.max() / counts,
                "one error is left: weights fall as counts rise, but the mean weight of all images is not 1",
            ),
            Mistake(
                lambda counts: 1 / counts / np.mean(1 / counts),
                "the mean weight of the classes is 1; it is that of all images that must be",
            ),
            Mistake(
                lambda counts: counts / counts.sum(),
                "common classes weigh more than rare ones here; the weight must fall as the count rises",
            ),
            Mistake(
                lambda counts: 1 / counts,
                "classes weigh alike, but the loss shrinks with the number of images; scale the mean weight to 1",
            ),
            Mistake(
                lambda counts: counts.sum() / counts,
                "the classes weigh alike, but the mean weight is the number of classes; scale it to 1",
            ),
        ),
    ),
}


def _share_after_doubling(counts: np.ndarray) -> float:
    """Return the share of the commonest class after its images were doubled."""
    return float(2 * counts.max() / (counts.sum() + counts.max()))
