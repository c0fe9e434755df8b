"""A sentence on the loss curves of a network, computed from its history."""

from __future__ import annotations

import numpy as np
import pandas as pd

RISE = 0.05  # increase of the validation loss above its minimum that counts as overfitting


def describe_training(history: pd.DataFrame, n_classes: int) -> str:
    """Say whether a network has learnt, whether it overfits or is unstable, and whether more epochs could help.

    Args:
        history: columns ``loss`` and ``val_loss``, the cross-entropy by epoch; epochs with a loss that is no finite
            number are passed over.
        n_classes: number of classes; guessing gives each the same probability.

    Example:
        >>> import pandas as pd
        >>> from helpers import reports
        >>> history = pd.DataFrame({"loss": [0.7, 0.4], "val_loss": [0.7, 0.5]})
        >>> reports.describe_training(history, 2).rpartition(": ")[2]
        'more epochs may help.'
    """
    losses = history[["loss", "val_loss"]].to_numpy(float)
    training, validation = losses[np.isfinite(losses).all(axis=1)].T
    if not len(training):
        return "The losses are no finite numbers: the training diverged. Lower the learning rate."
    best, last, chance = int(validation.argmin()), len(validation) - 1, float(np.log(n_classes))
    curves = (
        f"The training loss goes from {training[0]:.2f} to {training[last]:.2f}, the validation loss from "
        f"{validation[0]:.2f} to {validation[last]:.2f}; guessing with equal probabilities costs ln {n_classes} = "
        f"{chance:.2f}. The validation loss is lowest, {validation[best]:.2f}, in epoch {best + 1} of "
        f"{len(validation)}."
    )
    if validation[best] >= chance:
        learnt = "learnt its training images" if training[last] < chance else "learnt nothing"
        return f"{curves} It is never below chance: the network has {learnt}, and nothing that helps on other patients."
    if best == last:
        return f"{curves} That is the last epoch: more epochs may help."
    if validation[last] > validation[best] + RISE:
        if training[last] >= training[best]:
            return f"{curves} After that both rise: the training has become unstable. Try a lower learning rate."
        return (
            f"{curves} After that it rises while the training loss goes on falling: the network overfits, and the "
            "weights of that epoch are the ones to keep."
        )
    return f"{curves} After that it stays near its minimum: no overfitting is shown, and no gain by more epochs."
