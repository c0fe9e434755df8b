"""Your own folders: copies, layouts, what is left out, and names of every spelling and encoding."""

import os
import shutil
import unicodedata
import warnings
from pathlib import Path

import numpy as np
import pytest
from factories import class_folder, picture, save, write
from PIL import Image
from typer.testing import CliRunner

from helpers import datasets, prediction, segmentation, splits
from helpers.cli import app
from helpers.datasets import DatasetError, find_images, listing, load
from helpers.errors import LeukobookError
from helpers.reports import cards


def ids_of(dataset):
    return dataset.frame.index.tolist()


# --- copies


def test_copies_share_a_group_so_that_no_fold_separates_them(tmp_path):
    cells = class_folder(tmp_path, each=10)
    for k in range(5):
        shutil.copy(cells / "blast" / f"{k}.png", cells / "blast" / f"copy-{k}.bmp")
    with pytest.warns(UserWarning, match="10 of 25 images are copies of one another, byte for byte") as caught:
        frame = load(f"folder:{cells}").frame
    assert "- blast/0.png = blast/copy-0.bmp" in str(caught[0].message)
    for k in range(5):
        both = [f"blast/{k}.png", f"blast/copy-{k}.bmp"]
        assert frame.loc[both, "group"].tolist() == ["+".join(both)] * 2
    assert frame["group"].nunique() == 20
    for seed in range(5):
        fold = splits.group_folds(frame, 5, seed)
        assert all(fold[f"blast/{k}.png"] == fold[f"blast/copy-{k}.bmp"] for k in range(5))


def test_copies_join_the_groups_of_their_patients(tmp_path):
    cells = class_folder(tmp_path, each=3)
    for one, other in (("0", "1"), ("1", "2")):
        shutil.copy(cells / "blast" / f"{one}.png", cells / "blast" / f"{other}.png")
    shutil.copy(cells / "blast" / "0.png", cells / "blast" / "2.png")
    groups = [f"blast/{k}.png,P{k}\n" for k in range(3)] + [f"healthy/{k}.png,P{k + 2}\n" for k in range(3)]
    write(cells / "groups.csv", "image,group\n" + "".join(groups))
    with pytest.warns(UserWarning, match=r"3 of 6 images[^\n]*\n  - blast/0.png = blast/1.png = blast/2.png$"):
        frame = load(f"folder:{cells}").frame
    assert frame["group"].tolist() == ["P0+P1+P2"] * 3 + ["P0+P1+P2", "P3", "P4"]


def test_one_image_in_two_classes_is_refused_with_its_pair(tmp_path):
    cells = class_folder(tmp_path)
    shutil.copy(cells / "blast" / "0.png", cells / "healthy" / "another.png")
    with pytest.raises(DatasetError, match="1 images lie in two classes; keep each in the right one only") as caught:
        load(f"folder:{cells}")
    assert caught.value.problems == ["blast/0.png = healthy/another.png"]


def test_damaged_files_that_are_alike_are_damaged_not_copies(tmp_path):
    cells = class_folder(tmp_path)
    for label in ("blast", "healthy"):
        (cells / label / "0.png").write_bytes(b"")
        (cells / label / "1.png").write_bytes(b"<html>404</html>")
    with pytest.raises(DatasetError, match="4 of 6 images cannot be used"):
        load(f"folder:{cells}")


def test_images_of_the_same_size_in_bytes_are_not_copies(tmp_path):
    for k in range(6):
        save(tmp_path / "ab"[k % 2] / f"{k}.bmp", picture(k))
    assert len({path.stat().st_size for path in tmp_path.rglob("*.bmp")}) == 1
    assert load(f"folder:{tmp_path}").frame["group"].nunique() == 6


def test_the_same_pixels_in_other_files_are_found_by_a_check(tmp_path):
    cells = class_folder(tmp_path)
    save(cells / "healthy" / "again.bmp", picture(1))
    bytes_alike = np.arange(108, dtype=np.uint8)  # of other shapes
    save(cells / "healthy" / "wide.bmp", bytes_alike.reshape(4, 9, 3))
    save(cells / "healthy" / "high.png", bytes_alike.reshape(9, 4, 3))
    with pytest.warns(
        UserWarning, match=r"2 of 9 images show the same pixels[^\n]*\n  - healthy/1.png = healthy/again.bmp$"
    ):
        datasets.validate(f"folder:{cells}")
    groups = [
        f"{k},{k.removesuffix('again.bmp') + '1.png' if 'again' in k else k}" for k in ids_of(load(f"folder:{cells}"))
    ]
    write(cells / "groups.csv", "image,group\n" + "\n".join(groups))
    assert len(datasets.validate(f"folder:{cells}")) == 9


