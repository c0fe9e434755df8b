"""Files that were found in order are not checked again until one of them changes."""

import os
import shutil

import pytest
from factories import cell_folder
from PIL import Image

from helpers import datasets
from helpers.datasets import DatasetError, verified
from helpers.datasets.readers import FileReader


@pytest.fixture
def checked(tmp_path, monkeypatch):
    """The names of all images whose headers are read; every folder is large, and its files have settled."""
    names, check = [], FileReader.check
    monkeypatch.setattr(verified, "MIN_IMAGES", 1)
    monkeypatch.setattr(verified, "SETTLED", -60.0)
    monkeypatch.setattr(verified, "folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(FileReader, "check", lambda self, row: names.append(row.image_id) or check(self, row))
    return names


@pytest.fixture
def root(tmp_path):
    return cell_folder(tmp_path / "cells", ("a", "b"), 3)


def load(root, **options):
    return datasets.load(f"folder:{root}", **options)


def test_an_unchanged_folder_is_read_from_its_table_alone(root, checked):
    first = load(root)
    assert sorted(checked) == sorted(first.frame.index)
    checked.clear()
    again = load(root)
    assert again.frame.equals(first.frame)
    assert checked == []


def test_copies_are_grouped_without_reading_them_again(root, checked, monkeypatch):
    shutil.copy(root / "a" / "0000.png", root / "a" / "copy.png")
    with pytest.warns(UserWarning, match="2 of 7 images are copies"):
        first = load(root)
    monkeypatch.setattr(datasets.copies, "find_exact_copies", lambda *_: pytest.fail("files were compared again"))
    with pytest.warns(UserWarning, match="2 of 7 images are copies"):
        assert load(root).frame.equals(first.frame)


def test_a_changed_file_is_found_though_size_and_time_are_as_before(root, checked):
    load(root)
    path, before = root / "b" / "0001.png", (root / "b" / "0001.png").stat()
    path.write_bytes(b"x" * before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DatasetError, match="1 of 6 images cannot be used"):
        load(root)
    with pytest.raises(DatasetError, match="1 of 6 images cannot be used"):  # problems are not kept
        load(root)


@pytest.mark.parametrize("change", ["new", "removed", "renamed"])
def test_another_list_of_files_is_checked_whole(root, checked, change):
    load(root)
    checked.clear()
    if change == "new":
        Image.new("RGB", (50, 50)).save(root / "a" / "new.png")
    elif change == "removed":
        (root / "a" / "0000.png").unlink()
    else:
        (root / "a" / "0000.png").rename(root / "b" / "0000.png")
    assert len(load(root)) == len(checked) == {"new": 7, "removed": 5, "renamed": 6}[change]


def test_files_that_have_just_changed_and_small_folders_are_checked_every_time(root, checked, monkeypatch):
    monkeypatch.setattr(verified, "SETTLED", 60.0)
    load(root), load(root)
    assert len(checked) == 12
    monkeypatch.setattr(verified, "SETTLED", -60.0)
    monkeypatch.setattr(verified, "MIN_IMAGES", 7)
    load(root), load(root)
    assert len(checked) == 24


def test_every_image_is_decoded_on_request(root, checked):
    load(root)
    checked.clear()
    path = root / "b" / "0001.png"
    assert len(load(root, on_error="skip")) == len(datasets.validate(f"folder:{root}")) == 6
    assert len(checked) == 12
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.warns(UserWarning, match="going on without 1 of 6"):
        load(root, on_error="skip")


def test_a_damaged_entry_and_a_cache_without_permission_cost_only_time(root, checked, tmp_path):
    load(root)
    (entry,) = (tmp_path / "cache").iterdir()
    entry.write_text("[[")
    checked.clear()
    load(root)
    assert len(checked) == 6
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").write_text("a file")
    assert len(load(root)) == 6


def test_the_oldest_entries_are_removed(root, checked, tmp_path, monkeypatch):
    monkeypatch.setattr(verified, "MAX_KEPT", 2)
    for number in range(4):
        Image.new("RGB", (50, 50), (number, 0, 0)).save(root / "a" / f"new-{number}.png")
        load(root)
    assert len(list((tmp_path / "cache").iterdir())) == 2
    checked.clear()
    load(root)
    assert checked == []


def test_clearing_the_cache_forgets_what_was_found(root, checked):
    load(root)
    checked.clear()
    verified.clear()
    load(root)
    assert len(checked) == 6
