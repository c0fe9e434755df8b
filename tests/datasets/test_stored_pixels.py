"""Large arrays are decoded once into a file, resume after an interruption, and leave room for one another."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from factories import cell_folder, picture
from PIL import Image
from typer.testing import CliRunner

from helpers import datasets, files, outputs
from helpers.cli import app
from helpers.datasets import DatasetError, pixels


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Every array is large; the files lie in an empty folder."""
    monkeypatch.setattr(pixels, "MIN_BYTES", 1)
    monkeypatch.setattr(pixels, "folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def cells(tmp_path):
    return datasets.load(f"folder:{cell_folder(tmp_path / 'cells', ('a', 'b'), 6)}")


@pytest.fixture
def reads(monkeypatch):
    """The names of all images that are decoded."""
    names, read = [], datasets.readers.FileReader.read
    monkeypatch.setattr(
        datasets.readers.FileReader,
        "read",
        lambda self, row, min_size: names.append(row.image_id) or read(self, row, min_size),
    )
    return names


def stored(cache):
    return sorted(path.suffix for path in cache.iterdir())


def test_a_large_array_is_mapped_and_has_the_pixels_of_a_small_one(cells, cache, monkeypatch):
    mapped = cells.load_images(32)
    monkeypatch.setattr(pixels, "MIN_BYTES", 2**40)
    small = cells.load_images(32)
    assert isinstance(mapped, np.memmap)
    assert not isinstance(small, np.memmap)
    np.testing.assert_array_equal(mapped, small)


def test_a_second_load_decodes_nothing(cells, cache, reads):
    first = cells.load_images(32)
    assert len(reads) == 12
    again = datasets.load(cells.name).load_images(32)
    assert len(reads) == 12
    np.testing.assert_array_equal(first, again)


def test_what_is_written_to_an_array_does_not_reach_the_file(cells, cache):
    cells.load_images(32)[:] = 0
    assert cells.load_images(32).max() > 0


def test_other_content_size_or_order_is_another_file_and_other_labels_are_not(cells, cache, reads):
    cells.load_images(32)
    cells.load_images(16)
    cells.select(cells.frame.index[::-1]).load_images(32)
    Image.fromarray(picture(5)).save(cells.reader.root / cells.frame["path"].iloc[0])
    cells.load_images(32)
    assert len(cache_files(cache)) == 4
    assert len(reads) == 48
    cells.drop_classes([]).one_vs_rest("a", "rest").load_images(32)
    assert len(reads) == 48


def cache_files(cache):
    return [path for path in cache.iterdir() if path.suffix == ".npy"]


def test_an_interrupted_decoding_goes_on_where_it_was(cells, cache, reads, monkeypatch):
    monkeypatch.setattr(pixels, "_FLUSHED", 4)
    expected = np.array(cells.load_images(32))
    (whole,) = cache_files(cache)
    whole.unlink()
    reads.clear()
    read = datasets.Dataset.map_rows

    def stops(self, function, description):
        for number, one in enumerate(read(self, function, description)):
            if number == 6 and description == "images":
                raise KeyboardInterrupt
            yield one

    monkeypatch.setattr(datasets.Dataset, "map_rows", stops)
    with pytest.raises(KeyboardInterrupt):
        cells.load_images(32)
    assert stored(cache) == ["", ".part", ".rows"]
    monkeypatch.setattr(datasets.Dataset, "map_rows", read)
    reads.clear()
    np.testing.assert_array_equal(cells.load_images(32), expected)
    assert sorted(reads) == sorted(cells.frame.index[4:])
    assert stored(cache) == ["", ".npy"]


def test_damaged_images_are_all_named_and_no_file_is_left_that_passes_for_whole(cells, cache):
    for path in cells.frame["path"].iloc[[2, 7]]:
        (cells.reader.root / path).write_bytes(b"no image")
    with pytest.raises(DatasetError, match="2 of 12 images cannot be read"):
        cells.load_images(32)
    assert cache_files(cache) == []


def test_files_that_were_not_used_for_longest_give_way(cells, cache, monkeypatch):
    oldest, second = (cells.select(cells.frame.index[rows]).load_images(32) for rows in (slice(0, 4), slice(4, 8)))
    one = Path(oldest.filename).stat().st_size
    for age, array in ((100, oldest), (50, second)):
        os.utime(array.filename, (1_000_000 - age, 1_000_000 - age))
    monkeypatch.setattr(pixels, "MAX_BYTES", 2 * one + 1)
    third = cells.select(cells.frame.index[8:]).load_images(32)
    assert {path.name for path in cache_files(cache)} == {Path(array.filename).name for array in (second, third)}
    assert oldest.max() > 0  # a process that has mapped the file keeps it


def test_a_use_makes_a_file_the_last_to_go(cells, cache):
    first = cells.load_images(32)
    os.utime(first.filename, (1, 1))
    os.utime(cells.load_images(16).filename, (2, 2))
    cells.load_images(32)
    assert [path.name for path, _ in pixels.cached_files()][-1] == Path(first.filename).name


def test_a_full_disk_is_said_before_an_image_is_decoded(cells, cache, reads, monkeypatch):
    monkeypatch.setattr(pixels, "MAX_BYTES", 2**62)
    monkeypatch.setattr(outputs, "MIN_FREE", 2**60)
    with pytest.raises(outputs.OutputError, match="are free on this disk"):
        cells.load_images(32)
    assert reads == []


def test_the_command_lists_and_clears_the_files(cells, cache):
    run = CliRunner().invoke
    assert f"{cache}: 0 files, 0.00 of 64 GiB" in run(app, ["cache", "list"]).output
    cells.load_images(512)
    listed = run(app, ["cache", "list"]).output.splitlines()
    assert re.search(r"0\.01 GiB  last used \d{4}-\d\d-\d\d \d\d:\d\d UTC  [0-9a-f]{32}\.npy$", listed[0])
    assert listed[1] == f"{cache}: 1 files, 0.01 of 64 GiB"
    assert run(app, ["cache", "clear"]).output == f"{cache}: 0.01 GiB removed\n"
    assert cache_files(cache) == []


def test_files_are_not_cleared_while_images_are_decoded(cells, cache):
    cells.load_images(32)
    with files.locked(cache / "lock", wait=False), pytest.raises(files.LockedError, match="another process works here"):
        pixels.clear()
    assert len(cache_files(cache)) == 1


def test_masks_are_mapped_too(cache):
    cells = datasets.load("synthetic", n_images=6, n_patients=3, size=64)
    masks = cells.load_masks(32)
    assert isinstance(masks, np.memmap)
    assert masks.shape == (6, 32, 32)
    assert set(np.unique(masks)) == {0, 1, 2}
    assert not np.array_equal(masks, cells.load_images(32)[..., 0])
