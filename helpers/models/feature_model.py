"""Classifier on hand-crafted features as a JSON file, ``*.features``: numbers only, validated before use.

The file holds the names of the features with their scaler, the scores of a linear or a kernel classifier, and their
calibration. Features are measured as in training, within outlines that :func:`helpers.features.segment_cell` draws.
A file has at most 64 MiB, 1,000 features, 100 classes and 20,000 support vectors.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from helpers import files
from helpers.models import loading

SUFFIX = ".features"
MAX_BYTES = 64 * loading.MIB
# Version of the file and of the code that measures the features; increase it when one of the two changes.
VERSION: Literal[1] = 1
Vector = Annotated[list[float], Field(min_length=1, max_length=20_000)]
Matrix = Annotated[list[Vector], Field(min_length=1, max_length=20_000)]


class _Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class Kernel(_Section):
    """Radial basis functions, ``exp(-gamma |x - v|²)``, of a support vector machine.

    Attributes:
        gamma: inverse squared width.
        vectors: support vectors, scaled, ``(n, features)``.
    """

    gamma: Annotated[float, Field(gt=0)]
    vectors: Matrix


class FeatureModel(_Section):
    """Classifier on hand-crafted features.

    Attributes:
        format: always ``leukobook features``.
        version: :data:`VERSION`.
        features: names of the features, see :func:`helpers.features.extract_features`.
        mean: of every feature; ``(value - mean) / scale`` enters the classifier.
        scale: of every feature.
        kernel: radial basis functions of the scaled features; ``None`` for a linear classifier.
        weights: from scaled features, or from the kernel, to scores, ``(scores, inputs)``. A kernel classifier has a
            score per pair of classes; a linear one has a score per class, or one for two.
        intercept: of the scores, ``(scores,)``.
        slope: calibration, from scores to logits, ``(classes, scores)``. The scores of the pairs of more than two
            classes are first summed up per class, as in scikit-learn.
        offset: of the logits, ``(classes,)``.
    """

    format: Literal["leukobook features"]
    version: Literal[1]
    features: Annotated[list[str], Field(min_length=1, max_length=1_000)]
    mean: Vector
    scale: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1, max_length=1_000)]
    kernel: Kernel | None
    weights: Matrix
    intercept: Vector
    slope: Annotated[Matrix, Field(min_length=2, max_length=100)]
    offset: Vector

    @model_validator(mode="after")
    def _shapes_agree(self) -> FeatureModel:
        from helpers import features  # here, because networks need none of it and it takes a second

        n_features, n_scores, n_classes = len(self.features), len(self.weights), len(self.slope)
        n_inputs = len(self.kernel.vectors) if self.kernel else n_features
        n_calibrated = n_classes if self.kernel and n_classes > 2 else n_scores
        if self.kernel and n_scores != n_classes * (n_classes - 1) // 2:
            raise ValueError(
                f"{n_classes} classes have {n_classes * (n_classes - 1) // 2} pairs, got {n_scores} scores"
            )
        rows: list[tuple[str, list[Any], int]] = [
            ("mean", [self.mean], n_features),
            ("scale", [self.scale], n_features),
            ("kernel.vectors", self.kernel.vectors if self.kernel else [], n_features),
            ("weights", self.weights, n_inputs),
            ("intercept", [self.intercept], n_scores),
            ("slope", self.slope, n_calibrated),
            ("offset", [self.offset], n_classes),
        ]
        for name, vectors, length in rows:
            if any(len(vector) != length for vector in vectors):
                raise ValueError(f"{name} must have {length} values in every row")
        if unknown := sorted(set(self.features) - features.names()):
            raise ValueError(f"unknown feature {unknown[0][:60]!r}")
        return self

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.slope)

    def predict_proba(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """Predict class probabilities of RGB images ``uint8 (n, size, size, 3)``: ``float (n, classes)``."""
        from helpers import features  # see above

        rows = [features.extract_features(image) for image in images]
        return self.predict_from_features(np.array([[row[name] for name in self.features] for row in rows]))

    def predict_from_features(self, values: np.ndarray) -> np.ndarray:
        """Predict class probabilities of features ``(n, features)``, in the order of ``features``."""
        from scipy.special import softmax

        inputs = (values - np.array(self.mean)) / np.array(self.scale)
        if self.kernel:
            inputs = _radial_basis(inputs, np.array(self.kernel.vectors), self.kernel.gamma)
        scores = inputs @ np.array(self.weights).T + np.array(self.intercept)
        if self.kernel and self.n_classes > 2:
            scores = scores_per_class(scores, self.n_classes)
        return softmax(scores @ np.array(self.slope).T + np.array(self.offset), axis=1)


def scores_per_class(pairs: np.ndarray, n_classes: int) -> np.ndarray:
    """Turn the scores of all pairs of classes into one score per class, as scikit-learn's ``SVC`` does.

    A class has the number of its pairs that it wins, plus a fraction below 1/2 that grows with the sum of its scores.

    Args:
        pairs: ``(n, pairs)``, positive for the first class of each pair, in the order (0, 1), (0, 2), …, (1, 2), ….
        n_classes: number of classes.

    Returns:
        ``(n, classes)``.
    """
    first, second = np.triu_indices(n_classes, 1)
    votes, sums = np.zeros((2, len(pairs), n_classes))
    for number, (one, other) in enumerate(zip(first, second, strict=True)):
        score = pairs[:, number]
        votes[:, one] += score >= 0
        votes[:, other] += score < 0
        sums[:, one] += score
        sums[:, other] -= score
    return votes + sums / (3 * (np.abs(sums) + 1))


def read_feature_model(path: Path) -> FeatureModel:
    """Read and validate a feature model.

    Raises:
        ModelError: the file is missing, too large, or not a feature model of this version.
    """
    path = loading.require_file(path, (SUFFIX,), MAX_BYTES)
    try:
        return FeatureModel.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        key, message = ".".join(map(str, first["loc"]))[:60], first["msg"].removeprefix("Value error, ")[:200]
        reason = f"{key}: {message}" if key else message
        raise loading.ModelError(f"{path}: not a feature model of this version ({reason}); train it again") from None


def write_feature_model(model: FeatureModel, path: Path) -> None:
    """Write a feature model as JSON."""
    files.write_text(path, model.model_dump_json() + "\n")


def _radial_basis(inputs: np.ndarray, vectors: np.ndarray, gamma: float) -> np.ndarray:
    squares = (inputs**2).sum(1)[:, None] + (vectors**2).sum(1) - 2 * inputs @ vectors.T
    return np.exp(-gamma * np.maximum(squares, 0))
