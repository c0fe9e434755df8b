"""Sections of a model card: statistics of the training images, calibration, data, sizes and metrics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    import pandas as pd

Share = Annotated[float, Field(ge=0, le=1)]
Level = Annotated[float, Field(ge=0, le=255)]
Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Side = Annotated[int, Field(ge=8, le=1024)]


class Section(BaseModel):
    """Base of all sections: unknown keys, other types and numbers that are not finite are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class Input(Section):
    """Pixel statistics of the training images, see :func:`helpers.checks.input_statistics`.

    Attributes:
        dtype: Data type of the images.
        low: 1st percentile, 0 to 255.
        high: 99th percentile, 0 to 255.
        mean: Mean of each channel, RGB, 0 to 255.
    """

    dtype: Literal["uint8"]
    low: Level
    high: Level
    mean: Annotated[list[Level], Field(min_length=3, max_length=3)]


class Scale(Section):
    """Size of the training images, and of the nuclei in them, see :func:`helpers.checks.scale_statistics`.

    Attributes:
        height: Smallest, median and largest height of the files, pixels.
        width: Smallest, median and largest width of the files, pixels.
        nucleus_share: 1st, 50th and 99th percentile of the fraction of an image that its nucleus covers, in automatic
            outlines; the median is above 0.
        n_measured: Number of images of which the nucleus was measured.
    """

    height: Annotated[list[Count], Field(min_length=3, max_length=3)]
    width: Annotated[list[Count], Field(min_length=3, max_length=3)]
    nucleus_share: Annotated[list[Share], Field(min_length=3, max_length=3)]
    n_measured: Count

    @model_validator(mode="after")
    def _nuclei_are_found(self) -> Scale:
        if not 0 < self.nucleus_share[1] <= self.nucleus_share[2] or self.nucleus_share[0] > self.nucleus_share[1]:
            raise ValueError("nucleus_share must be three percentiles in ascending order, the second above 0")
        return self


class Size(Section):
    """Number of images and of independent groups in a training, validation or test set."""

    images: Count
    groups: Count


class MetricRecord(Section):
    """A metric with its interval, as :class:`helpers.metrics.Estimate`; ``None`` where a value is not defined.

    Attributes:
        value: Point estimate.
        low: Lower end of the interval.
        high: Upper end of the interval.
        interval: Kind of interval.
        n: Number of images.
        groups: Number of independent groups.
    """

    value: float | None
    low: float | None
    high: float | None
    interval: Text
    n: Count
    groups: Count


def metric_records(scores: pd.DataFrame) -> dict[str, MetricRecord]:
    """Make the metrics of a card from a table of estimates, with ``None`` for NaN, such as the ends of a single group.

    Args:
        scores: columns ``measure, value, low, high, interval, n, groups``.
    """
    rows = json.loads(scores.set_index("measure").to_json(orient="index"))
    return {name: MetricRecord(**measured) for name, measured in rows.items()}


class Data(Section):
    """Dataset name, title and SHA-256 fingerprint of its content."""

    name: Text
    title: Text
    sha256: Digest


class SplitSizes(Section):
    """Sizes of the sets of images that the model was trained on, the threshold was chosen on, and metrics come from.

    Where all folds were tested, each of them is the whole dataset: the final model is trained on all images, and every
    image is predicted, for threshold and metrics, by models of the same kind that were not trained on it.
    """

    train: Size
    validation: Size
    test: Size


class PredictionSets(Section):
    """Thresholds of conformal prediction sets, see :mod:`helpers.metrics.conformal`.

    Attributes:
        coverage: Promised probability that the set of an image of a new group holds its class.
        by_class: Whether that is promised for every class; else, where a class has too few groups, for all images.
        thresholds: Largest 1 − probability at which a class is in the set, by class.
        images: Number of calibration images, which the models that predicted them were not trained on.
        groups: Number of their groups.
    """

    coverage: Annotated[float, Field(gt=0, lt=1)]
    by_class: bool
    thresholds: dict[Text, Share]
    images: Count
    groups: Count


class Reference(Section):
    """Hand-crafted features of the training images, from which the distance of new images is measured.

    Attributes:
        features: Names of the features, see :func:`helpers.features.extract_features`.
        scale: Standard deviation of every feature within classes.
        means: Mean of every class in standardised features, ``(classes, features)``.
        precision: Inverse covariance within classes, ``(features, features)``.
        quantiles: Distances at 0 %, 1 %, … 100 % of held-out images of the same data, every group with one weight.
        limit: Distance beyond which an image is referred.
        images: Number of held-out images.
        groups: Number of their groups.
    """

    features: Annotated[list[Text], Field(min_length=1, max_length=1000)]
    scale: list[Annotated[float, Field(gt=0)]]
    means: list[list[float]]
    precision: list[list[float]]
    quantiles: Annotated[list[float], Field(min_length=101, max_length=101)]
    limit: Annotated[float, Field(ge=0)]
    images: Count
    groups: Count

    @model_validator(mode="after")
    def _shapes_agree(self) -> Reference:
        n = len(self.features)
        rows = {"scale": [self.scale], "means": self.means, "precision": self.precision}
        for name, vectors in rows.items():
            if not vectors or any(len(vector) != n for vector in vectors):
                raise ValueError(f"{name} must have {n} values in every row, one for each feature")
        if len(self.precision) != n:
            raise ValueError(f"precision must have {n} rows, one for each feature")
        if sorted(self.quantiles) != self.quantiles:
            raise ValueError("quantiles must ascend")
        return self
