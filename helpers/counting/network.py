"""Centre-point network: a map of the middles of white blood cells, and the sides of the box around each.

The network sees a field at 0.25 µm per pixel and answers on a grid of 1 µm: for each point, how likely it is the middle
of a white blood cell (a heat map, as in CenterNet, Zhou et al. 2019, arXiv:1904.07850) and how far away the four sides
of that cell's box are (as in FCOS, Tian et al. 2019, arXiv:1904.01355). Boxes are float ``(n, 4)`` arrays of left, top,
right and bottom; right and bottom are exclusive.
"""

from __future__ import annotations

import cv2
import numpy as np

from helpers.backend import keras, layers, ops, tf

UM_PER_PIXEL = 0.25  # of the images that the network sees
STRIDE = 4  # pixels between two points of the grid, 1 µm
CHANNELS = 5  # of the output: heat, and the distances to the left, top, right and bottom side in points of the grid
TARGETS = CHANNELS + 2  # of the target: these, the weight of the distances, and that of the heat
MIN_VISIBLE = 0.4  # share of a cell's box inside the image from which the cell is to be found
SPREAD = 0.14  # standard deviation of the heat around a middle, as a share of the sides of the box
NEAR = 0.3  # heat above which a point also learns the distances to the sides
MAX_OVERLAP = 0.4  # intersection over union above which the less likely of two boxes is dropped as a duplicate
_CLIP = 1e-5  # of the heat, before its logarithm


def centre_network(base_filters: int = 8, levels: int = 3) -> keras.Model:
    """Build a small U-Net that ends at a quarter of the side of its input, with five channels.

    Args:
        base_filters: number of filters at the first level; it doubles at each level below.
        levels: number of 2×2 pooling steps below the grid.

    Returns:
        Model from images ``(n, height, width, 3)``, 0 to 255, with sides that are multiples of ``4 * 2**levels``, to
        ``float32 (n, height / 4, width / 4, 5)``: heat from 0 to 1, and the distances to the four sides, at least 0.
    """
    inputs = x = keras.Input((None, None, 3), name="field")
    x = layers.Rescaling(1 / 127.5, -1)(x)
    for convolutions in (1, 2):  # down to the grid
        x = layers.MaxPooling2D()(_convolve(x, base_filters, convolutions))
    skips = []
    for level in range(1, levels + 1):
        x = _convolve(x, base_filters * 2**level, 2)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = _convolve(x, base_filters * 2 ** (levels + 1), 2)
    for level in range(levels, 0, -1):
        x = layers.Conv2DTranspose(base_filters * 2**level, 2, strides=2)(x)
        x = _convolve(layers.Concatenate()([skips[level - 1], x]), base_filters * 2**level, 1)
    x = _convolve(x, base_filters * 2, 1)
    # Middles are rare and cells about 12 µm wide: the first outputs are near 0.05 and 6, so that learning is steady.
    rare, usual = keras.initializers.Constant(-3.0), keras.initializers.Constant(6.0)
    heat = layers.Conv2D(1, 1, activation="sigmoid", bias_initializer=rare, name="heat")(x)
    sides = layers.Conv2D(4, 1, activation="relu", bias_initializer=usual, name="sides")(x)
    return keras.Model(inputs, layers.Concatenate(name="centres")([heat, sides]), name="centre_network")


def _convolve(x: keras.KerasTensor, filters: int, number: int) -> keras.KerasTensor:
    for _ in range(number):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    return x


