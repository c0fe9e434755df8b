"""Fields at the scale of the detector, and random patches of them with targets, for training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from helpers.augmentation import Augmentation, augment
from helpers.backend import tf
from helpers.counting.network import TARGETS, UM_PER_PIXEL, encode_boxes
from helpers.counting.scale import border_colour, measure_light, rescale_field
from helpers.datasets import Dataset
from helpers.datasets.boxes import SIDES, box_table

PATCH = 128  # side in pixels, 32 µm
AROUND_CELLS = 0.8  # share of the patches of a field that are drawn around one of its cells
JITTER = 52.0  # pixels at most between the middle of such a patch and that of its cell
ZOOM = 0.15  # standard deviation of the logarithm of a random magnification
COLOURS = Augmentation(dihedral=False, brightness=0.08, blur=1.2, stain=0.35)


@dataclass(frozen=True)
class Field:
    """Hold a field at the scale of the detector.

    Attributes:
        image_id: name of the field.
        group: patient, or the best known unit of independence.
        source: where it comes from; all sources have the same number of patches.
        image: ``uint8 (height, width, 3)`` RGB at 0.25 µm per pixel, with a white background.
        boxes: boxes of the white blood cells in pixels of ``image``, ``float (n, 4)``.
    """

    image_id: str
    group: str
    source: str
    image: np.ndarray
    boxes: np.ndarray


def read_fields(dataset: Dataset, um_per_pixel: pd.Series) -> list[Field]:
    """Read whole fields with boxes and bring them to the scale of the detector.

    Args:
        dataset: fields with the column ``boxes``, such as ``load("bccd", whole_fields=True)``.
        um_per_pixel: scale of each image of the dataset in µm per pixel, by ``image_id``, such as
            :func:`helpers.counting.scale.annotated_scale`.

    Raises:
        ValueError: the dataset has no boxes.
    """
    if "boxes" not in dataset.frame:
        raise ValueError(
            f"{dataset.name}: has no boxes of cells; load whole fields, such as load('bccd', whole_fields=True)"
        )
    frame = dataset.frame
    boxes_of = {name: table[SIDES].to_numpy(float) for name, table in box_table(frame).groupby("image_id")}
    sources = frame["source"] if "source" in frame else pd.Series(dataset.name, frame.index)
    fields = []
    for name in tqdm(frame.index, "fields", unit="field", delay=2, leave=False):
        factor = float(um_per_pixel[name]) / UM_PER_PIXEL
        pixels = dataset.load_image(name)
        image = rescale_field(pixels, factor, measure_light(pixels))
        boxes = boxes_of.get(name, np.empty((0, 4))) * factor
        fields.append(Field(name, str(frame.at[name, "group"]), str(sources[name]), image, boxes))
    return fields


def select_split(fields: Sequence[Field], split: np.ndarray, name: str) -> list[Field]:
    """Select the fields of a split.

    Args:
        fields: fields.
        split: split of each field ``(n,)``.
        name: split to select, such as ``"train"``.
    """
    return [field for field, own in zip(fields, split, strict=True) if own == name]


def patch_batches(
    fields: Sequence[Field], n_patches: int, batch_size: int, seed: int, first_epoch: int = 0
) -> tf.data.Dataset:
    """Yield batches of random patches with random colours, epoch after epoch without end.

    Args:
        fields: training fields.
        n_patches: patches per epoch.
        batch_size: patches per batch.
        seed: random seed.
        first_epoch: epoch to start with; its patches do not depend on earlier epochs.

    Returns:
        Batches of images ``uint8 (n, 128, 128, 3)`` and targets ``float32 (n, 32, 32, 7)``.
    """

    def draw() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        epoch = first_epoch
        while True:
            for number, (image, target) in enumerate(draw_patches(fields, n_patches, (seed, epoch))):
                yield image, target, np.array([seed + epoch, number])
            epoch += 1

    def colour(image: tf.Tensor, target: tf.Tensor, key: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return augment(image, target, COLOURS, key)

    signature = (
        tf.TensorSpec((PATCH, PATCH, 3), tf.uint8),
        tf.TensorSpec((PATCH // 4, PATCH // 4, TARGETS), tf.float32),
        tf.TensorSpec((2,), tf.int64),
    )
    patches = tf.data.Dataset.from_generator(draw, output_signature=signature)
    coloured = patches.map(colour, tf.data.AUTOTUNE, deterministic=True)
    return coloured.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def draw_patches(
    fields: Sequence[Field], n_patches: int, seed: tuple[int, ...]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Draw patches at random: of every source the same number, most of them around a cell, at a random magnification.

    Args:
        fields: fields to draw from.
        n_patches: number of patches.
        seed: random seed.

    Yields:
        Image ``uint8 (128, 128, 3)`` and target ``float32 (32, 32, 7)``. Beyond the field, a patch has the colour of
        its border.
    """
    random = np.random.default_rng(seed)
    sizes = pd.Series([field.source for field in fields]).value_counts()
    weight = np.array([1 / sizes[field.source] for field in fields])
    for number in random.choice(len(fields), n_patches, p=weight / weight.sum()):
        yield _cut(fields[number], random)


def _cut(field: Field, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    height, width = field.image.shape[:2]
    zoom = np.exp(random.normal(0, ZOOM))
    if len(field.boxes) and random.random() < AROUND_CELLS:
        box = field.boxes[random.integers(len(field.boxes))]
        middle = (box[:2] + box[2:]) / 2 + random.uniform(-JITTER, JITTER, 2) / zoom
    else:
        middle = random.uniform(0, 1, 2) * (width, height)
    turn = np.diag(zoom * random.choice([-1.0, 1.0], 2))  # mirrored or not, along both axes
    if random.random() < 0.5:
        turn = turn[::-1]
    shift = PATCH / 2 - turn @ middle
    image = cv2.warpAffine(
        field.image,
        np.column_stack([turn, shift]),
        (PATCH, PATCH),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=border_colour(field.image).tolist(),
    )
    corners = field.boxes[:, :2] @ turn.T + shift, field.boxes[:, 2:] @ turn.T + shift
    boxes = np.concatenate([np.minimum(*corners), np.maximum(*corners)], axis=1)
    return image, encode_boxes(boxes, PATCH, PATCH)
