"""Near-duplicate detection: images of one cell that were copied, rotated, flipped, recropped or photographed again.

Two methods propose candidate pairs: correlation of thumbnails under the eight dihedral transforms finds images that are
similar as a whole; SIFT keypoints (Lowe 2004) with similar descriptors that agree on one rotation, zoom and translation
find new crops. Each candidate pair is then registered, and the fine texture (band-pass filtered grey values) of the two
images is correlated where neither is black. Different cells of similar shape and colour, or on the same black
background, differ in fine texture.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from helpers.datasets import Dataset
from helpers.images import dihedral_views, resize_pad

SIDE = 128  # side of the compared images, pixels
_FINE, _COARSE = 0.7, 2.5  # standard deviations of the band-pass blurs for the texture, pixels
_THUMBNAIL, _SMOOTH = 32, 1.5  # side and high-pass blur of a thumbnail, pixels
_THUMBNAILS_ALIKE = 0.8  # least correlation of two thumbnails to propose a pair
_POINTS = 60  # maximum number of keypoints per image
_POINTS_ALIKE = 0.9  # least cosine similarity of two matching descriptors
_POINTS_AGREE = 10  # matching keypoints that propose a pair
_POINTS_PROVE = 14  # matching keypoints that accept a pair of lower texture correlation: same cell, other focus
_GRAIN_IN_ANOTHER_FOCUS = 0.5  # least texture correlation of such a pair
_ZOOM = (0.7, 1.43)  # range of the magnification between two images


class _Alike(NamedTuple):
    """Hold texture correlation and matching keypoints of a pair, and whether the cell is in the same place."""

    similarity: float
    points: int
    in_place: bool


class _Points(NamedTuple):
    """Hold the keypoints of all images: position, unit-length descriptor, and index of the image."""

    place: np.ndarray
    surroundings: np.ndarray
    image: np.ndarray


class _Grain(NamedTuple):
    """Hold the fine texture of an image, and the pixels that are not removed (black) background."""

    values: np.ndarray
    seen: np.ndarray


def find_near_duplicates(dataset: Dataset, threshold: float = 0.8) -> pd.DataFrame:
    """Find pairs of images that show the same cell.

    A pair is reported if its texture correlation reaches the threshold, or if at least 14 keypoints agree on one
    transform and the correlation is at least 0.5 (the same cell in another focus). ``benchmarks/duplicates.py``
    measures recall and precision on planted duplicates.

    Args:
        dataset: at most a few thousand images, as time grows with the square of their number.
        threshold: least correlation of the fine texture, -1 to 1.

    Returns:
        One row per pair, most similar first: ids ``image_a`` and ``image_b``, ``similarity`` (texture correlation),
        ``points`` (matching keypoints), ``in_place`` (not rotated, flipped, zoomed or translated), and ``exact`` (all
        pixels are equal).
    """
    ids = dataset.frame.index
    pictures = np.concatenate([batch for _, batch in dataset.iter_batches(SIDE, 256)])
    rows = [
        (ids[a], ids[b], round(alike.similarity, 3), alike.points, alike.in_place, _exact(dataset, pictures, a, b))
        for (a, b), alike in _alike(pictures).items()
        if alike.similarity >= threshold
        or (alike.points >= _POINTS_PROVE and alike.similarity >= _GRAIN_IN_ANOTHER_FOCUS)
    ]
    found = pd.DataFrame(rows, columns=["image_a", "image_b", "similarity", "points", "in_place", "exact"])
    return found.sort_values(["similarity", "image_a", "image_b"], ascending=[False, True, True], ignore_index=True)


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Compute the texture correlation of two images, as :func:`find_near_duplicates` does.

    Args:
        a: ``uint8 (height, width, 3)`` RGB.
        b: second image, of the same type and any size.

    Returns:
        Correlation, -1 to 1; 0 if neither thumbnails nor keypoints propose the pair.
    """
    return _alike(np.stack([resize_pad(a, SIDE), resize_pad(b, SIDE)])).get((0, 1), _Alike(0.0, 0, False)).similarity


