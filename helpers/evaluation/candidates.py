"""Candidate models of an evaluation, from the simplest to the richest, with the features that they need."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import augmentation, backbones, features, training
from helpers.datasets import Dataset
from helpers.learners import cross_validation
from helpers.learners.cross_validation import Learner, encode_labels
from helpers.models import loading
from helpers.splits import Fold

MAJORITY = "majority class"
LDA = "discriminant analysis"
BACKBONE, FEATURES = "lda-backbone", "features"  # types of models that can be saved
SIZE = 224  # side of the images, pixels, for all features: backbones of other sizes could not share one saved model
VIEWS = 8  # flips and 90° rotations, over which backbone features are averaged
TIMED = 4  # images on which hand-crafted features are timed
BATCH = 64  # images in memory while features are extracted
DOWNLOAD = ("download", "not installed")  # locations of weights that are not on this machine
FINE_TUNING = training.TrainingConfig(epochs=20, learning_rate=1e-4, batch_size=16, patience=5)


@dataclass(frozen=True)
class Recipe:
    """Describe a model on tabular features, so that it can be trained on any images and saved.

    Attributes:
        classifier: name of :data:`helpers.learners.tabular.CLASSIFIERS`.
        networks: backbones whose features are joined; empty for hand-crafted features.
        interpretable: take only the interpretable hand-crafted features.
    """

    classifier: str
    networks: tuple[str, ...] = ()
    interpretable: bool = False

    @property
    def model_type(self) -> str:
        """Type of the saved model, :data:`BACKBONE` or :data:`FEATURES`."""
        return BACKBONE if self.networks else FEATURES

    def table(self, extracted: Features) -> pd.DataFrame:
        """Table of the features of a dataset."""
        if self.networks:
            return pd.concat([extracted.of_backbone(name) for name in self.networks], axis=1)
        return extracted.interpretable if self.interpretable else extracted.handcrafted


@dataclass(frozen=True)
class Candidate:
    """Describe a model that an evaluation tests.

    Attributes:
        name: name in tables and figures.
        learner: function that extracts the features that it needs and returns the learner.
        recipe: how to train the model that is saved; ``None`` for models that are not saved.
    """

    name: str
    learner: Callable[[], Learner]
    recipe: Recipe | None = None


class Features:
    """Extract the features of a dataset, each kind once.

    Args:
        dataset: images.
        cache_dir: folder of cached backbone features.
        use_masks: whether ground-truth masks outline the cells where all images have one. A model that is saved meets
            images without masks, and needs the outlines by thresholds in training, too.
    """

    def __init__(self, dataset: Dataset, cache_dir: Path, *, use_masks: bool = True):
        self.dataset, self.cache_dir, self.use_masks = dataset, cache_dir, use_masks and dataset.has_masks
        self._of_backbones: dict[str, pd.DataFrame] = {}

    @cached_property
    def handcrafted(self) -> pd.DataFrame:
        """Table of all hand-crafted features, outlined by the masks or by thresholds."""
        return features.extract_feature_table(self._images(), self.dataset.frame.index, self._masks())

    @property
    def interpretable(self) -> pd.DataFrame:
        """Table of the interpretable features."""
        return self.handcrafted[list(features.INTERPRETABLE)]

    def of_backbone(self, name: str) -> pd.DataFrame:
        """Table of the features of a frozen backbone, averaged over the views."""
        if name not in self._of_backbones:
            values = backbones.extract_features(self.dataset, name, self.cache_dir, views=VIEWS, size=SIZE)
            columns = [f"{name} {channel}" for channel in range(values.shape[2])]
            means = values.astype(np.float32).mean(1)
            self._of_backbones[name] = pd.DataFrame(means, self.dataset.frame.index, columns)
        return self._of_backbones[name]

    def _images(self) -> Iterator[np.ndarray]:
        for _, images in self.dataset.iter_batches(SIZE, BATCH):
            yield from images

    def _masks(self) -> Iterator[np.ndarray] | None:
        if not self.use_masks:
            return None
        ids = self.dataset.frame.index
        batches = (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
        return (mask for batch in batches for mask in self.dataset.select(batch).load_masks(SIZE))


def available_backbones() -> list[str]:
    """List the backbones whose weights are on this machine and fit a model file."""
    table = backbones.list_backbones()
    return [name for name in table.index[~table["weights"].isin(DOWNLOAD)] if _fit_one_file([name])]


def candidates(extracted: Features, *, seed: int, networks: list[str], checkpoint_dir: Path | None) -> list[Candidate]:
    """List the candidates, the simplest first; the later ones need more features or more time.

    Args:
        extracted: features of the dataset.
        seed: random seed of inner folds and trainings.
        networks: backbones.
        checkpoint_dir: folder of checkpoints; ``None`` to leave fine-tuning out.
    """
    outlines = " in automatic outlines" if extracted.dataset.has_masks and not extracted.use_masks else ""
    interpretable = f"{len(features.INTERPRETABLE)} interpretable features{outlines}, logistic regression"
    recipes = {
        interpretable: Recipe("logistic regression", interpretable=True),
        f"all hand-crafted features{outlines}, support vector machine": Recipe("support vector machine"),
        **{f"{name}, {LDA}": Recipe(LDA, (name,)) for name in networks},
    }
    if len(networks) > 1 and _fit_one_file(networks):
        recipes[f"all backbones, {LDA}"] = Recipe(LDA, tuple(networks))
    listed = [Candidate(MAJORITY, lambda: majority_learner)]
    for name, recipe in recipes.items():
        listed.append(Candidate(name, partial(_tabular_learner, extracted, recipe, seed=seed), recipe))
    if networks and checkpoint_dir is not None:
        fine_tuning = partial(_fine_tuning, extracted.dataset, networks[0], seed, checkpoint_dir)
        listed.append(Candidate(f"{networks[0]}, fine-tuned", fine_tuning))
    return listed


def majority_learner(dataset: Dataset, fold: Fold, ids: pd.Index) -> np.ndarray:
    """Predict the class frequencies of the dataset for every image, whatever the training images are.

    Those of the training images differ from fold to fold, most where the test images differ: a constant per fold ranks
    the pooled test images below chance.
    """
    labels = encode_labels(dataset)
    shares = np.bincount(labels, minlength=len(dataset.classes)) / len(labels)
    return np.tile(shares, (len(ids), 1))


def _fit_one_file(networks: list[str]) -> bool:
    """Check that the weights of all networks together fit a model file that can be loaded, with some space to spare."""
    return sum(map(backbones.weights_bytes, networks)) <= 0.95 * loading.MAX_WEIGHTS


def _tabular_learner(extracted: Features, recipe: Recipe, *, seed: int) -> Learner:
    return cross_validation.tabular_learner(recipe.table(extracted), recipe.classifier, seed=seed)


def _fine_tuning(dataset: Dataset, name: str, seed: int, checkpoint_dir: Path) -> Learner:
    return cross_validation.cnn_learner(
        partial(backbones.fine_tuning_model, name, "last block", classes=len(dataset.classes)),
        backbones.BACKBONES[name].size,
        config=replace(FINE_TUNING, seed=seed),
        augmentation=augmentation.FLIP_ROTATE,
        checkpoint_dir=checkpoint_dir,
    )


def estimated_seconds(extracted: Features, networks: list[str]) -> float:
    """Estimate how long the features take on this machine, from a few images; trained models come on top.

    Args:
        extracted: features of the dataset.
        networks: backbones.
    """
    sample = extracted.dataset.select(extracted.dataset.frame.index[:TIMED])
    started = time.perf_counter()
    features.extract_feature_table(sample.load_images(SIZE), sample.frame.index)
    per_image = (time.perf_counter() - started) / len(sample)
    per_image += sum(VIEWS / backbones.images_per_second(name, SIZE) for name in networks)
    return per_image * len(extracted.dataset)
