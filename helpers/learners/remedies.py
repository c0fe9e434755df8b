"""Try what may help a classifier in another laboratory: one method at a time, and several together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import backbones, features, metrics
from helpers.datasets import Dataset
from helpers.learners import preparations
from helpers.learners.alignment import align_correlations, align_moments
from helpers.learners.laboratories import METRIC, Laboratories, Method, cross_test, laboratory_folds

HANDCRAFTED = "hand-crafted"
AS_THEY_ARE = "images as they are"
MOMENTS = "moments aligned"
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
        views: 1, or 8 dihedral views, for a backbone only: hand-crafted features hardly depend on them.

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
    measure_images: partial,
    *,
    fields: Dataset | None,
    n_labelled: int,
    seed: int,
) -> dict[str, Method]:
    """Prepare images and measure their features for every method; a method that lacks its data is left out and named.

    Args:
        labs: the two laboratories.
        images: ``uint8 (n, size, size, 3)``, as they are.
        measure_images: :func:`measure` of images, with kind and folder filled in.
        fields: whole fields of the same groups with boxes, for the red cells.
        n_labelled: labelled images of each class of the target in the methods that use them.
        seed: random seed of the augmentation.

    Returns:
        Methods by name; the first one is what the others are compared with.
    """
    plain = measure_images(images)
    methods = {AS_THEY_ARE: Method(plain)}
    if measure_images.keywords["kind"] != HANDCRAFTED:
        methods["eight views"] = Method(measure_images(images, views=8))
    cropped = preparations.crop_cells(labs.data, images.shape[1])
    if cropped is not None:
        methods["cropped to the cell"] = Method(measure_images(cropped))
    for name in ("Reinhard", "Macenko"):
        methods[name] = Method(measure_images(preparations.normalise_stain(labs, images, name)))
    if fields is not None:
        normalised = preparations.normalise_red_cells(labs, images, fields)
        methods["red cells as reference"] = Method(measure_images(normalised))
    copies = [measure_images(copy) for copy in preparations.augment_stain(images, N_COPIES, seed)]
    methods["stain augmentation"] = Method(plain, np.concatenate(copies, axis=1))
    methods[MOMENTS] = Method(plain, alignment=align_moments)
    methods["correlations aligned"] = Method(plain, alignment=align_correlations)
    best = plain
    if cropped is not None and fields is not None:
        best = measure_images(preparations.normalise_red_cells(labs, cropped, fields))
        methods[TOGETHER] = Method(best, alignment=align_moments)
    else:
        print("left out: crop and red cells, which need boxes or masks of cells and whole fields with boxes")
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
            for by, words in (("group", "other groups"), ("image", "same groups")):
                target_fold = laboratory_folds(labs.rows(labs.target), n_splits, seed, by=by)
                tables = cross_test(labs, method, fold, target_fold, seed=seed)
                runs.setdefault(f"{name} ({words})", []).append(tables)
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
