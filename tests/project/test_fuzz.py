"""Anything may be in a file. Whatever it is, it is read, or refused with a documented error; never a crash."""

import io
import json
import warnings

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from helpers import datasets, images, prediction
from helpers.models import loading, model_card
from helpers.project import CHECKOUT
from helpers.runs import profiles

# Bounded, repeatable, and without a database of examples in the working tree.
bounded = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def encoded(kind, **options):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


WHOLE = [
    encoded("PNG"), encoded("BMP"), encoded("JPEG", quality=80), encoded("JPEG", progressive=True),
    encoded("TIFF"), encoded("TIFF", compression="tiff_lzw"), encoded("GIF"), encoded("WEBP"),
    encoded("WEBP", lossless=True), encoded("JPEG2000"), encoded("JPEG2000", no_jp2=True),
    encoded("MPO", save_all=True, append_images=[Image.new("RGB", (20, 24))]),
]  # fmt: skip


@st.composite
def damaged(draw, wholes):
    """A good file in which some bytes are others, or which ends too early, or goes on."""
    content = bytearray(draw(st.sampled_from(wholes)))
    for _ in range(draw(st.integers(0, 8))):
        content[draw(st.integers(0, min(len(content), 400) - 1))] = draw(st.integers(0, 255))
    cut = draw(st.one_of(st.none(), st.integers(0, len(content))))
    return bytes(content[:cut]) + draw(st.binary(max_size=16))


@settings(bounded, max_examples=300)
@given(content=st.one_of(damaged(WHOLE), st.binary(max_size=200)))
def test_any_bytes_are_an_image_or_an_image_error(tmp_path, content):
    path = tmp_path / "cell.png"
    path.write_bytes(content)
    assert images.is_image(path) in (True, False)
    for read in (
        images.image_size,
        images.read_image,
        lambda p: images.read_image(p, min_size=8),
        images.read_mask_values,
    ):
        try:
            found = read(path)
        except images.ImageError as error:
            assert "cell.png" in str(error)
        else:
            assert isinstance(found, tuple) or found.dtype == np.uint8


MASKS = [encoded("PNG"), encoded("GIF"), encoded("WEBP", lossless=True)]
VALUES = [b"value,class\n0,background\n1,cytoplasm\n2,nucleus\n", b"value;class\n#ff0000;nucleus\n"]


@bounded
@given(mask=damaged(MASKS), table=st.none() | damaged(VALUES) | st.binary(max_size=80))
def test_any_mask_and_table_of_values_is_a_dataset_or_a_data_error(tmp_path, mask, table):
    for folder in (tmp_path / "a", tmp_path / "masks" / "a"):
        folder.mkdir(parents=True, exist_ok=True)
    (tmp_path / "a" / "0.png").write_bytes(WHOLE[0])
    (tmp_path / "masks" / "a" / "0.png").write_bytes(mask)
    (tmp_path / "masks" / "values.csv").unlink(missing_ok=True)
    if table is not None:
        (tmp_path / "masks" / "values.csv").write_bytes(table)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*no mask holds")
            found = datasets.load(f"folder:{tmp_path}").load_masks(24)
    except datasets.DatasetError as error:
        assert str(tmp_path) in str(error)
    else:
        assert set(np.unique(found)) <= {0, 1, 2}


TABLES = [b"image,group\na/0.png,P1\na/1.png,P2\n", "image;group\r\na/0.png;Ä\r\n".encode("utf-16")]


@pytest.mark.filterwarnings("ignore:.*groups that differ only in case")
@bounded
@given(content=st.one_of(damaged(TABLES), st.binary(max_size=120), st.text(max_size=120).map(str.encode)))
def test_any_table_of_groups_is_a_dataset_or_a_data_error(tmp_path, content):
    (tmp_path / "a").mkdir(exist_ok=True)
    for k in range(2):
        (tmp_path / "a" / f"{k}.png").write_bytes(WHOLE[k])
    (tmp_path / "groups.csv").write_bytes(content)
    try:
        found = datasets.load(f"folder:{tmp_path}")
    except datasets.DatasetError as error:
        assert str(error)
    else:
        assert found.frame["group"].ne("").all()


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=True) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | st.integers(), inner, max_size=3),
    max_leaves=8,
)
contents = st.fixed_dictionaries(
    {},
    optional={
        "notebooks": st.dictionaries(st.sampled_from(["00-start-here", "no"]), values, max_size=2) | values,
        "parameters": st.dictionaries(st.sampled_from(["dataset", "seed", "x"]), values, max_size=2) | values,
        "grid": st.dictionaries(st.sampled_from(["dataset", "seed", "x"]), values, max_size=2) | values,
        "timeout_s": values,
        "report_metrics": values,
    },
)


