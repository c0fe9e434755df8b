"""Near-duplicate detection: images of one cell that were copied, rotated, flipped, recropped or photographed again.

Two methods propose candidate pairs: correlation of thumbnails under the eight dihedral transforms finds images that are
similar as a whole; SIFT keypoints (Lowe 2004) with similar descriptors that agree on one rotation, zoom and translation
find new crops, among images that share rare details (:mod:`helpers.splits.visual_words`). Each candidate pair is then
registered, and the fine texture (band-pass filtered grey values) of the two images is correlated where neither is
black. Different cells of similar shape and colour, or on the same black background, differ in fine texture.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from helpers.datasets import Dataset
from helpers.images import dihedral_views, resize_pad
from helpers.splits.visual_words import Vocabulary, most_similar, weigh

SIDE = 128  # side of the compared images, pixels
_FINE, _COARSE = 0.7, 2.5  # standard deviations of the band-pass blurs for the texture, pixels
_THUMBNAIL, _SMOOTH = 32, 1.5  # side and high-pass blur of a thumbnail, pixels
_MIN_THUMBNAIL_CORRELATION = 0.8  # to propose a pair
_MAX_KEYPOINTS = 60  # per image
_MIN_DESCRIPTOR_SIMILARITY = 0.9  # cosine similarity of two matching descriptors
_MIN_INLIERS = 10  # matching keypoints that propose a pair
_MIN_INLIERS_OUT_OF_FOCUS = 14  # to accept a pair of lower texture correlation: same cell, other focus
_MIN_SIMILARITY_OUT_OF_FOCUS = 0.5  # of such a pair
_BLACK = 24  # largest level of background that was made black: JPEG does not keep 0
_N_SIMILAR = 20  # images whose keypoints are compared with those of an image
_ZOOM = (0.7, 1.43)  # range of the magnification between two images


class _PairComparison(NamedTuple):
    """Hold texture correlation and number of matching keypoints of a pair, and whether the images are aligned."""

    similarity: float
    n_inliers: int
    aligned: bool


class _Candidate(NamedTuple):
    """Hold a pair that may be one cell: indices, whether the first is mirrored, matching keypoints, transform."""

    a: int
    b: int
    flipped: bool
    n_inliers: int
    transform: np.ndarray


class _Pictures(NamedTuple):
    """Hold all images: ``grey``, ``uint8 (n, side, side)``; ``foreground``, where they are not black, as bits."""

    grey: np.ndarray
    foreground: np.ndarray


class _Keypoints(NamedTuple):
    """Hold the keypoints of images: position, unit-length descriptor ``float16``, and index of the image, rising."""

    position: np.ndarray
    descriptor: np.ndarray
    image: np.ndarray


class _Texture(NamedTuple):
    """Hold the fine texture of an image, and the pixels that are not removed (black) background."""

    values: np.ndarray
    foreground: np.ndarray


def find_near_duplicates(dataset: Dataset, threshold: float = 0.8) -> pd.DataFrame:
    """Find pairs of images that show the same cell.

    A pair is reported if its texture correlation reaches the threshold, or if at least 14 keypoints agree on one
    transform and the correlation is at least 0.5 (the same cell in another focus). ``benchmarks/duplicates.py``
    measures recall and precision on planted duplicates, and how time and memory grow with the number of images.

    Args:
        dataset: images.
        threshold: minimum correlation of the fine texture, -1 to 1.

    Returns:
        One row per pair, most similar first: ids ``image_a`` and ``image_b``, ``similarity`` (texture correlation),
        ``n_inliers`` (matching keypoints), ``aligned`` (not rotated, flipped, zoomed or translated), and ``identical``
        (all pixels are equal).
    """
    ids = dataset.frame.index
    pictures = _read(batch for _, batch in dataset.iter_batches(SIDE, 256))
    rows = [
        (ids[a], ids[b], round(pair.similarity, 3), pair.n_inliers, pair.aligned, _identical(dataset, pictures, a, b))
        for (a, b), pair in _compare_pairs(pictures).items()
        if pair.similarity >= threshold
        or (pair.n_inliers >= _MIN_INLIERS_OUT_OF_FOCUS and pair.similarity >= _MIN_SIMILARITY_OUT_OF_FOCUS)
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
    comparisons = _compare_pairs(_read([np.stack([resize_pad(a, SIDE), resize_pad(b, SIDE)])]))
    return comparisons[0, 1].similarity if comparisons else 0.0


def _read(batches: Iterable[np.ndarray]) -> _Pictures:
    grey, foreground = [], []
    for batch in batches:
        grey += [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in batch]
        foreground.append(np.packbits(batch.max(axis=3) > _BLACK, axis=2))
    return _Pictures(np.stack(grey), np.concatenate(foreground))


def _identical(dataset: Dataset, pictures: _Pictures, a: int, b: int) -> bool:
    id_a, id_b = dataset.frame.index[[a, b]]
    same = np.array_equal(pictures.grey[a], pictures.grey[b])
    return same and np.array_equal(dataset.load_image(id_a), dataset.load_image(id_b))


def _compare_pairs(pictures: _Pictures) -> dict[tuple[int, int], _PairComparison]:
    """Compare all candidate pairs; keys are the indices of the two images, the lower one first."""
    comparisons: dict[tuple[int, int], _PairComparison] = {}
    candidates = [*_propose_by_thumbnail(pictures.grey), *_propose_by_keypoints(pictures.grey)]
    for a, b, flipped, inliers, transform in tqdm(
        candidates, desc="comparing pairs", unit="pair", delay=2, leave=False
    ):
        best = comparisons.get((a, b), _PairComparison(-1.0, 0, False))
        n_inliers = max(best.n_inliers, inliers)
        first, second = _texture(pictures, a, flipped), _texture(pictures, b, False)
        similarity, displacement = _register(first, second, transform)
        if similarity > best.similarity:
            best = _PairComparison(similarity, inliers, displacement < 0.03 and not flipped)
        comparisons[a, b] = best._replace(n_inliers=n_inliers)
    return comparisons


def _propose_by_thumbnail(grey: np.ndarray) -> list[_Candidate]:
    """Propose pairs with similar thumbnails, with the view of the first that is most like the second."""
    thumbnails = np.stack([_thumbnail(image) for image in grey])
    transforms = _view_transforms()
    views = [_unit_length(view) for view in dihedral_views(thumbnails)]
    pairs = []
    for start in range(0, len(grey), 1024):
        correlations = np.stack([view[start : start + 1024] @ views[0][start:].T for view in views])
        best = correlations.argmax(0)
        similar = np.triu(correlations.max(0), 1) >= _MIN_THUMBNAIL_CORRELATION
        for a, b in zip(*np.nonzero(similar), strict=True):
            pairs.append(_Candidate(start + int(a), start + int(b), False, 0, transforms[best[a, b]]))
    return pairs


def _thumbnail(grey: np.ndarray) -> np.ndarray:
    small = cv2.resize(grey.astype(np.float32), (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA)
    return small - cv2.GaussianBlur(small, (0, 0), _SMOOTH, borderType=cv2.BORDER_REFLECT)


def _unit_length(thumbnails: np.ndarray) -> np.ndarray:
    flat = thumbnails.reshape(len(thumbnails), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def _view_transforms() -> list[np.ndarray]:
    """Affine matrices ``(2, 3)`` from an image to its eight views, ordered as :func:`helpers.images.dihedral_views`."""
    coordinates = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1)[None].astype(float)
    transforms = []
    for view in dihedral_views(coordinates):
        corner = view[0, 0, 0]
        inverse = np.stack([view[0, 0, 1] - corner, view[0, 1, 0] - corner, corner], axis=1)
        transforms.append(cv2.invertAffineTransform(inverse))
    return transforms


def _propose_by_keypoints(grey: np.ndarray) -> list[_Candidate]:
    """Propose pairs that share rare details, and whose keypoints agree on one rotation, zoom and translation."""
    upright, mirrored = _detect_keypoints(grey), _detect_keypoints(grey[:, :, ::-1])
    if not len(upright.image):
        return []
    vocabulary = Vocabulary(upright.descriptor)
    counts = vocabulary.bags(upright.descriptor, upright.image, len(grey))
    bags, proposed = weigh(counts, counts), []
    for flipped, keypoints in ((False, upright), (True, mirrored)):
        queries = weigh(vocabulary.bags(keypoints.descriptor, keypoints.image, len(grey)), counts) if flipped else bags
        pairs = {(min(a, b), max(a, b)) for a, found in most_similar(queries, bags, _N_SIMILAR) for b in found.tolist()}
        for a, b in tqdm(sorted(pairs), desc="comparing points", unit="pair", delay=2, leave=False):
            first, second = _of_image(keypoints, a), _of_image(upright, b)
            at_a, at_b = np.nonzero(first.descriptor @ second.descriptor.T >= _MIN_DESCRIPTOR_SIMILARITY)
            if len(at_a) < _MIN_INLIERS:
                continue
            if candidate := _agree(a, b, flipped, first.position[at_a], second.position[at_b]):
                proposed.append(candidate)
    return proposed


def _of_image(keypoints: _Keypoints, number: int) -> _Keypoints:
    rows = slice(*np.searchsorted(keypoints.image, [number, number + 1]))
    descriptor = keypoints.descriptor[rows].astype(np.float32)
    return _Keypoints(keypoints.position[rows], descriptor, keypoints.image[rows])


def _agree(a: int, b: int, flipped: bool, first: np.ndarray, second: np.ndarray) -> _Candidate | None:
    """Return a candidate if enough matching positions agree on one rotation, zoom and translation."""
    transform, inlier = cv2.estimateAffinePartial2D(first, second, method=cv2.RANSAC, ransacReprojThreshold=0.02 * SIDE)
    if transform is None or inlier.sum() < _MIN_INLIERS or not _ZOOM[0] < np.hypot(*transform[:, 0]) < _ZOOM[1]:
        return None
    n_inliers = len(np.unique(second[inlier.ravel() > 0].round(), axis=0))
    return _Candidate(a, b, flipped, n_inliers, transform) if n_inliers >= _MIN_INLIERS else None


def _detect_keypoints(grey: np.ndarray) -> _Keypoints:
    sift = cv2.SIFT.create(nfeatures=_MAX_KEYPOINTS, contrastThreshold=0.01, edgeThreshold=20)
    arrays = [(np.empty((0, 2), np.float32), np.empty((0, 128), np.float16), np.empty(0, int))]
    for number, image in enumerate(tqdm(grey, desc="keypoints", unit="image", delay=2, leave=False)):
        keypoints, descriptors = sift.detectAndCompute(np.ascontiguousarray(image), None)
        if keypoints:
            # RootSIFT: the dot product of descriptors is the Hellinger kernel (Arandjelovic and Zisserman 2012).
            share = descriptors / np.maximum(descriptors.sum(1, keepdims=True), 1e-6)
            position = np.array([keypoint.pt for keypoint in keypoints], np.float32)
            arrays.append((position, np.sqrt(share).astype(np.float16), np.full(len(keypoints), number)))
    return _Keypoints(*(np.concatenate(array) for array in zip(*arrays, strict=True)))


def _texture(pictures: _Pictures, number: int, flipped: bool) -> _Texture:
    grey = pictures.grey[number].astype(np.float32)
    seen = np.unpackbits(pictures.foreground[number], axis=1, count=SIDE)
    if flipped:
        grey, seen = np.ascontiguousarray(grey[:, ::-1]), np.ascontiguousarray(seen[:, ::-1])
    values = cv2.GaussianBlur(grey, (0, 0), _FINE) - cv2.GaussianBlur(grey, (0, 0), _COARSE)
    return _Texture(values, cv2.erode(seen, np.ones((7, 7), np.uint8)))


def _register(first: _Texture, second: _Texture, transform: np.ndarray) -> tuple[float, float]:
    """Register the first image to the second, starting from ``transform``, and compare their texture.

    Returns:
        Texture correlation, and the largest displacement of a corner as a share of the side.
    """
    inverse = cv2.invertAffineTransform(np.asarray(transform, np.float32))
    inverses = [inverse]
    try:  # refine by ECC maximisation (Evangelidis and Psarakis 2008)
        stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 1e-4)
        values = first.values * first.foreground
        inverses.append(
            cv2.findTransformECC(second.values, values, inverse.copy(), cv2.MOTION_AFFINE, stop, second.foreground, 5)[
                1
            ]
        )
    except cv2.error:  # ECC does not converge: the images have little in common
        pass
    best = max(inverses, key=lambda candidate: _correlation(first, second, candidate))
    corners = np.array([[0, 0], [0, SIDE], [SIDE, 0], [SIDE, SIDE]], float)
    displacement = np.abs(corners @ best[:, :2].T + best[:, 2] - corners).max() / SIDE
    return _correlation(first, second, best), float(displacement)


def _correlation(first: _Texture, second: _Texture, inverse: np.ndarray) -> float:
    if not _ZOOM[0] ** 2 < abs(np.linalg.det(inverse[:, :2])) < _ZOOM[1] ** 2:
        return -1.0
    linear, nearest = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR, cv2.WARP_INVERSE_MAP | cv2.INTER_NEAREST
    warped = cv2.warpAffine(first.values, inverse, (SIDE, SIDE), flags=linear)
    both = (cv2.warpAffine(first.foreground, inverse, (SIDE, SIDE), flags=nearest) & second.foreground) > 0
    if both.mean() < 0.1:
        return -1.0
    x, y = warped[both] - warped[both].mean(), second.values[both] - second.values[both].mean()
    return float((x * y).sum() / max(1e-6, np.linalg.norm(x) * np.linalg.norm(y)))
