"""Near-duplicate detection: images of one cell that were copied, rotated, flipped, recropped or photographed again.

Two methods propose candidate pairs: correlation of thumbnails under the eight dihedral transforms finds images that are
similar as a whole (:mod:`helpers.splits.thumbnails`); SIFT keypoints with similar descriptors that agree on one
affine transform find new crops (:mod:`helpers.splits.keypoints`), among images that share rare details
(:mod:`helpers.splits.visual_words`). Each candidate pair is then registered, and the fine texture of the two images is
correlated (:mod:`helpers.splits.texture`).
"""

from __future__ import annotations

import hashlib
import os
import warnings
from itertools import combinations
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm
from tqdm.contrib.concurrent import thread_map

from helpers.datasets import Dataset
from helpers.images import dihedral_views, resize_pad
from helpers.splits.keypoints import Keypoints, detect_keypoints
from helpers.splits.texture import SIDE, ZOOM, Pictures, read_pictures, register, texture_of
from helpers.splits.thumbnails import find_alike

MAX_COMPARED = 20_000  # images; some minutes on two cores
_MIN_THUMBNAIL_CORRELATION = 0.8  # to propose a pair
_MIN_DESCRIPTOR_SIMILARITY = 0.9  # cosine similarity of two matching descriptors
_MIN_INLIERS = 10  # matching keypoints that propose a pair
_MIN_INLIERS_OUT_OF_FOCUS = 14  # to accept a pair of lower texture correlation: same cell, other focus
_MIN_AGREEMENT_OUT_OF_FOCUS = 0.3  # of such a pair: share of its matches that agree; 0.14 for different nuclei
_MIN_SIMILARITY_OUT_OF_FOCUS = 0.5  # of such a pair
_N_SIMILAR = 20  # images whose keypoints are compared with those of an image
_MAX_DISPLACEMENT = 0.03  # of a corner between two images that are aligned, as a share of the side


class _PairComparison(NamedTuple):
    """Hold texture correlation, keypoints that agree and their share of the matches, and whether a pair is aligned."""

    similarity: float
    n_inliers: int
    agreement: float
    aligned: bool

    def is_same_cell(self, threshold: float) -> bool:
        """Return whether the texture is alike, or less so but many keypoints, and most of the matches, agree."""
        out_of_focus = (
            self.n_inliers >= _MIN_INLIERS_OUT_OF_FOCUS
            and self.agreement >= _MIN_AGREEMENT_OUT_OF_FOCUS
            and self.similarity >= _MIN_SIMILARITY_OUT_OF_FOCUS
        )
        return self.similarity >= threshold or out_of_focus


_SAME = _PairComparison(1.0, 0, 0.0, True)  # all pixels are equal


class _Candidate(NamedTuple):
    """Hold a pair that may be one cell: indices, whether the first is mirrored, transform, keypoints that agree."""

    a: int
    b: int
    mirrored: bool
    transform: np.ndarray
    n_inliers: int = 0
    agreement: float = 0.0