@bounded
@given(text=contents.map(yaml.safe_dump) | st.text(max_size=80) | values.map(yaml.safe_dump))
def test_any_profile_is_read_or_refused(tmp_path, text):
    path = tmp_path / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        found = profiles.read_profile(path)
    except profiles.ProfileError as error:
        assert "any.yaml" in str(error)
    else:
        assert set(found.notebooks) <= {"00-start-here"}
        assert (CHECKOUT / "notebooks" / "00-start-here.ipynb").exists()


MEASURED = {"value": 0.8, "low": 0.7, "high": 0.9, "interval": "95 %", "n": 9, "groups": 3}
CARD = {
    "purpose": "teaching", "model_type": "cnn", "network": "encoder", "classes": ["ill", "well"], "positive": "ill",
    "threshold": 0.3, "sensitivity_wanted": 0.9, "sensitivity_expected": 0.8, "sensitivity_assurance": 0.4,
    "size": 32, "input": {"dtype": "uint8", "low": 0.0, "high": 255.0, "mean": [1, 2, 3]},
    "data": {"name": "drawn", "title": "Drawn", "sha256": "0" * 64}, "split": "by patient", "findings": [], "seed": 0,
    "split_sizes": {name: {"images": 9, "groups": 3} for name in ("train", "validation", "test")}, "epochs_run": 1,
    "test": {"AUC": MEASURED}, "config": {"epochs": 1}, "versions": {"keras": "3"}, "sha256": "",
}  # fmt: skip
cards_of_any_kind = st.tuples(
    st.dictionaries(st.sampled_from(sorted(CARD)), values, max_size=3),
    st.sets(st.sampled_from(sorted(CARD)), max_size=2),
)


def written(change):
    return json.dumps({key: value for key, value in {**CARD, **change[0]}.items() if key not in change[1]})


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The file of a small model of two classes of images, and its SHA-256, which stands in its card."""
    from helpers.backend import keras

    path = tmp_path_factory.mktemp("model") / "m.keras"
    inputs = keras.Input((32, 32, 3))
    keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(inputs))).save(path)
    CARD["sha256"] = loading.file_digest(path)
    return path


@bounded
@given(content=cards_of_any_kind | st.text(max_size=60) | values.map(json.dumps))
def test_any_card_is_loaded_or_refused(tmp_path, model, content):
    path = tmp_path / "m.keras"
    path.write_bytes(model.read_bytes())
    text = content if isinstance(content, str) else written(content)
    path.with_suffix(".json").write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        _, found = prediction.load(path)
    except (model_card.CardError, loading.ModelError) as error:
        assert str(tmp_path) in str(error)
        assert "\n" not in str(error)
    else:
        assert found.positive in found.classes  # null only with threshold and sensitivities, four changes at once
        assert 0 <= found.threshold <= 1


@settings(bounded, max_examples=60)
@given(
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6), kept=st.floats(0, 1) | st.just(1.0)
)
def test_any_model_file_is_loaded_or_refused(tmp_path, model, changes, kept):
    content, path = bytearray(model.read_bytes()), tmp_path / "m.keras"
    for place, value in changes:
        content[int(place * (len(content) - 1))] = value
    path.write_bytes(content[: int(kept * len(content))])
    try:
        found = loading.load_model_file(path)
    except loading.ModelError as error:
        assert "m.keras" in str(error)
    else:
        assert found.output_shape == (None, 2)


def test_a_model_file_that_holds_code_is_refused(tmp_path):
    """A Lambda layer is code; Keras would run it when the model is called."""
    from helpers.backend import keras

    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x + 1)(inputs))
    model.save(tmp_path / "code.keras")
    with pytest.raises(loading.ModelError, match=r"code\.keras"):
        loading.load_model_file(tmp_path / "code.keras")


def test_no_file_of_this_package_loads_pickles_or_unsafe_yaml():
    for path in (CHECKOUT / "helpers").rglob("*.py"):
        text = path.read_text()
        for unsafe in ("pickle.load", "yaml.load(", "allow_pickle=True", "shell=True", "eval("):
            assert unsafe not in text.replace("literal_eval(", ""), f"{path.name}: {unsafe}"