# --- files that count


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".jp2", ".jfif", ".JPG", ".TIFF", ".dat", ""])
def test_an_image_is_read_whatever_its_suffix(tmp_path, suffix):
    class_folder(tmp_path, each=1)
    kind = {".gif": "GIF", ".webp": "WEBP", ".jp2": "JPEG2000", ".dat": "PNG", "": "PNG", ".TIFF": "TIFF"}.get(suffix)
    save(tmp_path / "blast" / f"other{suffix}", picture(99), format=kind or "JPEG")
    dataset = load(f"folder:{tmp_path}")
    assert ids_of(dataset) == ["blast/0.png", f"blast/other{suffix}", "healthy/0.png"]
    assert dataset.load_image(f"blast/other{suffix}").shape == (40, 48, 3)


def test_pipes_and_broken_links_are_left_out_and_named(tmp_path):
    class_folder(tmp_path)
    os.mkfifo(tmp_path / "blast" / "pipe.png")
    (tmp_path / "blast" / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "blast" / "self.png").symlink_to("self.png")
    with pytest.warns(UserWarning, match=r"left out other files \(3 .png\)"):
        assert len(load(f"folder:{tmp_path}")) == 6


def test_a_class_of_other_files_says_which_there_are(tmp_path):
    class_folder(tmp_path)
    for k in range(3):
        write(tmp_path / "slides" / f"{k}.svs", "a whole slide")
    with pytest.raises(DatasetError, match=r"slides: no image here but 3 .svs; an empty class cannot be learnt"):
        load(f"folder:{tmp_path}")


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    class_folder(tmp_path)
    monkeypatch.setattr(listing, "MAX_FILES", 6)
    assert len(load(f"folder:{tmp_path}")) == 6
    monkeypatch.setattr(listing, "MAX_FILES", 5)
    with pytest.raises(DatasetError, match="more than 5 files; give the folder of one dataset"):
        load(f"folder:{tmp_path}")


# --- layouts


def laid_out(root, names):
    for k, name in enumerate(names):
        save(root / name, picture(k))
    return root


PATIENTS = ("blast/P1/0.png", "blast/P1/1.png", "blast/P2/0.png", "healthy/P3/0.png", "healthy/P4/0.png")
SPLITS = ("test/blast/0.png", "test/healthy/0.png", "train/blast/0.png", "train/healthy/0.png")


def test_the_layout_names_the_patients(tmp_path):
    dataset = load(f"folder:{laid_out(tmp_path, PATIENTS)}", layout="class/patient")
    assert ids_of(dataset) == list(PATIENTS)
    assert dataset.frame["label"].tolist() == ["blast"] * 3 + ["healthy"] * 2
    assert dataset.frame["group"].tolist() == ["P1", "P1", "P2", "P3", "P4"]
    turned = load(f"folder:{laid_out(tmp_path / 'turned', ('P1/blast/0.png', 'P1/healthy/1.png', 'P2/blast/2.png'))}",
                  layout="patient/class")  # fmt: skip
    assert turned.frame["group"].tolist() == ["P1", "P1", "P2"]
    assert turned.frame["label"].tolist() == ["blast", "healthy", "blast"]


def test_the_layout_keeps_the_published_split(tmp_path):
    dataset = load(f"folder:{laid_out(tmp_path, SPLITS)}", layout=" Split/Class/ ")
    assert dataset.frame["split"].tolist() == ["test", "test", "train", "train"]
    assert dataset.frame["group"].tolist() == list(SPLITS)
    deep = laid_out(tmp_path / "deep", ("train/blast/P1/0.png", "test/healthy/P2/0.png"))
    frame = load(f"folder:{deep}", layout="split/class/patient").frame
    assert frame[["split", "label", "group"]].to_numpy().tolist() == [
        ["test", "healthy", "P2"],
        ["train", "blast", "P1"],
    ]


