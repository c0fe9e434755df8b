"""The sentence on loss curves follows them: falling, rising, flat, and those that are no numbers."""

import numpy as np
import pandas as pd
import pytest

from helpers import reports

FALLING, RISING, FLAT = np.linspace(0.7, 0.3, 10), np.linspace(0.7, 0.9, 10), np.full(10, 0.7)
TURNING = np.r_[np.linspace(0.7, 0.4, 5), np.linspace(0.45, 0.8, 5)]
LEVEL = np.r_[np.linspace(0.7, 0.4, 5), np.linspace(0.41, 0.44, 5)]


def describe(training, validation, n_classes=2):
    return reports.describe_training(pd.DataFrame({"loss": training, "val_loss": validation}), n_classes)


@pytest.mark.parametrize(
    ("training", "validation", "verdict"),
    [
        (FALLING, FALLING, "That is the last epoch: more epochs may help."),
        (FALLING, TURNING, "the network overfits, and the weights of that epoch are the ones to keep."),
        (FALLING, LEVEL, "After that it stays near its minimum: no overfitting is shown"),
        (RISING, TURNING, "After that both rise: the training has become unstable."),
        (FALLING, RISING, "has learnt its training images, and nothing that helps on other patients."),
        (RISING, RISING, "has learnt nothing, and nothing that helps on other patients."),
        (FLAT, FLAT, "has learnt nothing, and nothing that helps on other patients."),
    ],
)
def test_curves_are_read_by_what_they_do(training, validation, verdict):
    words = describe(training, validation)
    assert verdict in words
    assert f"goes from {training[0]:.2f} to {training[-1]:.2f}, the validation loss from 0.70 to" in words
    assert f"lowest, {validation.min():.2f}, in epoch {validation.argmin() + 1} of 10" in words


def test_chance_depends_on_the_number_of_classes():
    assert "costs ln 2 = 0.69" in describe(FLAT, FLAT)
    assert "It is never below chance" in describe(FLAT, FLAT)
    of_four = describe(FLAT, FLAT, 4)
    assert "costs ln 4 = 1.39" in of_four
    assert "It is never below chance" not in of_four


def test_losses_that_are_no_numbers_are_passed_over_or_called_so():
    broken = np.r_[FALLING[:5], np.full(5, np.nan)]
    assert "in epoch 5 of 5. That is the last epoch" in describe(broken, broken)
    assert describe(np.full(3, np.nan), np.full(3, np.inf)).endswith("Lower the learning rate.")
