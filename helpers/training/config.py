"""Training configuration, and the configurations of published systems."""

from __future__ import annotations

from dataclasses import dataclass, replace

from helpers.backend import keras, tf


@dataclass(frozen=True)
class TrainingConfig:
    """Hyperparameters of a training run.

    Attributes:
        epochs: Maximum number of epochs.
        learning_rate: Initial learning rate.
        patience: Number of epochs without a lower validation loss after which training stops.
        seed: Seed of the initial weights, shuffling, dropout and augmentation.
        batch_size: Images per batch.
        optimizer: Keras optimizer name, such as ``adam``, ``rmsprop`` or ``adamax``.
        schedule: Learning rate schedule. ``cosine`` decays to zero along half a cosine over all epochs; ``constant``
            keeps the initial rate; ``plateau`` halves the rate after every epoch whose validation loss is not lower
            than the minimum so far by 0.0001, as Keras's ``ReduceLROnPlateau(factor=0.5, patience=1)``.
        min_delta: Minimum decrease of the validation loss that resets the patience.
        strategy: Distribution strategy: empty for one device, ``mirrored`` for all GPUs of this machine,
            ``multi-worker`` for the machines listed in ``TF_CONFIG``; see :mod:`helpers.training.distributed`.

    Example:
        >>> from dataclasses import replace
        >>> from helpers.training import TrainingConfig
        >>> config = TrainingConfig(epochs=5, batch_size=8)
        >>> config.learning_rate
        0.002
        >>> replace(config, seed=21).seed
        21
    """

    epochs: int = 30
    learning_rate: float = 2e-3
    patience: int = 10
    seed: int = 20
    batch_size: int = 4
    optimizer: str = "adam"
    schedule: str = "cosine"
    min_delta: float = 0.0
    strategy: str = ""


# Published training protocols. Schouten et al. 2021 (github.com/marrlab/ClassificationALL), two and six classes.
SCHOUTEN_BINARY = TrainingConfig(500, 1e-3, patience=50, batch_size=5, optimizer="rmsprop", schedule="constant")
SCHOUTEN_SIX = replace(SCHOUTEN_BINARY, learning_rate=1e-4, optimizer="adam")
# github.com/jschwxrz/all-classification: InceptionV3 on C-NMC.
JSCHWXRZ = TrainingConfig(40, 1e-3, patience=3, batch_size=40, optimizer="adamax", schedule="plateau", min_delta=0.01)
# github.com/cucu-o0/final_project_IH_leukemia.
ANNA = TrainingConfig(20, 1e-3, patience=10, batch_size=32, schedule="constant")


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and Keras, and make TensorFlow use deterministic operations.

    A run is then exactly reproducible on one machine with the same package versions. Another processor, another number
    of threads or a GPU sums in another order; these rounding differences grow over the epochs until they are as large
    as those between seeds.

    Args:
        seed: Random seed.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
