"""Where pixels of rows come from: files, boxes in files, an array, a generator; and sizes that need no pixel."""

import numpy as np
import pandas as pd
import pytest
from factories import class_folder, picture, save, truncate
from PIL import Image

from helpers import datasets, images
from helpers.datasets.readers import ArrayReader, CropReader


def boxed(root, right=30, bottom=25, mask=False):
    """A dataset of one 40×48 file and a box in it."""
    save(root / "field.png", picture(1))
    if mask:
        save(root / "mask.png", np.arange(40 * 48, dtype=np.uint8).reshape(40, 48) % 3)
    row = {
        "image_id": "cell", "path": "field.png", "mask_path": "mask.png" if mask else "", "label": "a", "group": "cell",
        "dataset": "test", "left": 10, "top": 5, "right": right, "bottom": bottom,
    }  # fmt: skip
    frame = pd.DataFrame([row]).set_index("image_id")
    card = datasets.SOURCES["bccd"].card
    return datasets.Dataset("boxed", frame, ("a",), card, CropReader(root), has_masks=mask)


@pytest.fixture
def undecoded(monkeypatch):
    """Makes every decoding of pixels a failure."""

    def decode(*_, **__):
        raise AssertionError("a picture was decoded")

    monkeypatch.setattr(images, "read_image", decode)
    monkeypatch.setattr("helpers.datasets.synthetic.reader.SyntheticReader._cached", decode)


def test_sizes_are_those_of_the_decoded_images_and_nothing_is_decoded(tmp_path, request):
    orientation = Image.Exif()
    orientation[0x0112] = 6
    save(tmp_path / "a" / "turned.jpg", picture(1), exif=orientation)
    save(tmp_path / "a" / "turned.tif", picture(2), exif=orientation)
    for k, suffix in enumerate(("bmp", "gif", "jp2", "jpg", "png", "tif", "webp")):
        save(tmp_path / "b" / f"{k}.{suffix}", picture(k + 3, 40 + k, 60 - k))
    dataset = datasets.load(f"folder:{tmp_path}")
    decoded = {image_id: dataset.load_image(image_id).shape[:2] for image_id in dataset.frame.index}
    request.getfixturevalue("undecoded")
    assert dict(zip(decoded, dataset.image_sizes().itertuples(index=False, name=None), strict=True)) == decoded
    assert decoded["a/turned.jpg"] == decoded["a/turned.tif"] == (48, 40)


def test_synthetic_sizes_need_no_rendering(undecoded):
    sizes = datasets.load("synthetic", n_images=6, n_patients=3, size=40).image_sizes()
    assert sizes.index[0] == "synthetic-00000"
    assert (sizes == 40).all(axis=None)


def test_sizes_of_files_with_unreadable_headers_name_them_all(tmp_path):
    class_folder(tmp_path)
    dataset = datasets.load(f"folder:{tmp_path}")
    for name in ("blast/0.png", "healthy/2.png"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(datasets.DatasetError, match="2 of 6 images cannot be read") as caught:
        dataset.image_sizes()
    assert [line.partition(":")[0] for line in caught.value.problems] == [
        f"{tmp_path / 'blast/0.png'}", f"{tmp_path / 'healthy/2.png'}"
    ]  # fmt: skip


def test_a_box_is_cut_from_its_image_and_its_mask(tmp_path):
    dataset = boxed(tmp_path, mask=True)
    assert np.array_equal(dataset.load_image("cell"), picture(1)[5:25, 10:30])
    assert np.array_equal(dataset.load_mask("cell"), (np.arange(40 * 48).reshape(40, 48) % 256 % 3)[5:25, 10:30])
    assert dataset.image_sizes().loc["cell"].tolist() == [20, 20]
    assert dataset.find_problems(decode=True) == {}


@pytest.mark.parametrize(("right", "bottom"), [(48, 40), (49, 40), (48, 41)])
def test_a_box_beyond_its_image_is_a_problem(tmp_path, right, bottom):
    problems = boxed(tmp_path, right, bottom).find_problems()
    if (right, bottom) == (48, 40):
        assert problems == {}
    else:
        assert f"48×40 pixels, too small for the box that ends at {right}, {bottom}" in problems["cell"]


def test_an_array_gives_copies_of_its_slices():
    reader = ArrayReader(np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3))
    row = pd.Series({"array_index": 1})
    assert reader.image_size(row) == (3, 4)
    reader.read(row, None)[:] = 0
    assert np.array_equal(reader.read(row, None), reader.array[1])
    assert reader.array[1].any()


def test_rows_are_mapped_in_the_order_of_the_table_and_errors_are_collected(tmp_path):
    class_folder(tmp_path, classes=("blast",), each=40)
    dataset = datasets.load(f"folder:{tmp_path}")
    ids = dataset.frame.index[::-1]
    assert list(dataset.select(ids).map_rows(lambda row: row.image_id, "naming")) == ids.tolist()
    for name in ("blast/3.png", "blast/17.png"):
        truncate(tmp_path / name)
    results = dataset.map_rows(lambda row: dataset.reader.read(row, None).shape, "reading")
    with pytest.raises(datasets.DatasetError, match="2 of 40 images cannot be read") as caught:
        list(results)
    assert len(caught.value.problems) == 2
    assert "blast/17.png: truncated" in caught.value.problems[0]


def test_an_error_that_is_not_of_an_image_is_not_collected(tmp_path):
    class_folder(tmp_path)
    with pytest.raises(ZeroDivisionError):
        list(datasets.load(f"folder:{tmp_path}").map_rows(lambda row: 1 / 0, "dividing"))
