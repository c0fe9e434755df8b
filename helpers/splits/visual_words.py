"""Which images share rare details: bags of visual words (Sivic and Zisserman 2003).

Descriptors of keypoints are sorted into *words* (k-means), and an image is the bag of its words, of which rare ones
count more (tf-idf). Bags are sparse, so that their products take little time even of many images: 60 of 4,096 words
meet 60 others seldom.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse
from scipy.sparse import linalg
from sklearn.cluster import MiniBatchKMeans
from tqdm import tqdm

MAX_WORDS = 4096
_PER_WORD = 6  # descriptors; fewer words than that where there are few
_SAMPLE = 40  # descriptors per word on which the words are learnt
_BLOCK = 4096  # rows at a time
_SEED = 20


class Vocabulary:
    """Learn visual words from descriptors.

    Args:
        descriptors: unit vectors, ``float (n, length)``.
    """

    def __init__(self, descriptors: np.ndarray):
        n_words = int(np.clip(len(descriptors) // _PER_WORD, 1, MAX_WORDS))
        random = np.random.default_rng(_SEED)
        rows = random.permutation(len(descriptors))[: n_words * _SAMPLE]
        means = MiniBatchKMeans(n_words, random_state=_SEED, batch_size=4096, n_init=1, init="random", max_iter=5)
        self.words = means.fit(descriptors[np.sort(rows)].astype(np.float32)).cluster_centers_
        self._offset = (self.words**2).sum(axis=1) / 2

    def bags(self, descriptors: np.ndarray, image: np.ndarray, n_images: int) -> sparse.csr_matrix:
        """Count the words of every image.

        Args:
            descriptors: unit vectors, ``float (n, length)``.
            image: index of the image of each descriptor, ``int (n,)``.
            n_images: number of images.

        Returns:
            Square roots of the counts, ``float32 (n_images, words)``, so that a repeated detail does not outweigh all.
        """
        word = np.empty(len(descriptors), int)
        for start in range(0, len(descriptors), _BLOCK):
            part = descriptors[start : start + _BLOCK].astype(np.float32)
            word[start : start + _BLOCK] = (part @ self.words.T - self._offset).argmax(axis=1)
        ones = np.ones(len(word), np.float32)
        counts = sparse.coo_matrix((ones, (image, word)), (n_images, len(self.words))).tocsr()
        return counts.sqrt()


def weigh(bags: sparse.csr_matrix, reference: sparse.csr_matrix) -> sparse.csr_matrix:
    """Weigh words by their rarity, and bring every bag to unit length.

    Args:
        bags: from :meth:`Vocabulary.bags`.
        reference: bags that tell in how many images a word occurs.
    """
    in_images = reference.getnnz(axis=0)
    rarity = np.log(reference.shape[0] / np.maximum(in_images, 1)).astype(np.float32)
    weighed = bags @ sparse.diags(rarity)
    length = linalg.norm(weighed, axis=1)
    return (sparse.diags((1 / np.maximum(length, 1e-9)).astype(np.float32)) @ weighed).tocsr()


def most_similar(queries: sparse.csr_matrix, bags: sparse.csr_matrix, n: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield every query with the images that share most with it, itself left out.

    Args:
        queries: weighed bags of all images, or of their mirror images, in the same order as ``bags``.
        bags: weighed bags of all images.
        n: images per query; fewer where fewer share a word.
    """
    across = bags.T.tocsr()
    for start in tqdm(range(0, queries.shape[0], 512), desc="comparing images", unit="block", delay=2, leave=False):
        block = (queries[start : start + 512] @ across).tocsr()
        for row in range(block.shape[0]):
            cosine = block.data[block.indptr[row] : block.indptr[row + 1]]
            image = block.indices[block.indptr[row] : block.indptr[row + 1]]
            other = image != start + row
            order = np.argsort(-cosine[other], kind="stable")[:n]
            yield start + row, image[other][order]