def _exact(dataset: Dataset, pictures: np.ndarray, a: int, b: int) -> bool:
    one, other = dataset.frame.index[[a, b]]
    return np.array_equal(pictures[a], pictures[b]) and np.array_equal(
        dataset.load_image(one), dataset.load_image(other)
    )


def _alike(pictures: np.ndarray) -> dict[tuple[int, int], _Alike]:
    """Compare all candidate pairs; keys are the indices of the two images, the lower one first."""
    mirrored = np.ascontiguousarray(pictures[:, :, ::-1])
    grain = [_grain(picture) for picture in pictures]
    found: dict[tuple[int, int], _Alike] = {}
    proposed = [*_by_thumbnail(pictures), *_by_points(pictures, mirrored)]
    for a, b, flipped, points, move in tqdm(proposed, desc="comparing pairs", unit="pair", delay=2, leave=False):
        first = _grain(mirrored[a]) if flipped else grain[a]
        before = found.get((a, b), _Alike(-1.0, 0, False))
        similarity, moved = _laid_over(first, grain[b], move)
        best = _Alike(similarity, points, moved < 0.03 and not flipped) if similarity > before.similarity else before
        found[a, b] = best._replace(points=max(before.points, points))
    return found


def _by_thumbnail(pictures: np.ndarray) -> list[tuple[int, int, bool, int, np.ndarray]]:
    """Propose pairs with similar thumbnails: indices a and b, flipped, matching keypoints, transform of a onto b."""
    thumbs = np.stack([_thumbnail(picture) for picture in pictures])
    views = [_unit(view) for view in dihedral_views(thumbs)]
    moves = _moves_of_views()
    pairs = []
    for start in range(0, len(thumbs), 1024):
        alike = np.stack([view[start : start + 1024] @ views[0].T for view in views])
        best = alike.argmax(0)
        for a, b in zip(*np.nonzero(np.triu(alike.max(0), start + 1) >= _THUMBNAILS_ALIKE), strict=True):
            pairs.append((start + int(a), int(b), False, 0, moves[best[a, b]]))
    return pairs


def _thumbnail(picture: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    small = cv2.resize(grey, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA)
    return small - cv2.GaussianBlur(small, (0, 0), _SMOOTH, borderType=cv2.BORDER_REFLECT)


def _unit(thumbs: np.ndarray) -> np.ndarray:
    flat = thumbs.reshape(len(thumbs), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def _moves_of_views() -> list[np.ndarray]:
    """Affine matrices ``(2, 3)`` from an image to its eight views, ordered as :func:`helpers.images.dihedral_views`."""
    places = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1)[None].astype(float)
    moves = []
    for view in dihedral_views(places):
        corner = view[0, 0, 0]
        back = np.stack([view[0, 0, 1] - corner, view[0, 1, 0] - corner, corner], axis=1)
        moves.append(cv2.invertAffineTransform(back))
    return moves


def _by_points(pictures: np.ndarray, mirrored: np.ndarray) -> list[tuple[int, int, bool, int, np.ndarray]]:
    """Propose pairs whose keypoints agree on one rotation, zoom and translation; as :func:`_by_thumbnail`."""
    upright, pairs = _points(pictures), []
    for flipped, own in ((False, upright), (True, _points(mirrored))):
        for (a, b), (mine, theirs) in _matches(own, upright).items():
            move, agree = cv2.estimateAffinePartial2D(
                own.place[mine], upright.place[theirs], method=cv2.RANSAC, ransacReprojThreshold=0.02 * SIDE
            )
            if move is None or agree.sum() < _POINTS_AGREE or not _ZOOM[0] < np.hypot(*move[:, 0]) < _ZOOM[1]:
                continue
            places = np.unique(upright.place[theirs][agree.ravel() > 0].round(), axis=0)
            if len(places) >= _POINTS_AGREE:
                pairs.append((a, b, flipped, len(places), move))
    return pairs


def _points(pictures: np.ndarray) -> _Points:
    sift = cv2.SIFT.create(nfeatures=_POINTS, contrastThreshold=0.01, edgeThreshold=20)
    parts = [(np.empty((0, 2), np.float32), np.empty((0, 128), np.float32), np.empty(0, int))]
    for number, picture in enumerate(pictures):
        points, surroundings = sift.detectAndCompute(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), None)
        if points:
            # RootSIFT: the dot product of descriptors is the Hellinger kernel (Arandjelovic and Zisserman 2012).
            share = surroundings / np.maximum(surroundings.sum(1, keepdims=True), 1e-6)
            place = np.array([point.pt for point in points], np.float32)
            parts.append((place, np.sqrt(share), np.full(len(points), number)))
    return _Points(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _matches(own: _Points, others: _Points) -> dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]:
    """Match keypoints by descriptor; keys are pairs of images, the lower index first, with enough matches."""
    own_matches, other_matches = [], []
    for start in tqdm(range(0, len(own.image), 512), desc="comparing points", unit="block", delay=2, leave=False):
        later = np.searchsorted(others.image, own.image[start], side="right")  # every pair once
        alike = own.surroundings[start : start + 512] @ others.surroundings[later:].T
        a, b = np.nonzero(alike >= _POINTS_ALIKE)
        forward = own.image[start + a] < others.image[later + b]
        own_matches.append(start + a[forward])
        other_matches.append(later + b[forward])
    if not own_matches:
        return {}
    mine, theirs = np.concatenate(own_matches), np.concatenate(other_matches)
    images = int(others.image.max()) + 1
    pair = own.image[mine] * images + others.image[theirs]
    order = np.argsort(pair, kind="stable")
    runs = np.split(order, np.flatnonzero(np.diff(pair[order])) + 1)
    return {divmod(int(pair[at[0]]), images): (mine[at], theirs[at]) for at in runs if len(at) >= _POINTS_AGREE}


