"""Classifiers on tabular features: hyperparameters from inner folds, and scores calibrated to probabilities."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import ParameterGrid, PredefinedSplit, cross_val_predict
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from helpers import splits
from helpers.datasets import Dataset, DatasetError
from helpers.learners.lda import ShrinkageLDA
from helpers.models import feature_model
from helpers.models.feature_model import FeatureModel, Kernel

INNER_FOLDS = 4
LOG_TEMPERATURE = (-4.0, 6.0)  # of scores of unit spread: nearly certain to nearly uniform probabilities
# Classifiers on tabular features by name, each with its hyperparameter grid.
CLASSIFIERS = {
    "logistic regression": (
        LogisticRegression(class_weight="balanced", max_iter=5000),
        {"classifier__C": [0.003, 0.01, 0.03, 0.1, 1.0]},
    ),
    "support vector machine": (
        SVC(class_weight="balanced"),
        {"classifier__C": [0.3, 1.0, 3.0, 10.0], "classifier__gamma": [0.001, 0.003, 0.01]},
    ),
    "discriminant analysis": (ShrinkageLDA(), {}),
}


@dataclass(frozen=True)
class CalibratedClassifier:
    """Hold a trained classifier with the calibration of its scores.

    Attributes:
        classes: ``int``, numbers of the classes with training images, in the order of the probabilities.
        model: trained pipeline of scaler (``scale``) and classifier (``classifier``), with ``decision_function``.
        sigmoid: maps scores to probabilities: of two classes by a sigmoid, of more by a softmax with a temperature.
        held_out: ``float (n, classes)``, probabilities of the training images, held out in the inner folds.
    """

    classes: np.ndarray
    model: Pipeline
    sigmoid: LogisticRegression
    held_out: np.ndarray

    def predict_proba(self, values: np.ndarray) -> np.ndarray:
        """Predict calibrated probabilities of features ``(n, features)``, ``float (n, classes)``."""
        return self.sigmoid.predict_proba(_columns(self.model.decision_function(values)))

    def logits(self) -> tuple[np.ndarray, np.ndarray]:
        """Fold scaler, linear classifier and calibration into one linear map, whose softmax is the probability.

        Returns:
            Kernel ``float (features, classes)`` and bias ``float (classes,)`` on unscaled features.
        """
        scale = self.model["scale"]
        weights, intercept = self._linear_scores()
        slope, offset = self.calibration()
        kernel = slope @ weights / scale.scale_
        return kernel.T, slope @ intercept + offset - kernel @ scale.mean_

    def _linear_scores(self) -> tuple[np.ndarray, np.ndarray]:
        """Return weights ``(scores, features)`` and intercept ``(scores,)`` of a linear classifier."""
        classifier = self.model["classifier"]
        weights, intercept = classifier.coef_, classifier.intercept_
        if isinstance(classifier, ShrinkageLDA) and len(self.classes) == 2:  # its score is the difference of the two
            return weights[1:] - weights[:1], intercept[1:] - intercept[:1]
        return weights, intercept

    def calibration(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the linear map from scores, one for two classes, to logits: ``(classes, scores)``, ``(classes,)``."""
        slope, offset = self.sigmoid.coef_, self.sigmoid.intercept_
        if len(self.classes) == 2:
            return np.concatenate([np.zeros_like(slope), slope]), np.append(0.0, offset)
        return slope, offset

    def hyperparameters(self, classifier: str) -> dict[str, float]:
        """Return the selected hyperparameters, by name; ``classifier`` is a name of :data:`CLASSIFIERS`."""
        _, grid = CLASSIFIERS[classifier]
        return {key.removeprefix("classifier__"): self.model.get_params()[key] for key in grid}

    def feature_model(self, names: list[str]) -> FeatureModel:
        """Export the classifier with its scaler and calibration as plain numbers.

        Args:
            names: names of the features.
        """
        scale, classifier = self.model["scale"], self.model["classifier"]
        slope, offset = self.calibration()
        if isinstance(classifier, SVC):
            kernel = Kernel(gamma=classifier.gamma, vectors=classifier.support_vectors_.tolist())
            weights, intercept = _pair_weights(classifier), classifier.intercept_
        else:
            kernel, (weights, intercept) = None, self._linear_scores()
        return FeatureModel(
            format="leukobook features",
            version=feature_model.VERSION,
            features=names,
            mean=scale.mean_.tolist(),
            scale=scale.scale_.tolist(),
            kernel=kernel,
            weights=weights.tolist(),
            intercept=intercept.tolist(),
            slope=slope.tolist(),
            offset=offset.tolist(),
        )


