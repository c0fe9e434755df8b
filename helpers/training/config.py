"""How models are trained: the settings, and those of published systems."""

from __future__ import annotations

from dataclasses import dataclass, replace

from helpers.backend import keras, tf


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Attributes:
        epochs: at most.
        learning_rate: learning rate at the start.
        patience: epochs without a lower validation loss after which training stops.
        seed: of weights, order and augmentation.
        batch_size: images in a batch.
        optimizer: as Keras names it: ``adam``, ``rmsprop``, ``adamax``.
        schedule: of the learning rate: ``cosine`` falls to zero along half a cosine over all epochs, ``constant``
            stays, ``plateau`` halves after every epoch whose validation loss is not lower than the least before by
            0.0001, as Keras's ``ReduceLROnPlateau(factor=0.5, patience=1)``.
        min_delta: by how much the validation loss must fall to count for the patience.
        strategy: where it is trained: on one device where empty, ``mirrored`` on all GPUs of this machine,
            ``multi-worker`` on the machines that ``TF_CONFIG`` names; see :mod:`helpers.training.distributed`.
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


# The protocols of published systems. Schouten et al. 2021: github.com/marrlab/ClassificationALL, two classes and six.
SCHOUTEN_BINARY = TrainingConfig(500, 1e-3, patience=50, batch_size=5, optimizer="rmsprop", schedule="constant")
SCHOUTEN_SIX = replace(SCHOUTEN_BINARY, learning_rate=1e-4, optimizer="adam")
# github.com/jschwxrz/all-classification: InceptionV3 on C-NMC.
JSCHWXRZ = TrainingConfig(40, 1e-3, patience=3, batch_size=40, optimizer="adamax", schedule="plateau", min_delta=0.01)
# github.com/cucu-o0/final_project_IH_leukemia.
ANNA = TrainingConfig(20, 1e-3, patience=10, batch_size=32, schedule="constant")


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and Keras, and make TensorFlow choose operations that repeat.

    On one machine with one set of versions a run then repeats exactly; another processor, another number of threads or
    a GPU adds in another order, and what begins in the last digits grows over the epochs to the size of another seed.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
