"""Exercises of *How a network learns*."""

from __future__ import annotations

import numpy as np

from helpers.teaching.declarations import Exercise, FunctionExercise, Mistake, ValueExercise


def _convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Slide a kernel over an image without padding, with stride 1."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel).sum(axis=(2, 3))


def _flipped(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return _convolve(image, kernel[::-1, ::-1])


def _transposed(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return _convolve(image, kernel.T)


def _padded(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    above, left = (kernel.shape[0] - 1) // 2, (kernel.shape[1] - 1) // 2
    below, right = kernel.shape[0] - 1 - above, kernel.shape[1] - 1 - left
    return _convolve(np.pad(image, ((above, below), (left, right))), kernel)


def _one_short(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return _convolve(image, kernel)[:-1, :-1]


def _averaged(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return _convolve(image, kernel) / kernel.size


def _convolution_cases() -> list[tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(0)
    shapes = [((6, 8), (3, 3)), ((7, 7), (5, 3)), ((9, 6), (1, 2)), ((5, 5), (5, 5))]
    return [(random.normal(size=image), random.normal(size=kernel)) for image, kernel in shapes]


def _gradient(weights: np.ndarray, inputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    p = 1 / (1 + np.exp(-inputs @ weights))
    return inputs.T @ (p - labels) / len(labels)


def _gradient_step(weights: np.ndarray, inputs: np.ndarray, labels: np.ndarray, learning_rate: float) -> np.ndarray:
    return weights - learning_rate * _gradient(weights, inputs, labels)


def _uphill(weights: np.ndarray, inputs: np.ndarray, labels: np.ndarray, learning_rate: float) -> np.ndarray:
    return weights + learning_rate * _gradient(weights, inputs, labels)


def _summed(weights: np.ndarray, inputs: np.ndarray, labels: np.ndarray, learning_rate: float) -> np.ndarray:
    return weights - learning_rate * len(labels) * _gradient(weights, inputs, labels)


def _summed_uphill(weights: np.ndarray, inputs: np.ndarray, labels: np.ndarray, learning_rate: float) -> np.ndarray:
    return weights + learning_rate * len(labels) * _gradient(weights, inputs, labels)


def _step_cases() -> list[tuple[np.ndarray, np.ndarray, np.ndarray, float]]:
    random = np.random.default_rng(2)
    return [
        (random.normal(size=2), random.normal(size=(n, 2)), (np.arange(n) % 2).astype(float), rate)
        for n, rate in ((4, 0.5), (9, 0.1), (30, 2.0))
    ]


FLATTENED = 32 * 10 * 10  # numbers of the flattened maps for images of 48 × 48
# Parameters of the chapter's network for images of 48 × 48: two convolutions, dense layers of 64 units and of 1.
SMALL_NETWORK = 16 * (9 * 3 + 1) + 32 * (9 * 16 + 1) + 64 * (32 * 10 * 10 + 1) + 65
THIRD_CONVOLUTION = 64 * (9 * 32 + 1)

EXERCISES: dict[str, Exercise] = {
    "how-a-network-learns-edge": ValueExercise(
        solve=lambda data: 3 * 200 - 3 * 50,
        hint="three pixels of the upper row times 1, three of the lower row times −1; the middle row counts 0",
        mistakes=(
            Mistake(lambda data: -450, "the sign: the bright row has the weight 1, the dark row −1"),
            Mistake(lambda data: 150, "you took one column; the window has three"),
            Mistake(lambda data: 750, "you added the lower row; its weight is −1"),
            Mistake(lambda data: 0, "that is the output on an even area; here the rows differ"),
        ),
    ),
    "how-a-network-learns-patience": ValueExercise(
        solve=lambda data: 8,
        hint="find the lowest loss; then count the epochs that are not lower than it",
        mistakes=(
            Mistake(lambda data: 5, "that is the epoch whose weights are kept; the training goes on for the patience"),
            Mistake(lambda data: 6, "that is the first epoch without a lower loss; the patience is 3"),
            Mistake(
                lambda data: 10,
                "you began to count anew at 0.52; it is lower than the epoch before, but not than the best",
            ),
            Mistake(lambda data: 7, "you counted from 0; the first epoch is 1"),
        ),
    ),
    "how-a-network-learns-third": ValueExercise(
        solve=lambda data: SMALL_NETWORK + THIRD_CONVOLUTION - 64 * (32 * 10 * 10 - 64 * 4 * 4),
        hint="build the network for images of 48 × 48 with the two new layers before Flatten, and call count_params()",
        mistakes=(
            Mistake(lambda data: SMALL_NETWORK, "that is the network as it was, without the new layers"),
            Mistake(
                lambda data: SMALL_NETWORK + THIRD_CONVOLUTION,
                "you added the new kernels; the dense layer behind them has become smaller",
            ),
            Mistake(
                lambda data: SMALL_NETWORK + THIRD_CONVOLUTION - 64 * (32 * 10 * 10 - 64 * 8 * 8),
                "the pooling after the third convolution is missing",
            ),
            Mistake(lambda data: THIRD_CONVOLUTION, "that is the third convolution alone; count the whole network"),
        ),
    ),
    "how-a-network-learns-dropout": ValueExercise(
        solve=lambda data: 0.2 * FLATTENED,
        hint="the rate is the share of the 32 × 10 × 10 numbers that is set to 0",
        mistakes=(
            Mistake(lambda data: 0.8 * FLATTENED, "that is how many are set to 0; the others are left"),
            Mistake(lambda data: 0.2 * 64, "you counted the units behind the dropout; it stands in front of them"),
            Mistake(lambda data: FLATTENED, "that is the whole list, without any dropout"),
        ),
    ),
    "how-a-network-learns-convolve": FunctionExercise(
        solve=_convolve,
        cases=_convolution_cases,
        hint="the output has image height − kernel height + 1 rows; each value is (window * kernel).sum()",
        mistakes=(
            Mistake(_flipped, "your kernel is turned by 180°, as in mathematics; here it is laid on as it is"),
            Mistake(_transposed, "rows and columns of your kernel are exchanged"),
            Mistake(_padded, "your map is as large as the image; without padding it is smaller"),
            Mistake(_one_short, "the last row and column are missing; a kernel fits height − kernel height + 1 times"),
            Mistake(_averaged, "you took the mean of the products; a convolution adds them"),
        ),
    ),
    "how-a-network-learns-gradient-step": FunctionExercise(
        solve=_gradient_step,
        cases=_step_cases,
        hint="weights − learning_rate × slope, where the slope is a mean over the cells",
        mistakes=(
            Mistake(_uphill, "one error is left: your step still goes uphill"),
            Mistake(_summed, "one error is left: your slope is still a sum over the cells, not a mean"),
            Mistake(_summed_uphill, "both errors are still there; compare the last two lines with the formula"),
        ),
    ),
}
