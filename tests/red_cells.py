"""Images whose colour is their probability, and a classifier that reads it: expected values can be written down."""

import keras
import numpy as np
from factories import MODEL_CARD, save

from helpers.models import loading
from helpers.models.model_card import ModelCard

SIZE = 32
CARD = ModelCard.model_validate({**MODEL_CARD, "size": SIZE, "threshold": 0.6})  # classes ill and well


def red_model(n_classes=2):
    """The probability of the first class is the mean of the red channel / 255, that of the others equal shares."""
    image = keras.Input((SIZE, SIZE, 3))
    shares = keras.layers.Dense(n_classes, activation="linear", name="shares")
    mean = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(image))
    model = keras.Model(image, shares(mean))
    kernel = np.zeros((3, n_classes), np.float32)
    kernel[0] = [1, *[-1 / (n_classes - 1)] * (n_classes - 1)]
    shares.set_weights([kernel, np.array([0, *[1 / (n_classes - 1)] * (n_classes - 1)], np.float32)])
    return model


def red_image(probability):
    """An image of that mean red, and no two rows alike, as a file of one colour is refused."""
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    image[..., 0] = round(255 * probability)
    image[::2, :, 2] = 90
    return image


def save_cells(root, probabilities):
    """Save an image for each name and probability; return the paths in the order of the names."""
    return [save(root / name, red_image(probability)) for name, probability in sorted(probabilities.items())]


def save_model(folder):
    """Save the model with its card; return its path."""
    path = folder / "m.keras"
    red_model().save(path)
    card = CARD.model_copy(update={"sha256": loading.file_digest(path)})
    path.with_suffix(".json").write_text(card.model_dump_json(), encoding="utf-8")
    return path
