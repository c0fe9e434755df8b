"""Train the classifier of the page *Try it* on synthetic cells, and calibrate when it should say nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import augmentation, datasets, metrics, models, splits, training
from helpers.backend import keras, layers
from helpers.datasets import Dataset
from helpers.learners import referral
from helpers.learners.cross_validation import encode_labels
from helpers.learners.laboratories import COLUMN, Laboratories
from helpers.learners.outliers import fit_distance
from helpers.learners.preparations import strange_images
from helpers.models.card_sections import PredictionSets

SEED = 21  # of cells, folds, weights, augmentation and resamples
SIZE = 64  # side in pixels at which the network sees a cell
N_CELLS, N_PATIENTS = 900, 90
N_FIELDS = 12  # with red cells and platelets
EPOCHS = 20
N_SPLITS = 6  # three folds train, one each chooses the epoch, calibrates and tests
VALIDATION, CALIBRATION, TEST = 3, 4, 5
N_STRANGE = 40  # images of each kind


@dataclass(frozen=True)
class CalibratedClassifier:
    """Classifier with the thresholds below which it says nothing.

    Attributes:
        model: from images ``(n, 64, 64, 3)``, 0 to 255, to probabilities ``(n, classes)`` and to whitened features
            ``(n, features)``, in which the distance to a class mean is the Mahalanobis distance.
        classes: names of the classes.
        sets: thresholds of prediction sets.
        means: mean of every class in whitened features, ``float (classes, features)``.
        limit: distance beyond which an image is unlike the training images.
        measured: table of what it does on cells of other patients, and on images that no class fits: ``what``,
            ``value`` with ``low``, ``high``, ``interval``, ``n`` and ``groups``.
    """

    model: keras.Model
    classes: tuple[str, ...]
    sets: PredictionSets
    means: np.ndarray
    limit: float
    measured: pd.DataFrame


def train_classifier(unet: keras.Model, checkpoint_dir: Path) -> CalibratedClassifier:
    """Train the encoder of a U-Net to name the class of a synthetic cell; calibrate it, and measure it.

    Training, choice of the epoch, calibration and measurements have different patients.

    Args:
        unet: U-Net whose encoder has the initial weights, see :func:`helpers.models.unet`.
        checkpoint_dir: folder of the trainings, of which one with the same data and code is read back.
    """
    data = datasets.load("synthetic", n_images=N_CELLS, n_patients=N_PATIENTS, balanced=True, seed=SEED)
    images, labels = data.load_images(SIZE), encode_labels(data)
    fold = splits.group_folds(data.frame, N_SPLITS, SEED).to_numpy()
    convolutions = encoder_weights(unet)
    trained, _ = training.fit_classifier(
        partial(models.unet_encoder_classifier, convolutions[0].shape[-1], len(data.classes)),
        images,
        labels,
        split=np.select([fold < VALIDATION, fold == VALIDATION], ["train", "validation"], "held out"),
        config=training.TrainingConfig(epochs=EPOCHS, learning_rate=4e-3, batch_size=16, seed=SEED),
        augmentation=augmentation.Augmentation(translation=0.05),
        checkpoint_dir=checkpoint_dir,
        class_weight="balanced",
        initial_weights=convolutions,
    )
    return calibrate(trained, data, images, fold)


def encoder_weights(unet: keras.Model) -> list[np.ndarray]:
    """Return the weights of the layers of a U-Net before its first transposed convolution."""
    weights: list[np.ndarray] = []
    for layer in unet.layers:
        if isinstance(layer, layers.Conv2DTranspose):
            break
        weights += layer.get_weights()
    return weights


def calibrate(model: keras.Model, data: Dataset, images: np.ndarray, fold: np.ndarray) -> CalibratedClassifier:
    """Calibrate a trained classifier on the fold after that of validation, and measure it on the last.

    Args:
        model: classifier whose last layer is dense.
        data: the cells.
        images: of the cells, ``uint8 (n, size, size, 3)``.
        fold: of every cell, ``int (n,)``, 0 to 5.
    """
    frame = data.frame
    features_model = keras.Model(model.input, model.layers[-1].input)
    train, calibration, test = fold < VALIDATION, fold == CALIBRATION, fold == TEST
    features = features_model.predict(images, verbose=0)
    fitted = fit_distance(features[train], frame["label"].to_numpy()[train])
    root = np.linalg.cholesky(fitted.precision)  # lengths of rows of x @ root are Mahalanobis distances
    whiten = layers.Dense(len(root), use_bias=False, name="whitened")
    combined = keras.Model(model.input, [model.output, whiten(model.layers[-1].input)])
    whiten.set_weights([root / fitted.scale[:, None]])
    held_out = metrics.prediction_table(
        frame[calibration | test], models.predict_proba(model, images[calibration | test]), data.classes, fold=0
    )
    calibrating = held_out.index.isin(frame.index[calibration])
    sets = referral.calibrate_sets(held_out[calibrating])
    if sets is None:
        raise ValueError(f"{held_out[calibrating]['group'].nunique()} patients are too few to calibrate sets")
    near = fitted.measure(features[calibration])
    threshold = metrics.conformal_threshold(near, frame["group"].to_numpy()[calibration], referral.USUAL)
    limit = float(min(threshold, near.max()))
    beyond = pd.Series(fitted.measure(features[test]) > limit, frame.index[test]).astype(float)
    strange = {
        kind: fitted.measure(features_model.predict(of_kind, verbose=0)) > limit
        for kind, of_kind in strange_cells(images.shape[1]).items()
    }
    measured = measure(held_out[~calibrating], sets, beyond, strange)
    return CalibratedClassifier(combined, data.classes, sets, fitted.means @ root, limit, measured)


def strange_cells(size: int) -> dict[str, np.ndarray]:
    """Make images that no class fits, ``uint8 (n, size, size, 3)`` by kind."""
    fields = datasets.load("synthetic", task="fields", n_images=N_FIELDS, n_patients=N_FIELDS // 2, seed=SEED)
    fields = replace(fields, frame=fields.frame.assign(**{COLUMN: "synthetic"}))
    return strange_images(Laboratories(fields, "synthetic", "synthetic"), fields, size, N_STRANGE, seed=SEED)


def measure(
    test: pd.DataFrame, sets: PredictionSets, beyond: pd.Series, strange: dict[str, np.ndarray]
) -> pd.DataFrame:
    """Return the table ``measured`` of :class:`CalibratedClassifier`.

    Args:
        test: predictions of test cells.
        sets: thresholds of prediction sets.
        beyond: 1 where a test cell lies beyond the limit of distances, else 0, by ``image_id``.
        strange: whether images lie beyond it, by kind.
    """
    coverage = metrics.set_coverage(test, metrics.prediction_sets(test, pd.Series(sets.thresholds)))
    rows = {"balanced accuracy of the class": metrics.mean_score([test], "balanced accuracy", SEED)}
    by_image = {
        f"prediction set holds the true class (promised: {100 * sets.coverage:.0f} %)": coverage["covered"],
        "classes in a prediction set": coverage["size"],
        "test cells beyond the limit of the distance": beyond,
    }
    for what, values in by_image.items():
        rows[what] = metrics.cluster_mean(values, test["group"], SEED, proportion=bool(values.max() <= 1))
    for kind, is_beyond in strange.items():
        share = pd.Series(is_beyond.astype(float))
        rows[f"{kind} beyond the limit of the distance"] = metrics.cluster_mean(
            share, share.index.to_series(), SEED, proportion=True
        )
    return pd.DataFrame([{"what": what, **estimate.row("value")} for what, estimate in rows.items()])