def _pair_weights(machine: SVC) -> np.ndarray:
    """Unpack the weights of the support vectors for every pair of classes, ``(pairs, vectors)``, see libsvm."""
    if len(machine.classes_) == 2:
        return machine.dual_coef_
    bounds = np.concatenate([[0], np.cumsum(machine.n_support_)])
    rows = []
    for one, other in itertools.combinations(range(len(machine.classes_)), 2):
        row = np.zeros(len(machine.support_vectors_))
        for own, against in ((one, other - 1), (other, one)):
            vectors = slice(bounds[own], bounds[own + 1])
            row[vectors] = machine.dual_coef_[against, vectors]
        rows.append(row)
    return np.stack(rows)


def fit_calibrated(
    dataset: Dataset, labels: np.ndarray, values: np.ndarray, *, classifier: str, seed: int
) -> CalibratedClassifier:
    """Select hyperparameters, train and calibrate on all images of a dataset.

    Args:
        dataset: images, whose groups make the inner folds.
        labels: class number of every image, ``int (n,)``.
        values: features of the images, ``(n, features)``.
        classifier: a name of :data:`CLASSIFIERS`.
        seed: random seed of the inner folds.

    Raises:
        DatasetError: there is only one class, a class has only one group, or an inner fold would train on one image of
            each class.
    """
    classes, y = np.unique(labels, return_inverse=True)
    inner = _inner_folds(dataset, y, seed)
    estimator, grid = CLASSIFIERS[classifier]
    pipeline, candidates = Pipeline([("scale", StandardScaler()), ("classifier", estimator)]), []
    for setting in ParameterGrid(grid):
        model = clone(pipeline).set_params(**setting)
        scores = cross_val_predict(model, values, y, cv=inner, method="decision_function")
        candidates.append((_rank(scores, y), model, scores))
    _, model, scores = max(candidates, key=lambda candidate: candidate[0])
    two, scores = len(classes) == 2, _columns(scores)
    sigmoid = _calibration_of_two(scores, y) if two else _calibration_of_many(scores, y)
    if two and sigmoid.coef_[0, 0] <= 0:  # few images: inner folds below chance level, by chance
        # Discriminant analysis has scores of hundreds, which would be probabilities of 0 and 1.
        sigmoid.coef_[:], sigmoid.intercept_[:] = 1 / max(1.0, scores.std()), 0
    return CalibratedClassifier(classes, model.fit(values, y), sigmoid, sigmoid.predict_proba(scores))


def _calibration_of_two(scores: np.ndarray, y: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=1e3, max_iter=5000).fit(scores, y)


def _calibration_of_many(scores: np.ndarray, y: np.ndarray) -> LogisticRegression:
    """Fit a temperature, by which all scores are divided before the softmax (Guo et al. 2017).

    A multinomial regression has a weight for every pair of classes. On the scores of discriminant analysis, of the
    order of 100, it neither converges nor keeps the ranking of the classes.
    """
    spread = (scores - scores.mean(axis=1, keepdims=True)).std() or 1.0

    def cross_entropy(log_t: float) -> float:
        logarithms = log_softmax(scores / (spread * np.exp(log_t)), axis=1)
        return float(-logarithms[np.arange(len(y)), y].mean())

    temperature = spread * np.exp(minimize_scalar(cross_entropy, bounds=LOG_TEMPERATURE, method="bounded").x)
    calibration = LogisticRegression()
    calibration.classes_ = np.arange(scores.shape[1])
    calibration.coef_, calibration.intercept_ = np.eye(scores.shape[1]) / temperature, np.zeros(scores.shape[1])
    return calibration


def _inner_folds(dataset: Dataset, y: np.ndarray, seed: int) -> PredefinedSplit:
    """Assign groups to :data:`INNER_FOLDS` folds, or fewer if a class has fewer groups."""
    if len(present := np.unique(y)) < 2:
        raise DatasetError(f"{dataset.name}: at least 2 classes are needed for training, got {len(present)}")
    group = dataset.frame["group"].to_numpy()
    min_groups = min(len(np.unique(group[y == label])) for label in present)
    if min_groups < 2:
        raise DatasetError(
            f"inner folds need at least 2 training groups of each class, and a class has {min_groups}; add groups"
        )
    count = min(INNER_FOLDS, min_groups)
    inner = PredefinedSplit(splits.assign_groups(dataset.frame, [1 / count] * count, seed))
    if min(np.bincount(y[rows]).max() for rows, _ in inner.split()) < 2:
        raise DatasetError(f"{dataset.name}: an inner fold trains on one image of each class; add images")
    return inner


def _columns(scores: np.ndarray) -> np.ndarray:
    return scores[:, None] if scores.ndim == 1 else scores


def _rank(scores: np.ndarray, y: np.ndarray) -> float:
    """Compute the selection criterion: AUC for two classes, balanced accuracy for more."""
    return roc_auc_score(y, scores) if scores.ndim == 1 else balanced_accuracy_score(y, scores.argmax(1))