def test_the_layout_is_an_option_by_dataset_and_part_of_the_fingerprint(tmp_path):
    name = f"folder:{laid_out(tmp_path, PATIENTS)}"
    relative = f"folder:{os.path.relpath(tmp_path)}"
    options = datasets.dataset_options(name, {relative: {"layout": "class/patient"}, "synthetic": {"n": 1}})
    assert options == {"layout": "class/patient"}
    with pytest.warns(UserWarning, match="exchanged"):
        one, other = load(name, **options), load(name, layout="patient/class")
    assert one.options == {"layout": "class/patient"}
    assert one.fingerprint() == load(name, **options).fingerprint() != other.fingerprint()
    assert load(f"folder:{class_folder(tmp_path / 'plain')}").options == {}


@pytest.mark.parametrize(
    ("names", "layout", "remedy", "problem"),
    [
        (PATIENTS, "class", "such as layout='class/patient' or 'patient/class'", "blast/P1: 2 images"),
        (SPLITS, "class", "layout='split/class'", "test/blast: 1 images"),
        (("blast/0.png", "blast/1.png", "healthy/P1/0.png"), "class/patient", "move or remove them", "blast: 2 images"),
        (("a/0.png", "b/0.png", "b/masks/0.png"), "class", "move or remove them", "b/masks: 1 images"),
        (("a/b/c/d/0.png",), "class", "at most 3 levels", "a/b/c/d: 1 images"),
    ],
)  # fmt: skip
def test_images_outside_the_layout_are_refused_with_counts_and_the_option(tmp_path, names, layout, remedy, problem):
    with pytest.raises(DatasetError, match=f"images lie where layout='{layout}' does not look") as caught:
        load(f"folder:{laid_out(tmp_path, names)}", layout=layout)
    assert remedy in str(caught.value)
    assert problem in caught.value.problems


@pytest.mark.parametrize("layout", ["", "patient", "class/class", "class/slide", 3, True, None])
def test_a_layout_that_does_not_exist_is_refused(tmp_path, layout):
    with pytest.raises(DatasetError, match="not what each level of folders is; write class, class/patient, "):
        load(f"folder:{class_folder(tmp_path)}", layout=layout)


def test_a_layout_with_patients_refuses_a_table_of_groups_and_patients_that_are_not_known(tmp_path):
    laid_out(tmp_path, PATIENTS)
    write(tmp_path / "groups.csv", "image,group\n")
    with pytest.raises(DatasetError, match="the layout names the patients too"):
        load(f"folder:{tmp_path}", layout="class/patient")
    (tmp_path / "groups.csv").unlink()
    (tmp_path / "healthy" / "P4").rename(tmp_path / "healthy" / "unknown")
    with pytest.raises(DatasetError, match="images without a group"):
        load(f"folder:{tmp_path}", layout="class/patient")


# --- names


@pytest.mark.parametrize("name", ["Masks", "MASKS", "masks"])
def test_masks_are_found_whatever_their_case(tmp_path, name):
    save(tmp_path / "blast" / "A.png")
    save(tmp_path / "healthy" / "b.jpg")
    mask = np.zeros((40, 48), np.uint8)
    mask[8:22, 8:22], mask[10:20, 10:20] = 1, 2
    save(tmp_path / name / "Blast" / "a.PNG", mask)
    save(tmp_path / name / "B.png", mask)
    dataset = load(f"folder:{tmp_path}")
    assert dataset.classes == ("blast", "healthy")
    assert dataset.frame["mask_path"].tolist() == [f"{name}/Blast/a.PNG", f"{name}/B.png"]
    assert (dataset.load_mask("blast/A.png") == mask).all()


def test_two_folders_of_masks_are_refused(tmp_path):
    class_folder(tmp_path)
    (tmp_path / "Masks").mkdir()
    (tmp_path / "masks").mkdir()
    with pytest.raises(DatasetError, match="differ in case or space only; keep one"):
        load(f"folder:{tmp_path}")


def test_classes_that_differ_only_in_case_are_refused(tmp_path):
    laid_out(tmp_path, ("train/Blast/0.png", "test/blast/0.png", "test/healthy/0.png"))
    with pytest.raises(DatasetError, match=r"give one class one name\n  - 'Blast' and 'blast'"):
        load(f"folder:{tmp_path}", layout="split/class")


