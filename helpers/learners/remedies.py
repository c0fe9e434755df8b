"""Try what may help a classifier in another laboratory: one method at a time, and several together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import backbones, features, metrics
from helpers.datasets import Dataset
from helpers.learners import preparations
from helpers.learners.alignment import align_correlations, align_moments
from helpers.learners.laboratories import (
    METRIC,
    Laboratories,
    Method,
    cross_test,
    laboratory_folds,
    predict_source,
    predict_target,
)

HANDCRAFTED = "hand-crafted"
AS_THEY_ARE = "images as they are"
TTA = "dihedral transforms (TTA)"
TOGETHER = "cropped, red cells, moments"
N_COPIES = 2  # augmented copies of every image

Runs = list[tuple[pd.DataFrame, pd.DataFrame]]


def measure(labs: Laboratories, images: np.ndarray, kind: str, cache_dir: Path, *, views: int = 1) -> np.ndarray:
    """Measure the features of images of both laboratories.

    Args:
        labs: the two laboratories.
        images: ``uint8 (n, size, size, 3)``, in the order of their data.
        kind: ``"hand-crafted"`` or the name of a backbone.
        cache_dir: folder of the features of backbones.
        views: 1, or 8 dihedral transforms, for a backbone only: hand-crafted features hardly depend on them.

    Returns:
        ``float (n, views, features)``.
    """
    if kind == HANDCRAFTED:
        return features.extract_feature_table(images, labs.data.frame.index).to_numpy()[:, None]
    data = preparations.as_dataset(labs, images)
    return backbones.extract_features(data, kind, cache_dir, views=views, size=images.shape[1])


def build_methods(
    labs: Laboratories,
    images: np.ndarray,
    kind: str,
    cache_dir: Path,
    *,
    fields: Dataset | None,
    n_labelled: int,
    seed: int,
) -> dict[str, Method]:
    """Prepare images and measure their features for every method; a method that lacks its data is left out and named.

    Args:
        labs: the two laboratories.
        images: ``uint8 (n, size, size, 3)``, as they are.
        kind, cache_dir: as for :func:`measure`.
        fields: whole fields of the same groups with boxes, for the red cells.
        n_labelled: labelled images of each class of the target in the methods that use them.
        seed: random seed of the augmentation.

    Returns:
        Methods by name; the first one is what the others are compared with.
    """
    plain = measure(labs, images, kind, cache_dir)
    methods = {AS_THEY_ARE: Method(plain)}
    if kind != HANDCRAFTED:
        methods[TTA] = Method(measure(labs, images, kind, cache_dir, views=8))
    cropped, left_out = preparations.crop_cells(labs.data, images.shape[1]), []
    if cropped is None:
        left_out.append("crop")
    else:
        methods["cropped to the cell"] = Method(measure(labs, cropped, kind, cache_dir))
    for name in ("Reinhard", "Macenko"):
        methods[name] = Method(measure(labs, preparations.normalize_stain(labs, images, name), kind, cache_dir))
    if fields is None:
        left_out.append("red cells")
    else:
        references = preparations.measure_red_cells(labs, fields)
        normalised = preparations.normalize_by_red_cells(labs, images, references)
        methods["red cells as reference"] = Method(measure(labs, normalised, kind, cache_dir))
    copies = [measure(labs, copy, kind, cache_dir) for copy in preparations.augment_stain(images, N_COPIES, seed)]
    methods["stain augmentation"] = Method(plain, np.concatenate(copies, axis=1))
    methods["moments aligned"] = Method(plain, alignment=align_moments)
    methods["correlations aligned"] = Method(plain, alignment=align_correlations)
    if cropped is not None and fields is not None:
        both = preparations.normalize_by_red_cells(labs, cropped, references)
        methods[TOGETHER] = Method(measure(labs, both, kind, cache_dir), alignment=align_moments)
    if left_out:
        needed = "boxes or masks of cells and whole fields with boxes"
        print(f"left out: {' and '.join(left_out)}, which need {needed}")
    labelled = f"{n_labelled} labelled cells per class"
    methods[labelled] = Method(plain, n_labelled=n_labelled)
    methods[f"{labelled}, moments"] = Method(plain, alignment=align_moments, n_labelled=n_labelled)
    methods[f"{labelled} alone"] = Method(plain, n_labelled=n_labelled, source_labels=False)
    return methods


def try_methods(
    labs: Laboratories, methods: Mapping[str, Method], *, n_splits: int, seeds: Sequence[int]
) -> dict[str, Runs]:
    """Train and test every method with every seed, which divides both laboratories anew.

    Methods with labelled images of the target are tested twice where groups allow it: on other groups than the labelled
    ones, and on images of the same groups.

    Args:
        labs: the two laboratories.
        methods: from :func:`build_methods`.
        n_splits: number of folds of each laboratory.
        seeds: random seeds.

    Returns:
        By method, the tables of predictions of source and target of every seed.
    """
    runs: dict[str, Runs] = {}
    for seed in seeds:
        fold = laboratory_folds(labs.rows(labs.source), n_splits, seed, by="group")
        for name, method in methods.items():
            if not method.n_labelled:
                runs.setdefault(name, []).append(cross_test(labs, method, fold))
                continue
            of_source = predict_source(labs, method, fold, seed=seed)  # the same, whatever the target is divided by
            for by, words in (("group", "other groups"), ("image", "same groups")):
                target_fold = laboratory_folds(labs.rows(labs.target), n_splits, seed, by=by)
                of_target = predict_target(labs, method, fold, target_fold, seed=seed)
                runs.setdefault(f"{name} ({words})", []).append((of_source, of_target))
    return runs


def method_table(runs: Mapping[str, Runs], seed: int) -> pd.DataFrame:
    """Tabulate the balanced accuracy of every method in both laboratories, and its difference from the first method.

    Args:
        runs: from :func:`try_methods`.
        seed: random seed of the resamples.

    Returns:
        Columns ``method, laboratory`` (source or target), ``balanced accuracy, low, high, interval, n, groups``, and
        ``difference, difference low, difference high, difference interval``: method − first method, missing for the
        first.
    """
    first, rows = next(iter(runs)), []
    for name, tables in runs.items():
        for number, laboratory in enumerate(("source", "target")):
            own = [pair[number] for pair in tables]
            row = {"method": name, "laboratory": laboratory, **metrics.mean_score(own, METRIC, seed).row(METRIC)}
            if name != first:
                baseline = [pair[number] for pair in runs[first]]
                difference = metrics.score_difference(own, baseline, METRIC, seed=seed)
                row["difference"] = difference.value
                row["difference low"], row["difference high"] = difference.low, difference.high
                row["difference interval"] = difference.interval
            rows.append(row)
    return pd.DataFrame(rows)