def find_near_duplicates(dataset: Dataset, threshold: float = 0.8) -> pd.DataFrame:
    """Find pairs of images that show the same cell.

    A pair is reported if its texture correlation reaches the threshold; if at least 14 keypoints, and 30 % of those
    that match, agree on one transform and the correlation is at least 0.5 (the same cell in another focus); or if all
    pixels are equal.
    ``benchmarks/duplicates.py`` measures recall and precision on planted duplicates, and how time and memory grow with
    the number of images. Warns of images that have too few keypoints to be found in another crop.

    Args:
        dataset: images.
        threshold: minimum correlation of the fine texture, -1 to 1.

    Returns:
        One row per pair, most similar first: ids ``image_a`` and ``image_b``, ``similarity`` (texture correlation),
        ``n_inliers`` (matching keypoints), ``aligned`` (not rotated, flipped, zoomed or translated), and ``identical``
        (all pixels are equal).
    """
    ids = dataset.frame.index
    pictures = read_pictures(batch for _, batch in dataset.iter_batches(SIDE, 256))
    keypoints = detect_keypoints(pictures.grey)
    _warn_of_few_details(dataset, keypoints)
    identical = _find_identical(dataset, pictures)
    compared = _compare_pairs(pictures, keypoints)
    rows = [
        (ids[a], ids[b], round(pair.similarity, 3), pair.n_inliers, pair.aligned, (a, b) in identical)
        for (a, b), pair in (dict.fromkeys(identical, _SAME) | compared).items()
        if (a, b) in identical or pair.is_same_cell(threshold)
    ]
    pairs = pd.DataFrame(rows, columns=["image_a", "image_b", "similarity", "n_inliers", "aligned", "identical"])
    return pairs.sort_values(["similarity", "image_a", "image_b"], ascending=[False, True, True], ignore_index=True)


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Compute the texture correlation of two images, as :func:`find_near_duplicates` does.

    Args:
        a: ``uint8 (height, width, 3)`` RGB.
        b: second image, of the same type and any size.

    Returns:
        Correlation, -1 to 1; 0 if neither thumbnails nor keypoints propose the pair.
    """
    pictures = read_pictures([np.stack([resize_pad(a, SIDE), resize_pad(b, SIDE)])])
    comparisons = _compare_pairs(pictures, detect_keypoints(pictures.grey))
    return comparisons[0, 1].similarity if comparisons else 0.0


def _warn_of_few_details(dataset: Dataset, keypoints: Keypoints) -> None:
    few = np.diff(keypoints.start) < _MIN_INLIERS
    if few.any():
        warnings.warn(
            f"{dataset.public_name}: {few.sum()} of {len(few)} images, such as {dataset.frame.index[few][0]}, "
            f"have fewer than {_MIN_INLIERS} keypoints; copies of these are found only if they are alike as a whole, "
            "not in another crop",
            stacklevel=3,
        )


def _find_identical(dataset: Dataset, pictures: Pictures) -> set[tuple[int, int]]:
    """Find the pairs with equal pixels at the original size, among those that are equal at the compared size."""
    alike: dict[bytes, list[int]] = {}
    for number, grey in enumerate(pictures.grey):
        alike.setdefault(hashlib.sha256(grey.tobytes()).digest(), []).append(number)
    identical = set()
    for same in alike.values():
        if len(same) > 1:
            pixels = [dataset.decode(dataset.row(dataset.frame.index[number])) for number in same]
            for (a, first), (b, second) in combinations(zip(same, pixels, strict=True), 2):
                if first == second:
                    identical.add((a, b))
    return identical


def _compare_pairs(pictures: Pictures, keypoints: Keypoints) -> dict[tuple[int, int], _PairComparison]:
    """Compare all candidate pairs; keys are the indices of the two images, the lower one first."""
    comparisons: dict[tuple[int, int], _PairComparison] = {}
    candidates = [*_propose_by_thumbnail(pictures.grey), *_propose_by_keypoints(keypoints)]

    def compare(candidate: _Candidate) -> tuple[float, float]:
        first = texture_of(pictures, candidate.a, mirrored=candidate.mirrored)
        return register(first, texture_of(pictures, candidate.b), candidate.transform)

    outcomes = thread_map(
        compare,
        candidates,
        max_workers=os.cpu_count(),
        desc="comparing pairs",
        unit="pair",
        delay=2,
        leave=False,
    )
    for candidate, (texture, displacement) in zip(candidates, outcomes, strict=True):
        pair = (candidate.a, candidate.b)
        best = comparisons.get(pair, _PairComparison(-1.0, 0, 0.0, False))
        if candidate.n_inliers > best.n_inliers:
            best = best._replace(n_inliers=candidate.n_inliers, agreement=candidate.agreement)
        if texture > best.similarity:
            aligned = displacement < _MAX_DISPLACEMENT and not candidate.mirrored
            best = best._replace(similarity=texture, aligned=aligned)
        comparisons[pair] = best
    return comparisons


def _propose_by_thumbnail(grey: np.ndarray) -> list[_Candidate]:
    """Propose pairs with similar thumbnails, with the view of the first that is most like the second."""
    transforms = _view_transforms()
    alike = find_alike(grey, _MIN_THUMBNAIL_CORRELATION)
    return [_Candidate(a, b, False, transforms[view]) for a, b, view in alike]


def _view_transforms() -> list[np.ndarray]:
    """Affine matrices ``(2, 3)`` from an image to its eight views, ordered as :func:`helpers.images.dihedral_views`."""
    coordinates = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1)[None].astype(float)
    transforms = []
    for view in dihedral_views(coordinates):
        corner = view[0, 0, 0]
        inverse = np.stack([view[0, 0, 1] - corner, view[0, 1, 0] - corner, corner], axis=1)
        transforms.append(cv2.invertAffineTransform(inverse))
    return transforms


def _propose_by_keypoints(keypoints: Keypoints) -> list[_Candidate]:
    """Propose pairs that share rare details, and whose keypoints agree on one affine transform."""
    from helpers.splits.visual_words import Vocabulary, most_similar  # here, because predictions need none of SciPy

    if not len(keypoints.position):
        return []
    vocabulary = Vocabulary(keypoints)
    bags = vocabulary.bags(keypoints)
    proposed = []
    for mirrored in (False, True):
        queries = vocabulary.bags(keypoints, mirrored=True) if mirrored else bags
        similar = most_similar(queries, bags, _N_SIMILAR)
        pairs = sorted({(min(a, b), max(a, b)) for a, found in similar for b in found.tolist()})
        for a, b in tqdm(pairs, desc="comparing keypoints", unit="pair", delay=2, leave=False):
            transform, n_inliers, agreement = _match(keypoints.of_image(a, mirrored=mirrored), keypoints.of_image(b))
            if n_inliers >= _MIN_INLIERS:
                proposed.append(_Candidate(a, b, mirrored, transform, n_inliers, agreement))
    return proposed


_Described = tuple[np.ndarray, np.ndarray]  # positions and descriptors of keypoints


def _match(first: _Described, second: _Described) -> tuple[np.ndarray, int, float]:
    """Match two images' keypoints; return an affine transform, the keypoints that agree on it, and their share.

    A shear is allowed, because augmented fields have one.
    """
    (position_a, descriptor_a), (position_b, descriptor_b) = first, second
    at_a, at_b = np.nonzero(descriptor_a @ descriptor_b.T >= _MIN_DESCRIPTOR_SIMILARITY)
    if len(at_a) < _MIN_INLIERS:
        return np.eye(2, 3), 0, 0.0
    transform, inlier = cv2.estimateAffine2D(
        position_a[at_a], position_b[at_b], method=cv2.RANSAC, ransacReprojThreshold=0.02 * SIDE
    )
    if transform is None or not ZOOM[0] ** 2 < abs(np.linalg.det(transform[:, :2])) < ZOOM[1] ** 2:
        return np.eye(2, 3), 0, 0.0
    agreeing = inlier.ravel() > 0
    return transform, len(np.unique(position_b[at_b][agreeing].round(), axis=0)), float(agreeing.mean())
