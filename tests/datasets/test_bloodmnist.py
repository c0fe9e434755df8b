"""BloodMNIST files that are damaged or hostile: judged by what their headers declare, before an array is made."""

import os
import zipfile

import numpy as np
import pytest

from helpers import datasets
from helpers.datasets import DatasetError, load


@pytest.fixture
def path(tmp_path):
    """A good file of 16, 8 and 8 images; its folder is the dataset's below ``tmp_path``."""
    random, arrays = np.random.default_rng(0), {}
    for part, n in (("train", 16), ("val", 8), ("test", 8)):
        arrays[f"{part}_images"] = random.integers(0, 256, (n, 28, 28, 3), dtype=np.uint8)
        arrays[f"{part}_labels"] = (np.arange(n, dtype=np.uint8) % 8)[:, None]
    (tmp_path / "bloodmnist").mkdir()
    np.savez_compressed(tmp_path / "bloodmnist" / "bloodmnist.npz", **arrays)
    return tmp_path / "bloodmnist" / "bloodmnist.npz"


def npy(header, content=b"", version=1):
    """An array as a file, with a header of our own."""
    text = (header if isinstance(header, str) else repr(header)).encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(2 if version == 1 else 4, "little") + text + content


def header(shape, descr="|u1", order=False):
    return {"descr": descr, "fortran_order": order, "shape": shape}


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("train_images", npy(header((10**7, 28, 28, 3))), "16 labels for images"),
        ("train_images", npy(header((16, 10**6, 10**6, 3))), "16 labels for images"),
        ("train_images", npy(header((16, 28, 28, 3), [("a", "u1")])), "not a plain array by rows"),
        ("train_images", npy(header((16, 28, 28, 3), "|O"), b"cos\nsystem\n."), "not a plain array by rows"),
        ("train_images", npy(header((16, 28, 28, 3), order=True)), "not a plain array by rows"),
        ("train_images", npy(header((16, 28, 28, 3), "|V1000000000")), "16 labels for images"),
        ("train_images", npy(header((-16, 28, 28, 3))), "not a plain array by rows"),
        ("train_images", npy(header((16, 28, 28, 3)), bytes(16 * 28 * 28 * 3 + 1)), "goes on after its end"),
        ("train_images", npy(header((16, 28, 28, 3)), bytes(16 * 28 * 28 * 3 - 1)), "ends early"),
        ("train_images", npy("(" * 60_000), "not the BloodMNIST archive"),
        ("train_images", npy("(" * 9_000), "not the BloodMNIST archive"),
        ("train_images", npy("-" * 9_000 + "1"), "not the BloodMNIST archive"),
        ("train_images", npy("a" * (1 << 20), version=2), "headers are larger than any that images need"),
        ("train_images", npy(header((16, 28, 28, 3)), version=9), "has version"),
        ("train_labels", npy(header((10**9, 1))), "not up to 20,000 whole numbers"),
        ("train_labels", npy(header(())), "not up to 20,000 whole numbers"),
        ("train_labels", npy(header((16, 1), "<f8")), "not up to 20,000 whole numbers"),
        ("train_labels", npy(header((16, 1), "|S1000")), "not up to 20,000 whole numbers"),
        ("train_labels", npy(header((16, 1), "|O"), b"cos\nsystem\n."), "not a plain array by rows"),
    ],
)  # fmt: skip
def test_bloodmnist_arrays_are_judged_by_their_headers(tmp_path, path, name, content, complaint):
    with zipfile.ZipFile(path) as zipped:
        arrays = {member: zipped.read(member) for member in zipped.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for member, array in (arrays | {f"{name}.npy": content}).items():
            zipped.writestr(member, array)
    with pytest.raises(DatasetError, match=complaint) as caught:
        load("bloodmnist", tmp_path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(tmp_path)) + 300


def test_bloodmnist_of_too_many_images_is_refused(tmp_path, path, monkeypatch):
    monkeypatch.setattr(datasets.bloodmnist, "MAX_IMAGES", 31)
    with pytest.raises(DatasetError, match=r"bloodmnist\.npz: 32 images, more than 31; fetch it again"):
        load("bloodmnist", tmp_path)


@pytest.mark.parametrize(("kind", "name"), [("pipe", "a named pipe"), ("folder", "a folder")])
def test_what_is_not_a_file_is_not_read_as_bloodmnist(tmp_path, path, kind, name):
    path.unlink()
    os.mkfifo(path) if kind == "pipe" else path.mkdir()
    with pytest.raises(DatasetError, match=f"is {name}, not a file"):
        load("bloodmnist", tmp_path)