def test_names_are_matched_in_one_unicode_form(tmp_path):
    name = "Bl\u00e4sten"
    save(tmp_path / unicodedata.normalize("NFD", name) / unicodedata.normalize("NFD", "\u00e4.png"))
    save(tmp_path / "gesund" / "b.png", picture(1))
    write(tmp_path / "groups.csv", f"image,group\n{name}/\u00e4.png,P1\ngesund/b.png,P2\n")
    dataset = load(f"folder:{tmp_path}")
    assert ids_of(dataset) == [f"{name}/\u00e4.png", "gesund/b.png"]
    assert dataset.classes == (name, "gesund")
    assert dataset.frame["group"].tolist() == ["P1", "P2"]
    assert dataset.load_image(f"{name}/\u00e4.png").shape == (40, 48, 3)


@pytest.mark.parametrize("name", [b"bl\xe4st/0.png", b"blast/\xe4.png"])
def test_names_that_are_not_utf_8_are_refused_and_escaped(tmp_path, name):
    class_folder(tmp_path)
    path = os.fsencode(tmp_path) + b"/" + name
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
    shutil.copy(tmp_path / "blast" / "0.png", path)
    with pytest.raises(DatasetError, match="names that are not UTF-8; rename them") as caught:
        load(f"folder:{tmp_path}")
    assert r"\xe4" in str(caught.value).encode().decode()


@pytest.mark.parametrize(
    "name", ["folder:", "folder: ", "folder:\0", "folder:~nobody-of-this-name/cells", "folder:" + "x" * 5000]
)
def test_a_folder_whose_path_is_none_is_refused(name):
    with pytest.raises(DatasetError, match=r"names no folder|not a path that can be read|cannot be read"):
        load(name)


def test_a_loop_of_links_ends(tmp_path):
    class_folder(tmp_path)
    (tmp_path / "blast" / "again").symlink_to(tmp_path)
    assert len(load(f"folder:{tmp_path}")) == 6
    assert len(find_images(tmp_path)) == 6


# --- one class, and the commands for a folder


def test_one_class_only_is_refused_where_two_are_needed(tmp_path):
    dataset = load(f"folder:{class_folder(tmp_path, ['blast'])}")
    message = "all 3 images are of one class, blast; add a folder"
    with pytest.raises(DatasetError, match=message):
        datasets.refuse_single_class(dataset.name, dataset.frame)
    with pytest.raises(DatasetError, match=message):
        dataset.one_vs_rest("blast", "others")
    two = load(f"folder:{class_folder(tmp_path / 'two')}", layout="class")
    datasets.refuse_single_class(two.name, two.frame)


def test_a_folder_is_not_fetched_but_checked(tmp_path):
    name = f"folder:{class_folder(tmp_path)}"
    with pytest.raises(
        DatasetError, match="your own images are not fetched; check them with: python -m helpers data check folder:"
    ):
        datasets.fetch(name)
    assert len(datasets.validate(name)) == 6
    (tmp_path / "blast" / "0.png").write_bytes((tmp_path / "blast" / "0.png").read_bytes()[:2000])
    with pytest.raises(DatasetError, match="1 of 6 images are damaged; mend or remove them"):
        datasets.validate(name)


def test_the_datasheet_of_a_folder_says_that_nobody_has_looked(tmp_path):
    text = cards.datasheet(load(f"folder:{class_folder(tmp_path)}"))
    assert "- not checked for known issues" in text
    assert "none is known" not in text


# --- images to predict


