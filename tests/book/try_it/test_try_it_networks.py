"""The script computes networks, sizes and masks as the package does."""

import base64

import cv2
import numpy as np
import pytest

from helpers import images, models, segmentation
from helpers.backend import keras
from helpers.book.try_it.exporting import export_network

RUN = """([net, pictures]) => {
    const run = network(net), text = values => btoa(Array.from(new Uint8Array(values.buffer), byte =>
        String.fromCharCode(byte)).join(""));
    return pictures.map(rgb => run(bytes(rgb)).map(map => text(map.values)));
}"""


def encode(picture):
    return base64.b64encode(np.ascontiguousarray(picture).tobytes()).decode()


def run_in_browser(page, model, pictures):
    """The outputs of a model for each picture, as the script computes them, ``float32``."""
    exported = export_network(model, pictures.shape[1])
    outputs = page.evaluate(RUN, [exported, [encode(picture) for picture in pictures]])
    return [[np.frombuffer(base64.b64decode(text), np.float32) for text in maps] for maps in outputs]


def set_normalisation(model, pictures):
    """Give batch normalisations other factors than 1, and the statistics of pictures, so that outputs vary."""
    random = np.random.default_rng(3)
    for weight in model.weights:
        if weight.path.endswith(("gamma", "beta")):
            weight.assign(weight + random.uniform(-0.5, 0.5, weight.shape))
    for _ in range(30):
        model(pictures.astype(np.float32), training=True)
    return model


@pytest.mark.parametrize(
    ("build", "size"),
    [(lambda: models.unet(4), 48), (lambda: models.unet_encoder_classifier(4, 6), 64)],
    ids=["unet", "encoder"],
)
def test_a_network_in_the_browser_predicts_what_keras_predicts_on_ten_cells(scripts, cells, build, size):
    pictures = cells.load_images(size)
    keras.utils.set_random_seed(3)
    model = set_normalisation(build(), pictures)
    by_keras = model.predict_on_batch(pictures.astype(np.float32))
    by_browser = np.stack([maps[0].reshape(by_keras.shape[1:]) for maps in run_in_browser(scripts, model, pictures)])
    assert by_keras.std(axis=0).max() > 0.01  # so that ten equal answers would not pass
    assert np.abs(by_browser - by_keras).max() < 1e-4


def test_a_network_of_two_outputs_gives_both(scripts, cells):
    inputs = keras.Input((None, None, 3))
    mean = keras.layers.GlobalAveragePooling2D()(inputs)
    model = keras.Model(inputs, [keras.layers.Dense(2, activation="softmax")(mean), keras.layers.Dense(4)(mean)])
    pictures = cells.load_images(32)[:1]
    (by_browser,) = run_in_browser(scripts, model, pictures)
    for own, expected in zip(by_browser, model.predict_on_batch(pictures.astype(np.float32)), strict=True):
        assert own.tolist() == pytest.approx(expected[0].tolist(), abs=1e-3)


def test_the_weights_are_float32_and_their_places_follow_each_other():
    exported = export_network(models.unet(2, depth=1), 16)
    places = [place for step in exported["steps"] for place in step["weights"]]
    assert [start for start, _ in places] == np.cumsum([0, *(length for _, length in places[:-1])]).tolist()
    assert len(base64.b64decode(exported["weights"])) == 4 * sum(length for _, length in places)
    operations = [step["operation"] for step in exported["steps"]]
    assert operations.count("convolve") == 7  # six of the blocks with normalisation and ReLU in them, and the last
    assert [step["relu"] for step in exported["steps"] if step["operation"] == "convolve"] == [True] * 6 + [False]


def test_a_layer_that_the_script_lacks_is_refused():
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, keras.layers.DepthwiseConv2D(3)(inputs))
    with pytest.raises(ValueError, match="cannot compute a layer DepthwiseConv2D; use the layers of"):
        export_network(model, 8)
    model = keras.Model(inputs, keras.layers.Conv2D(3, 3, activation="gelu")(inputs))
    with pytest.raises(ValueError, match="cannot compute gelu within a layer; use a layer ReLU"):
        export_network(model, 8)


@pytest.mark.parametrize(
    ("height", "width"),
    [(48, 48), (60, 50), (96, 96), (97, 97), (128, 128), (144, 144), (192, 144), (30, 40), (31, 97), (20, 33)],
)
def test_a_picture_is_resized_to_the_numbers_of_python(scripts, height, width):
    random = np.random.default_rng(height)
    image = cv2.GaussianBlur(random.integers(0, 256, (height, width, 3)).astype(np.uint8), (0, 0), 1)
    picture = {"height": height, "width": width, "rgb": image.ravel().tolist()}
    own = np.array(scripts.evaluate("p => [...resizePad({...p, rgb: Uint8Array.from(p.rgb)}, 48)]", picture))
    difference = np.abs(own - images.resize_pad(image, 48).ravel().astype(int))
    assert difference.max() <= 1  # the same on this machine; on others OpenCV may fuse two roundings into one
    assert (difference > 0).mean() < 0.01


@pytest.mark.parametrize(("height", "width"), [(48, 48), (128, 128), (300, 211), (40, 60)])
def test_areas_are_those_of_the_mask_on_the_picture(scripts, cells, height, width):
    mask = cells.load_masks(48)[0] > 0
    own = scripts.evaluate(
        "([mask, height, width]) => areaOnPicture(mask, 48, {height, width})",
        [mask.astype(int).ravel().tolist(), height, width],
    )
    expected = np.count_nonzero(images.undo_resize_pad(mask.astype(np.uint8), height, width))
    assert own == pytest.approx(expected, rel=0.02)  # versions of OpenCV differ where two pixels are equally near


def test_masks_are_those_of_the_segment_command(scripts, cells, colour_unet):
    pictures = cells.load_images(48)
    predicted = models.predict_masks(colour_unet, pictures, tta=True)
    expected = [segmentation.find_cell(image, mask, 48 * 48) for image, mask in zip(pictures, predicted, strict=True)]
    limits = {"minNucleusShare": segmentation.MIN_NUCLEUS_SHARE, "minContrast": segmentation.MIN_CONTRAST}
    own = scripts.evaluate(
        """async ([net, pictures, limits]) => {
            const run = network(net), masks = [];
            for (const rgb of pictures.map(bytes)) masks.push(findCell(rgb, await segment(run, rgb, 48), limits));
            return masks.map(mask => mask && [...mask]);
        }""",
        [export_network(colour_unet, 48), [encode(picture) for picture in pictures], limits],
    )
    assert [mask is not None for mask in own] == [bool(mask.any()) for mask in expected]
    shared = [np.mean(np.array(mask) == other.ravel()) for mask, other in zip(own, expected, strict=True) if mask]
    assert len(shared) >= 8
    assert min(shared) > 0.999


def test_eight_views_are_the_flips_and_rotations(scripts):
    own = scripts.evaluate("() => views(3).map(order => [...order])")
    square = np.arange(9).reshape(1, 3, 3)
    expected = {tuple(view.ravel().tolist()) for view in images.dihedral_views(square)}
    assert {tuple(order) for order in own} == expected
    assert len(own) == 8
