"""Exercises of *Transfer*."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import pairwise_distances

from helpers.teaching.declarations import Exercise, FunctionExercise, Mistake, ValueExercise

N_FEATURES, N_BACKBONE = 2048, 23_600_000  # of ResNet-50


def _multiply_adds(height: int, width: int, kernel: int, stride: int, channels_in: int, channels_out: int) -> int:
    positions = -(-height // stride) * -(-width // stride)
    return positions * kernel * kernel * channels_in * channels_out


def _without_stride(height: int, width: int, kernel: int, stride: int, channels_in: int, channels_out: int) -> int:
    return _multiply_adds(height, width, kernel, 1, channels_in, channels_out)


def _without_padding(height: int, width: int, kernel: int, stride: int, channels_in: int, channels_out: int) -> int:
    places = (height - kernel) // stride + 1, (width - kernel) // stride + 1
    return places[0] * places[1] * kernel * kernel * channels_in * channels_out


def _rounded_down(height: int, width: int, kernel: int, stride: int, channels_in: int, channels_out: int) -> int:
    return height // stride * (width // stride) * kernel * kernel * channels_in * channels_out


def _one_input_channel(height: int, width: int, kernel: int, stride: int, channels_in: int, channels_out: int) -> int:
    return _multiply_adds(height, width, kernel, stride, 1, channels_out)


def _weights_only(height: int, width: int, kernel: int, stride: int, channels_in: int, channels_out: int) -> int:
    return kernel * kernel * channels_in * channels_out


def _kernel_side(height: int, width: int, kernel: int, stride: int, channels_in: int, channels_out: int) -> int:
    return _multiply_adds(height, width, kernel, stride, channels_in, channels_out) // kernel


def _convolutions() -> list[tuple[int, int, int, int, int, int]]:
    return [(8, 8, 3, 1, 3, 16), (9, 7, 3, 2, 4, 5), (32, 24, 5, 2, 3, 8), (6, 6, 1, 1, 10, 20)]


def _distances(features: np.ndarray) -> np.ndarray:
    return pairwise_distances(features)


def _nearest(features: np.ndarray, groups: np.ndarray) -> np.ndarray:
    distances = _distances(features)
    distances[groups[:, None] == groups] = np.inf
    return distances.argmin(axis=1)


def _itself(features: np.ndarray, groups: np.ndarray) -> np.ndarray:
    return _distances(features).argmin(axis=1)


def _own_group(features: np.ndarray, groups: np.ndarray) -> np.ndarray:
    distances = _distances(features)
    np.fill_diagonal(distances, np.inf)
    return distances.argmin(axis=1)


def _farthest(features: np.ndarray, groups: np.ndarray) -> np.ndarray:
    distances = _distances(features)
    distances[groups[:, None] == groups] = -np.inf
    return distances.argmax(axis=1)


def _standardised(features: np.ndarray, groups: np.ndarray) -> np.ndarray:
    return _nearest((features - features.mean(axis=0)) / features.std(axis=0), groups)


def _places() -> list[tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(0)
    scales = np.array([1.0, 5.0, 0.2])
    return [(random.normal(size=(n, 3)) * scales, np.arange(n) // 2) for n in (6, 11, 30)]


def _normalise(
    x: np.ndarray, mean: np.ndarray, variance: np.ndarray, scale: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    return scale * (x - mean) / np.sqrt(variance) + shift


def _with_batch_mean(
    x: np.ndarray, mean: np.ndarray, variance: np.ndarray, scale: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    return _normalise(x, x.mean(axis=0), variance, scale, shift)


def _by_variance(
    x: np.ndarray, mean: np.ndarray, variance: np.ndarray, scale: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    return scale * (x - mean) / variance + shift


def _both_errors(
    x: np.ndarray, mean: np.ndarray, variance: np.ndarray, scale: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    return scale * (x - x.mean(axis=0)) / variance + shift


def _all_from_batch(
    x: np.ndarray, mean: np.ndarray, variance: np.ndarray, scale: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    return _normalise(x, x.mean(axis=0), x.var(axis=0), scale, shift)


def _batches() -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    random = np.random.default_rng(1)
    return [
        (
            random.normal(2, 3, (n, 4)),
            random.normal(size=4),
            random.uniform(0.5, 4, 4),
            random.uniform(0.5, 2, 4),
            random.normal(size=4),
        )
        for n in (3, 5, 8)
    ]


EXERCISES: dict[str, Exercise] = {
    "transfer-parameters": ValueExercise(
        solve=lambda data: (N_FEATURES + 1) * len(data.classes),
        hint="each output of the dense layer has a weight for every feature, and a bias; the backbone is frozen",
        mistakes=(
            Mistake(lambda data: N_FEATURES * len(data.classes), "the biases are missing, one per class"),
            Mistake(
                lambda data: N_BACKBONE + (N_FEATURES + 1) * len(data.classes),
                "you counted the backbone, which is frozen",
            ),
            Mistake(lambda data: N_FEATURES, "that is the number of features; each class has a weight for every one"),
        ),
    ),
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
    "transfer-multiply-adds": FunctionExercise(
        solve=_multiply_adds,
        cases=_convolutions,
        hint="places of the output × kernel × kernel × channels in × channels out",
        mistakes=(
            Mistake(_without_stride, "the stride is missing; with stride 2 the output has half the side"),
            Mistake(_without_padding, "with padding the kernel fits at the border too: ⌈height / stride⌉ places"),
            Mistake(_rounded_down, "places are rounded up, not down; -(-height // stride) does that"),
            Mistake(_one_input_channel, "each kernel has a table for every channel of its input"),
            Mistake(_weights_only, "that is the number of weights; each is used at every place of the output"),
            Mistake(_kernel_side, "a kernel has kernel × kernel weights, not kernel"),
        ),
    ),
    "transfer-nearest": FunctionExercise(
        solve=_nearest,
        cases=_places,
        hint="pairwise_distances(features), infinity where the groups are equal, argmin of every row",
        mistakes=(
            Mistake(_itself, "every row found itself, at distance 0"),
            Mistake(_own_group, "you left out the row itself, but not the others of its group"),
            Mistake(_farthest, "that is the farthest row of another group"),
            Mistake(_standardised, "you standardised the features; here they are taken as they are"),
        ),
    ),
    "transfer-batch-normalisation": FunctionExercise(
        solve=_normalise,
        cases=_batches,
        hint="scale × (x − running mean) / √(running variance) + shift",
        mistakes=(
            Mistake(_with_batch_mean, "one error is left: the mean is still that of the batch"),
            Mistake(_by_variance, "one error is left: you still divide by the variance, not by its square root"),
            Mistake(_both_errors, "both errors are still there; use the running mean, and a standard deviation"),
            Mistake(_all_from_batch, "mean and variance are those of the batch; in prediction the running ones count"),
        ),
    ),
}