def encode_boxes(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Make the target of the network from the boxes of an image.

    A cell of which less than 40 % lies inside the image counts neither as a cell nor as background.

    Args:
        boxes: boxes of white blood cells in pixels, ``float (n, 4)``; they may reach beyond the image.
        height: of the image in pixels, a multiple of 4.
        width: of the image in pixels, a multiple of 4.

    Returns:
        ``float32 (height / 4, width / 4, 7)``: heat, four distances, weight of the distances, weight of the heat.
    """
    rows, columns = height // STRIDE, width // STRIDE
    target = np.zeros((rows, columns, TARGETS), np.float32)
    target[..., -1] = 1
    y, x = np.mgrid[:rows, :columns] + 0.5
    for box in boxes / STRIDE:
        left, top = np.maximum(box[:2], 0)
        right, bottom = np.minimum(box[2:], (columns, rows))
        if right <= left or bottom <= top:
            continue
        if (right - left) * (bottom - top) < MIN_VISIBLE * np.prod(box[2:] - box[:2]):
            target[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right)), -1] = 0
            continue
        middle_x, middle_y = int((left + right) / 2) + 0.5, int((top + bottom) / 2) + 0.5
        across = (x - middle_x) / (SPREAD * (right - left) + NEAR)
        down = (y - middle_y) / (SPREAD * (bottom - top) + NEAR)
        heat = np.exp(-(across**2 + down**2) / 2)
        sides = np.stack([x - left, y - top, right - x, bottom - y], axis=-1)
        inside = (heat > target[..., 0]) & (heat > NEAR) & (sides.min(axis=-1) > 0)
        target[inside, 1:5], target[inside, 5] = sides[inside], heat[inside]
        target[..., 0] = np.maximum(target[..., 0], heat)
    return target


def centre_loss(truth, prediction):
    """Compute the sum of the focal loss of the heat (Zhou et al. 2019) and 1 − IoU of the boxes around the middles.

    Args:
        truth: targets ``(n, height, width, 7)`` from :func:`encode_boxes`.
        prediction: outputs ``(n, height, width, 5)`` of :func:`centre_network`.

    Returns:
        Loss ``(n,)``; that of the heat is per cell.
    """
    wanted, heat = truth[..., 0], ops.clip(prediction[..., 0], _CLIP, 1 - _CLIP)
    middle = ops.cast(wanted > 0.999, heat.dtype)
    missed = middle * ops.square(1 - heat) * ops.log(heat)
    invented = (1 - middle) * (1 - wanted) ** 4 * ops.square(heat) * ops.log(1 - heat)
    n_cells = ops.maximum(ops.sum(middle, axis=(1, 2)), 1.0)
    heat_loss = -ops.sum((missed + invented) * truth[..., 6], axis=(1, 2)) / n_cells
    weight = truth[..., 5]
    box_loss = weight * (1 - _overlap(truth[..., 1:5], prediction[..., 1:5]))
    return heat_loss + ops.sum(box_loss, axis=(1, 2)) / ops.maximum(ops.sum(weight, axis=(1, 2)), 1e-3)


def _overlap(a, b):
    """Compute the IoU of boxes around one point, given by the distances to their sides, last axis; +1 avoids 0 / 0."""
    shared = ops.minimum(a, b)
    area_a, area_b, both = (
        (sides[..., 0] + sides[..., 2]) * (sides[..., 1] + sides[..., 3]) for sides in (a, b, shared)
    )
    return (both + 1) / (area_a + area_b - both + 1)


def decode_boxes(output: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Find the cells in the output of the network: the peaks of the heat with their boxes, without duplicates.

    Args:
        output: ``float32 (height, width, 5)``, of one image.
        threshold: least heat of a cell, 0 to 1.

    Returns:
        Boxes ``float (n, 4)`` in pixels of the image, most likely first, and their heat ``float (n,)``.
    """
    heat = output[..., 0]
    rows, columns = np.nonzero((heat >= cv2.dilate(heat, np.ones((3, 3)))) & (heat >= threshold))
    score = heat[rows, columns]
    left, top, right, bottom = output[rows, columns, 1:].T
    x, y = columns + 0.5, rows + 0.5
    boxes = STRIDE * np.stack([x - left, y - top, x + right, y + bottom], axis=-1).astype(float)
    kept = drop_duplicates(boxes, score)
    return boxes[kept], score[kept]


def drop_duplicates(boxes: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Drop the boxes that overlap one with a higher score by more than :data:`MAX_OVERLAP`.

    Args:
        boxes: ``float (n, 4)``.
        score: ``float (n,)``.

    Returns:
        Positions of the others, the highest score first.
    """
    corners = boxes[:, [1, 0, 3, 2]].astype(np.float32)
    return tf.image.non_max_suppression(corners, score.astype(np.float32), len(boxes), MAX_OVERLAP).numpy()
