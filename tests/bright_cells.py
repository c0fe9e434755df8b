"""Pictures of a cell whose parts differ in brightness, and a network with weights by hand that tells them apart."""

import cv2
import keras
import numpy as np

from helpers import images, segmentation


def by_brightness() -> keras.Model:
    """No training: red above 170 is background, above 85 cytoplasm, else nucleus."""
    inputs = keras.Input((None, None, 3))
    convolution = keras.layers.Conv2D(3, 1, activation="softmax")
    outputs = convolution(keras.layers.Rescaling(1 / 255)(inputs))
    kernel = np.zeros((1, 1, 3, 3), np.float32)
    kernel[0, 0, 0] = (60, 30, 0)
    convolution.set_weights([kernel, np.array([-30, -10, 0], np.float32)])
    return keras.Model(inputs, outputs)


def bright_cell(height=90, width=60):
    drawn = np.full((height, width, 3), 250, np.uint8)
    middle = (width // 2, height // 2)
    cv2.circle(drawn, middle, 20, (120, 120, 120), -1)
    cv2.circle(drawn, middle, 10, (20, 20, 20), -1)
    return drawn


def save_segmenter(path, model=None, um_per_pixel=None):
    """Save the network with its note."""
    pictures = np.stack([images.resize_pad(bright_cell(*sides), 64) for sides in ((90, 60), (64, 64), (50, 120))])
    masks = np.stack([segmentation.segment_cells(pictures[k : k + 1], by_brightness())[0] for k in range(3)])
    segmentation.save_model(model or by_brightness(), path, images=pictures, masks=masks, um_per_pixel=um_per_pixel)