def test_images_are_found_in_folders_of_folders(tmp_path):
    laid_out(tmp_path, PATIENTS)
    save(tmp_path / "last.gif")
    for name in ("masks/blast/0.png", "blast/Masks/0.png", "out/0.mask.png", ".hidden/0.png", "__MACOSX/0.png"):
        save(tmp_path / name)
    write(tmp_path / "notes.txt", "mine")
    with pytest.warns(UserWarning, match="left out") as caught:
        found = find_images(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [*PATIENTS, "last.gif", "out/0.mask.png"]
    assert str(caught[0].message) == (
        f"{tmp_path}: left out other files (1 .txt) and folders called masks (2)\n"
        f"  - notes.txt\n  - masks\n  - {Path('blast/Masks')}"
    )
    assert find_images(tmp_path / "last.gif") == [tmp_path / "last.gif"]


def test_what_is_no_image_is_counted_by_suffix(tmp_path):
    save(tmp_path / "cell.png")
    for name in ("a.dcm", "b.DCM", "deeper/c.dcm", "slide.svs", "README"):
        write(tmp_path / name, "no image")
    with pytest.warns(UserWarning, match=r"left out other files \(3 \.dcm, 1 \.svs, 1 without suffix\)\n  - README\n"):
        assert find_images(tmp_path) == [tmp_path / "cell.png"]
    (tmp_path / "cell.png").unlink()
    with pytest.raises(DatasetError, match=r"no image here nor.*; there are other files \(3 \.dcm, 1 \.svs, 1 without"):
        find_images(tmp_path)


@pytest.mark.parametrize("command", ["predict", "segment"])
def test_commands_on_images_tell_what_they_leave_out(tmp_path, monkeypatch, command):
    save(tmp_path / "cells" / "cell.png")
    save(tmp_path / "cells" / "masks" / "cell.png")
    write(tmp_path / "cells" / "slide.svs", "a slide")
    applied = []

    def end(paths, *_, **__):
        applied.extend(paths)
        raise LeukobookError("enough")

    monkeypatch.setattr(segmentation, "load_model", lambda path: None)
    monkeypatch.setattr(prediction, "load", lambda path: (None, {}))
    monkeypatch.setattr(segmentation, "segment", end)
    monkeypatch.setattr(prediction, "predict", end)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = CliRunner().invoke(app, [command, str(tmp_path / "cells"), "--model", "m.keras"])
    assert "cells: left out other files (1 .svs) and folders called masks (1)" in done.stderr
    assert applied == [tmp_path / "cells" / "cell.png"]


def test_a_folder_without_an_image_says_so(tmp_path):
    write(tmp_path / "deeper" / "notes.txt", "mine")
    with pytest.raises(DatasetError, match="no image here nor in the folders below") as caught:
        find_images(tmp_path)
    assert "class" not in str(caught.value).replace(str(tmp_path), "")
    with pytest.raises(DatasetError, match="no such folder"):
        find_images(tmp_path / "gone")


def test_folders_beyond_the_depth_are_refused(tmp_path):
    save(tmp_path.joinpath(*"abcdefgh") / "0.png")
    assert len(find_images(tmp_path)) == 1
    save(tmp_path.joinpath(*"abcdefghi") / "0.png")
    with pytest.raises(DatasetError, match="more than 8 folders deep"):
        find_images(tmp_path)


def test_a_gif_keeps_its_pixels(tmp_path):
    flat = np.zeros((12, 14, 3), np.uint8)
    flat[3:9, 4:10] = (120, 60, 160)
    path = tmp_path / "a" / "cell.gif"
    path.parent.mkdir()
    Image.fromarray(flat).convert("P", palette=Image.Palette.ADAPTIVE).save(path)
    assert np.array_equal(load(f"folder:{tmp_path}").load_image("a/cell.gif"), flat)


def test_levels_that_look_exchanged_are_a_warning(tmp_path):
    laid_out(tmp_path, [f"{label}/P{n}/{n}.png" for n in range(6) for label in ("blast", "healthy")])
    assert load(f"folder:{tmp_path}", layout="class/patient").classes == ("blast", "healthy")
    with pytest.warns(UserWarning, match="6 classes and 2 patients; are they exchanged in layout=patient/class"):
        load(f"folder:{tmp_path}", layout="patient/class")


def test_classes_that_are_called_like_parts_of_a_split_are_a_warning(tmp_path):
    laid_out(tmp_path, ("Train/0.png", "Train/1.png", "test/2.png"))
    with pytest.warns(UserWarning, match=r"(?s)called like parts of a split; is layout=class right.*Train\n  - test"):
        load(f"folder:{tmp_path}")


def test_a_check_names_what_is_damaged_behind_the_header_too(tmp_path):
    cells = class_folder(tmp_path)
    (cells / "blast" / "0.png").write_bytes(b"")
    whole = (cells / "healthy" / "0.png").read_bytes()
    (cells / "healthy" / "0.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DatasetError, match="2 of 6 images are damaged") as caught:
        datasets.validate(f"folder:{cells}")
    assert ["blast/0.png" in problem or "healthy/0.png" in problem for problem in caught.value.problems] == [True, True]
