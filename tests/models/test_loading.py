"""A model file is judged by what it declares; what is hostile or broken is refused at once, in little memory."""

import copy
import io
import json
import os
import subprocess
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest
from bad_inputs.archives import lying

from helpers import models
from helpers.models import loading
from helpers.project import CHECKOUT


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    """The three members of a good file, the configuration parsed."""
    path = tmp_path_factory.mktemp("model") / "m.keras"
    inputs = keras.Input((None, None, 3))
    keras.Model(inputs, keras.layers.Conv2D(3, 1, activation="softmax")(inputs)).save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return {**parts, "config.json": json.loads(parts["config.json"])}


def packed(path, members, **changed):
    names = {"config": "config.json", "metadata": "metadata.json", "weights": "model.weights.h5"}
    parts = {**members, **{names.get(name, name): content for name, content in changed.items()}}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, json.dumps(content) if isinstance(content, dict) else content)
    return path


def weights(fill):
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        fill(file)
    return content.getvalue()


def changed(members, change):
    config = copy.deepcopy(members["config.json"])
    change(config["config"]["layers"])
    return config


def nested(times):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.ReLU()(inputs))
    for _ in range(times):
        inputs = keras.Input((None, None, 3))
        model = keras.Model(inputs, model(model(inputs)))
    return json.loads(model.to_json())


def virtual(file):
    layout = h5py.VirtualLayout((9,), "u1")
    layout[:] = h5py.VirtualSource("other.h5", "x", (9,))
    file.create_virtual_dataset("x", layout)


