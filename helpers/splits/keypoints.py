"""SIFT keypoints (Lowe 2004) of many images, and those of their mirror images."""

from __future__ import annotations

import os
from typing import NamedTuple

import cv2
import numpy as np
from tqdm.contrib.concurrent import thread_map

MAX_KEYPOINTS = 60  # per image
# A descriptor counts 8 directions in 4 by 4 fields; a mirror exchanges the rows of fields, and left and right turns.
_MIRRORED = np.flip(np.arange(128).reshape(4, 4, 8), axis=0)[:, :, -np.arange(8) % 8].ravel()


class Keypoints(NamedTuple):
    """Hold the keypoints of images, in the order of the images.

    Attributes:
        position: x and y in pixels, ``float32 (n, 2)``.
        descriptor: unit vectors, ``float16 (n, 128)``.
        start: row of the first keypoint of every image, and the number of rows, ``int (n_images + 1,)``.
        width: width of the images in pixels.
    """

    position: np.ndarray
    descriptor: np.ndarray
    start: np.ndarray
    width: int

    @property
    def image(self) -> np.ndarray:
        """Return the index of the image of every keypoint, ``int (n,)``."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    def of_image(self, number: int, *, mirrored: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Return positions and ``float32`` descriptors of the keypoints of an image, or of its mirror image."""
        rows = slice(self.start[number], self.start[number + 1])
        position, descriptor = self.position[rows], self.descriptor[rows].astype(np.float32)
        if not mirrored:
            return position, descriptor
        return np.column_stack([self.width - 1 - position[:, 0], position[:, 1]]), mirror_descriptors(descriptor)


def detect_keypoints(grey: np.ndarray) -> Keypoints:
    """Detect up to 60 keypoints in every image, in threads.

    Args:
        grey: ``uint8 (n, height, width)``.
    """
    found = thread_map(_detect, grey, max_workers=os.cpu_count(), desc="keypoints", unit="image", delay=2, leave=False)
    position, descriptor = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return Keypoints(position, descriptor, np.cumsum([0, *(len(one) for one, _ in found)]), grey.shape[2])


def mirror_descriptors(descriptors: np.ndarray) -> np.ndarray:
    """Return the descriptors that the same keypoints have in a mirror image; twice gives the descriptors again.

    Args:
        descriptors: ``float (n, 128)``.
    """
    return descriptors[:, _MIRRORED]


def _detect(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sift = cv2.SIFT.create(nfeatures=MAX_KEYPOINTS, contrastThreshold=0.01, edgeThreshold=20)
    keypoints, descriptors = sift.detectAndCompute(np.ascontiguousarray(grey), None)
    if not keypoints:
        return np.empty((0, 2), np.float32), np.empty((0, 128), np.float16)
    # RootSIFT: the dot product of descriptors is the Hellinger kernel (Arandjelovic and Zisserman 2012).
    share = descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-6)
    position = np.array([keypoint.pt for keypoint in keypoints], np.float32)
    return position, np.sqrt(share).astype(np.float16)