def _grain(picture: np.ndarray) -> _Grain:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    values = cv2.GaussianBlur(grey, (0, 0), _FINE) - cv2.GaussianBlur(grey, (0, 0), _COARSE)
    seen = cv2.erode((picture.max(2) > 0).astype(np.uint8), np.ones((7, 7), np.uint8))
    return _Grain(values, seen)


def _laid_over(first: _Grain, second: _Grain, move: np.ndarray) -> tuple[float, float]:
    """Register the first image to the second, starting from ``move``, and compare their texture.

    Returns:
        Texture correlation, and the largest displacement of a corner as a share of the side.
    """
    back = cv2.invertAffineTransform(np.asarray(move, np.float32))
    tried = [back]
    try:  # refine by ECC maximisation (Evangelidis and Psarakis 2008)
        stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 1e-4)
        moved = first.values * first.seen
        tried.append(
            cv2.findTransformECC(second.values, moved, back.copy(), cv2.MOTION_AFFINE, stop, second.seen, 5)[1]
        )
    except cv2.error:  # ECC does not converge: the images have little in common
        pass
    best = max(tried, key=lambda each: _correlation(first, second, each))
    corners = np.array([[0, 0], [0, SIDE], [SIDE, 0], [SIDE, SIDE]], float)
    moved = np.abs(corners @ best[:, :2].T + best[:, 2] - corners).max() / SIDE
    return _correlation(first, second, best), float(moved)


def _correlation(first: _Grain, second: _Grain, back: np.ndarray) -> float:
    if not _ZOOM[0] ** 2 < abs(np.linalg.det(back[:, :2])) < _ZOOM[1] ** 2:
        return -1.0
    how = cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(first.values, back, (SIDE, SIDE), flags=how | cv2.INTER_LINEAR)
    both = (cv2.warpAffine(first.seen, back, (SIDE, SIDE), flags=how | cv2.INTER_NEAREST) & second.seen) > 0
    if both.mean() < 0.1:
        return -1.0
    x, y = moved[both] - moved[both].mean(), second.values[both] - second.values[both].mean()
    return float((x * y).sum() / max(1e-6, np.linalg.norm(x) * np.linalg.norm(y)))