VARS = "layers/conv2d/vars/0"
HOSTILE = {
    "much configuration": (lambda m: {"config": "[" + "0," * 2**21 + "0]"}, "config.json has 4 MiB unpacked, and may"),
    "deep configuration": (lambda m: {"config": "[" * 10**5 + "]" * 10**5}, "recursion"),
    "many members": (lambda m: {f"assets/{k}": b"" for k in range(2000)}, "2003 members or more"),
    "another member": (lambda m: {"metadata": m["metadata.json"], "config.json": b""}, "cannot be read"),
    "large weights": (lambda m: {"weights": bytes(129 * 2**20)}, "has 129 MiB unpacked, and may have 128 MiB"),
    "many parameters": (
        lambda m: {"config": changed(m, lambda layers: layers[1]["config"].update(filters=10**8))},
        r"need 1,600,000,000 bytes of parameters, and its weights file has 48",
    ),
    "doubled models": (lambda m: {"config": nested(10)}, r"5,\d+ calls of layers; the maximum is 2,000"),
    "many layers": (
        lambda m: {"config": changed(m, lambda layers: layers.extend(layers[1:] * 1000))},
        "1,003 layers; the maximum is 1,000",
    ),
    "code": (
        lambda m: {"config": changed(m, lambda layers: layers[1].update(class_name="Lambda"))},
        "keras.layers.Lambda is not an allowed layer",
    ),
    "another package": (
        lambda m: {"config": changed(m, lambda layers: layers[1].update(module="os"))},
        "os.Conv2D is not an allowed layer",
    ),
    "a link": (
        lambda m: {"weights": weights(lambda f: f.update({"x": h5py.ExternalLink("x.h5", "/")}))},
        "link",
    ),
    "another file": (
        lambda m: {"weights": weights(lambda f: f.create_dataset("x", (9,), "u1", external=[("/etc/passwd", 0, 9)]))},
        "the weights /x are not a plain array",
    ),
    "virtual weights": (lambda m: {"weights": weights(virtual)}, "the weights /x are not a plain array"),
    "packed weights": (
        lambda m: {"weights": weights(lambda f: f.create_dataset(VARS, (10**9,), "f4", chunks=(10**6,)))},
        f"the weights /{VARS} are not a plain array",
    ),
    "unwritten weights": (
        lambda m: {"weights": weights(lambda f: f.create_dataset(VARS, (10**9,), "f4"))},
        "declares more numbers than it holds",
    ),
    "a circle": (lambda m: {"weights": weights(lambda f: f.create_group("a").update({"b": f["/"]}))}, "too deep"),
    "many groups": (
        lambda m: {"weights": weights(lambda f: [f.create_group(str(k)) for k in range(10_001)])},
        "more than 10,000 arrays",
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_by_what_it_declares(tmp_path, members, kind):
    make, said = HOSTILE[kind]
    path = packed(tmp_path / "m.keras", members, **make(members))
    with pytest.raises(loading.ModelError, match=said) as refused:
        loading.load_model_file(path)
    assert str(refused.value).startswith(f"{path}: cannot be read as a Keras model (")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", loading.MEMBERS)
def test_a_member_that_holds_more_than_it_declares_is_refused(tmp_path, members, name):
    """Keras would unpack it as large as it is."""
    parts = {**members, "config.json": json.dumps(members["config.json"]).encode()}
    path = tmp_path / "m.keras"
    path.write_bytes(lying(parts, name, 1))
    with pytest.raises(loading.ModelError, match=rf"{name} does not hold the [\d,]+ bytes that it declares"):
        loading.load_model_file(path)


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_hostile_files_take_less_than_ten_seconds_and_one_and_a_half_gigabytes(tmp_path, members):
    for k, (make, _) in enumerate(HOSTILE.values()):
        packed(tmp_path / f"{k}.keras", members, **make(members))
    code = f"""
import pathlib, re, time
from helpers.models import loading
times = []
for path in sorted(pathlib.Path({str(tmp_path)!r}).iterdir()):
    start = time.process_time()
    try:
        loading.load_model_file(path)
    except loading.ModelError:
        times.append(time.process_time() - start)
# Not getrusage, which counts the process that has started this one, too.
peak = re.search("VmHWM:[^0-9]*([0-9]+)", pathlib.Path("/proc/self/status").read_text())[1]
print(len(times), max(times), int(peak) / 2**20)
"""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120)
    refused, seconds, gigabytes = map(float, done.stdout.split())
    assert refused == len(HOSTILE)
    assert seconds < 10
    assert gigabytes < 1.5


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(tmp_path, members, value):
    content = io.BytesIO(members["model.weights.h5"])
    with h5py.File(content, "r+") as file:
        file[VARS][0, 0, 0, 0] = value
    packed(tmp_path / "m.keras", members, weights=content.getvalue())
    with pytest.raises(loading.ModelError, match=f"its weights are not finite: /{VARS}; the training has failed"):
        loading.load_model_file(tmp_path / "m.keras")


def test_a_model_of_a_newer_keras_names_both_versions_and_the_remedy(tmp_path, members):
    newer = {**json.loads(members["metadata.json"]), "keras_version": "99.1.0"}
    unknown = changed(members, lambda layers: layers[1].update(class_name="NewConv"))
    path = packed(tmp_path / "m.keras", members, metadata=newer, config=unknown)
    said = f"Keras 99.1.0 has written it and Keras {keras.__version__} is installed: .*; install keras>=99.1.0"
    with pytest.raises(loading.ModelError, match=said):
        loading.load_model_file(path)
    packed(path, members, metadata=newer)  # what this Keras can read, it reads
    assert loading.load_model_file(path).output_shape == (None, None, None, 3)


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.keras")
    (tmp_path / "folder.keras").mkdir()
    (tmp_path / "loop.keras").symlink_to("loop.keras")
    (tmp_path / "m.h5").write_bytes(b"")
    with (tmp_path / "large.keras").open("wb") as file:
        file.truncate(161 * 2**20)
    for name, said in (
        ("pipe.keras", "is a named pipe; pass the .keras file itself"),
        ("folder.keras", "is a folder; pass the .keras file itself"),
        ("loop.keras", "is a loop of links; pass the .keras file itself"),
        ("none.keras", r"no model file can be read here \(No such file or directory\); check the path"),
        ("m.h5", "a model ends in .keras"),
        ("large.keras", "161 MiB; the maximum is 160 MiB"),
    ):
        with pytest.raises(loading.ModelError, match=f"{name}: {said}"):
            loading.load_model_file(tmp_path / name)


def test_a_model_of_the_other_kind_with_the_same_name_is_pointed_out(tmp_path):
    (tmp_path / "blast.features").write_text("{}")
    with pytest.raises(loading.ModelError, match=r"No such file or directory\); there is blast.features; pass it"):
        loading.require_file(tmp_path / "blast.keras", (".keras", ".features"))


@pytest.mark.parametrize(
    "build",
    [
        models.anna,
        models.schouten,
        lambda: models.unet_encoder_classifier(4),
        lambda: models.unet(4, depth=2, dropout=0.1),
    ],
)
def test_models_of_this_course_are_loaded_with_their_weights(tmp_path, build):
    model = build()
    model.save(tmp_path / "m.keras")
    again = loading.load_model_file(tmp_path / "m.keras")
    for saved, loaded in zip(model.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(saved, loaded)


def test_a_size_that_a_model_cannot_work_with_is_told_in_a_line(tmp_path):
    with pytest.raises(
        loading.ModelError, match=r"cannot work with images of 102×102 pixels, .*the size in its card"
    ) as told:
        loading.require_input(models.unet(4), tmp_path / "m.keras", 102)
    assert "\n" not in str(told.value)


def test_a_model_takes_the_images_of_its_card_and_makes_no_huge_arrays_of_them(tmp_path):
    path, inputs = tmp_path / "m.keras", keras.Input((None, None, 3))
    loading.require_input(models.schouten(), path, 257)
    with pytest.raises(
        loading.ModelError, match=r"takes \(None, 257, 257, 3\), but its card states RGB images of 64×64"
    ):
        loading.require_input(models.schouten(), path, 64)
    with pytest.raises(loading.ModelError, match=r"takes \(None, 2\), but its card states RGB images of 64×64 pixels"):
        loading.require_input(keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]), path, 64)
    huge = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(keras.layers.UpSampling2D(500)(inputs)))
    with pytest.raises(loading.ModelError, match=r"computes arrays of 3,072,000,000 values per image; the maximum is"):
        loading.require_input(huge, path, 64)


# Keras compiles without XLA, and says so, where another test has made operations deterministic.
@pytest.mark.filterwarnings("ignore:Model doesn't support `jit_compile=True`")
@pytest.mark.parametrize("jit_compile", [False, True])
def test_arrays_are_counted_with_and_without_xla(tmp_path, jit_compile):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(keras.layers.UpSampling2D(500)(inputs)))
    model.jit_compile = jit_compile
    with pytest.raises(loading.ModelError, match=r"computes arrays of 3,072,000,000 values per image"):
        loading.require_input(model, tmp_path / "m.keras", 64)


def test_the_graph_that_is_checked_is_the_one_that_predicts_an_image(tmp_path):
    path = tmp_path / "m.keras"
    models.schouten().save(path)
    image = np.random.default_rng(0).integers(0, 256, (1, 257, 257, 3), np.uint8)
    expected = keras.saving.load_model(path).predict_on_batch(image)
    model = loading.load_model_file(path)
    loading.require_input(model, path, 257)
    assert (model.predict_on_batch(keras.ops.convert_to_tensor(image)) == expected).all()
    assert model.predict_function.experimental_get_tracing_count() == 1
