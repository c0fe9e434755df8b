"""Which images share rare details: bags of visual words (Sivic and Zisserman 2003).

Every keypoint is named by the *word* that it is most like, and an image is the bag of its words, of which rare ones
count more (tf-idf). Bags are sparse, so that their products take little time even of many images: 60 of 4,096 words
meet 60 others seldom. Words are descriptors drawn at random: means of clusters (k-means) ranked the copies that
``benchmarks/duplicates.py`` plants no better, and took most of the time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse
from scipy.sparse import linalg
from tqdm import tqdm

from helpers.splits.keypoints import Keypoints, mirror_descriptors

_MAX_WORDS = 4096
_PER_WORD = 6  # descriptors; fewer words than that where there are few
_BLOCK = 4096  # rows at a time
_SEED = 20


class Vocabulary:
    """Draw visual words from the descriptors of some images, and describe images by them.

    Args:
        keypoints: keypoints of the images; at least one.
    """

    def __init__(self, keypoints: Keypoints):
        n = len(keypoints.descriptor)
        n_words = int(np.clip(n // _PER_WORD, 1, _MAX_WORDS))
        drawn = np.random.default_rng(_SEED).choice(n, n_words, replace=False)
        self._words = keypoints.descriptor[np.sort(drawn)].astype(np.float32)
        in_images = self._count(keypoints).getnnz(axis=0)
        n_images = len(keypoints.start) - 1
        self._rarity = np.log((n_images + 1) / np.maximum(in_images, 1)).astype(np.float32)  # never 0

    def bags(self, keypoints: Keypoints, *, mirrored: bool = False) -> sparse.csr_matrix:
        """Return the words of every image, or of its mirror image, as unit vectors ``float32 (images, words)``."""
        weighed = self._count(keypoints, mirrored=mirrored).sqrt() @ sparse.diags(self._rarity)  # repeats weigh less
        length = linalg.norm(weighed, axis=1)
        return (sparse.diags((1 / np.maximum(length, 1e-9)).astype(np.float32)) @ weighed).tocsr()

    def _count(self, keypoints: Keypoints, *, mirrored: bool = False) -> sparse.csr_matrix:
        # Descriptors and words are unit vectors, so that the nearest word has the largest product; to mirror the words
        # is the same as to mirror the descriptors.
        words = mirror_descriptors(self._words) if mirrored else self._words
        nearest = np.empty(len(keypoints.descriptor), int)
        for start in range(0, len(nearest), _BLOCK):
            part = keypoints.descriptor[start : start + _BLOCK].astype(np.float32)
            nearest[start : start + _BLOCK] = (part @ words.T).argmax(axis=1)
        shape = (len(keypoints.start) - 1, len(words))
        return sparse.coo_matrix((np.ones(len(nearest), np.float32), (keypoints.image, nearest)), shape).tocsr()


def most_similar(queries: sparse.csr_matrix, bags: sparse.csr_matrix, n: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield every query with the images that share most with it, itself left out.

    Args:
        queries: bags of all images, or of their mirror images, in the same order as ``bags``.
        bags: bags of all images.
        n: images per query; fewer where fewer share a word.
    """
    across = bags.T.tocsr()
    for start in tqdm(range(0, queries.shape[0], 512), desc="comparing images", unit="block", delay=2, leave=False):
        block = (queries[start : start + 512] @ across).tocsr()
        for row in range(block.shape[0]):
            shared = slice(block.indptr[row], block.indptr[row + 1])
            cosine, image = block.data[shared], block.indices[shared]
            cosine, image = cosine[image != start + row], image[image != start + row]
            if len(cosine) > n:
                largest = np.argpartition(-cosine, n)[:n]
                image = image[largest]
            yield start + row, np.sort(image)
