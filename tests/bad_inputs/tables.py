"""Masks, tables of groups and folders of classes that cannot be used, or that must be read although they look odd."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from bad_inputs.archives import lying
from bad_inputs.case import (
    READ,
    Case,
    cells,
    check,
    encoded,
    endless,
    fifo,
    folder,
    loop,
    picture,
    sparse,
)


def masked(paint: Callable[[np.ndarray, int], Image.Image | np.ndarray]) -> Callable[[Path], list[str]]:
    """A sound folder with a mask beside every image: ``paint(labels 0, 1, 2; number of the image)`` makes them."""

    def make(place: Path) -> list[str]:
        root = cells(place)
        (root / "masks").mkdir()
        labels = np.zeros((40, 36), np.uint8)
        labels[8:30, 8:30], labels[12:22, 12:22] = 1, 2
        for number, path in enumerate(sorted(root.glob("[bn]*/*.png"))):
            mask = paint(labels.copy(), number)
            mask = mask if isinstance(mask, Image.Image) else Image.fromarray(mask)
            mask.save(root / "masks" / path.name)
        return check(root)

    return make


def palette(labels: np.ndarray, *colours: tuple[int, int, int]) -> Image.Image:
    mask = Image.fromarray(labels, "P") if False else Image.frombytes("P", labels.shape[::-1], labels.tobytes())
    mask.putpalette([value for colour in colours for value in colour])
    return mask


def with_one(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray, int], np.ndarray]:
    """The first mask is another, the rest are labels."""
    return lambda labels, number: change(labels) if number == 0 else labels


def with_three(labels: np.ndarray) -> np.ndarray:
    labels[0, 0] = 3
    return labels


def in_colours(labels: np.ndarray, _: int) -> np.ndarray:
    return np.array([(0, 0, 0), (0, 255, 0), (255, 0, 0)], np.uint8)[labels]


def in_masks(write: Callable[[Path], None]) -> Callable[[Path], list[str]]:
    """Masks of labels, one of which is another file."""

    def make(place: Path) -> list[str]:
        words = masked(lambda labels, _: labels)(place)
        path = place / "cells" / "masks" / "0.png"
        path.unlink()
        write(path)
        return words

    return make


MASKS = [
    Case("a mask of another size", masked(with_one(lambda labels: labels[:20])), ("0.png", "36×20")),
    Case("a mask of 16 bits", masked(with_one(lambda labels: labels.astype(np.uint16) * 300)), ("0.png", "8-bit")),
    Case("a mask with one pixel of 3", masked(with_one(with_three)), ("0.png", "3")),
    Case("a mask of many values", masked(with_one(lambda labels: picture(1)[..., 0])), ("0.png",)),
    Case("masks in colours", masked(in_colours), (".png", "#ff0000")),
    Case("a mask that is missing", in_masks(lambda path: None), ("0.png", "no mask")),
    Case("a mask that is empty", in_masks(lambda path: path.write_bytes(b"")), ("0.png", "empty")),
    Case("a mask that is text", in_masks(lambda path: path.write_bytes(b"x")), ("0.png",)),
    Case("a mask that is a pipe", in_masks(fifo), ("0.png",)),
    Case("a mask that is a folder", in_masks(folder), ("0.png",)),
    Case("a mask of a palette", masked(lambda labels, _: palette(labels, (255, 255, 255), (0, 200, 0), (90, 0, 90))),
         ("12 images",), READ),
    Case("masks of 0, 127 and 255", masked(lambda labels, _: np.array([0, 127, 255], np.uint8)[labels]),
         ("12 images",), READ),
]  # fmt: skip


def table(text: str | bytes, name: str = "groups.csv") -> Callable[[Path], list[str]]:
    """A sound folder whose table of groups is another."""

    def make(place: Path) -> list[str]:
        root = cells(place)
        (root / "groups.csv").unlink()
        (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return check(root)

    return make


def more_than_it_says(name: str) -> Callable[[Path], list[str]]:
    """A spreadsheet in which a member goes on with 900 MiB of zeros."""
    import openpyxl

    book, buffer = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["image", "group"])
    book.save(buffer)
    with zipfile.ZipFile(buffer) as archive:
        members = {own: archive.read(own) for own in archive.namelist()}
    return table(lying(members, name, 900), "groups.xlsx")


def rows(change: Callable[[list[str]], list[str]], joined: str = "\n", encoding: str = "utf-8") -> Callable:
    """A sound table whose lines are changed."""

    def make(place: Path) -> list[str]:
        path = cells(place) / "groups.csv"
        lines = path.read_text().splitlines()
        path.write_bytes((joined.join(change(lines)) + "\n").encode(encoding))
        return check(path.parent)

    return make


def group_of_first(group: str) -> Callable[[Path], list[str]]:
    return rows(lambda lines: [lines[0], f"blast/0.png,{group}", *lines[2:]])


def odd_table(write: Callable[[Path], None]) -> Callable[[Path], list[str]]:
    def make(place: Path) -> list[str]:
        path = cells(place) / "groups.csv"
        path.unlink()
        write(path)
        return check(path.parent)

    return make


def twice_named(place: Path) -> list[str]:
    """Bare file names, of which one stands for two images."""
    root = cells(place)
    (root / "normal" / "2.png").rename(root / "normal" / "0.png")
    names = sorted(path.relative_to(root) for path in root.glob("[bn]*/*.png"))
    (root / "groups.csv").write_text("image,group\n" + "".join(f"{p.name},P{k % 5}\n" for k, p in enumerate(names)))
    return check(root)


GROUPS = [
    *(Case(f"a group that is {group!r}", group_of_first(group), ("blast/0.png", "group"))
      for group in ("", " ", "\u00a0", "NA", "nan", "None", "n/a", "unknown")),
    Case("an image that stands twice", rows(lambda lines: [*lines, lines[1]]), ("blast/0.png", "more than once")),
    Case("an image of two patients", rows(lambda lines: [*lines, "blast/0.png,P9"]), ("blast/0.png",)),
    Case("a row without an image", rows(lambda lines: [*lines, "blast/99.png,P1"]), ("blast/99.png", "no such image")),
    Case("an image without a row", rows(lambda lines: lines[:-1]), ("groups.csv", "without a row")),
    Case("a table without a group", rows(lambda lines: ["image,patient", *lines[1:]]), ("groups.csv", "group")),
    Case("a table of one column", rows(lambda lines: [line.split(",")[0] for line in lines]), ("groups.csv", "group")),
    Case("a table with its header only", rows(lambda lines: lines[:1]), ("groups.csv",)),
    Case("an empty table", table(""), ("groups.csv",)),
    Case("a table of bytes", table(bytes(range(256)) * 9), ("groups.csv",)),
    Case("a table with NUL", rows(lambda lines: [lines[0], "blast/0.png,P\0", *lines[2:]]), ("groups.csv",)),
    Case("a quote that never ends", rows(lambda lines: [lines[0], 'blast/0.png,"P1', *lines[2:]]), ("groups.csv",)),
    Case("a cell too many", rows(lambda lines: [*lines[:3], lines[3] + ",x,y", *lines[4:]]), ("groups.csv", "4")),
    Case("a spreadsheet that is none", table(b"PK\3\4 no spreadsheet", "groups.xlsx"), ("groups.xlsx",)),
    *(Case(f"a spreadsheet whose {name} holds more than it says", more_than_it_says(name),
           ("groups.xlsx", name, "declares")) for name in ("[Content_Types].xml", "xl/worksheets/sheet1.xml")),
    Case("bare names that stand for two", twice_named, ("groups.csv", "0.png")),
    Case("a table that is a pipe", odd_table(fifo), ("groups.csv",)),
    Case("a table that is a folder", odd_table(folder), ("groups.csv",)),
    Case("a table that is a link to itself", odd_table(loop), ("groups.csv",)),
    Case("a table that is a device", odd_table(endless), ("groups.csv",)),
    Case("a table of 3 GiB", odd_table(sparse), ("groups.csv",)),
    Case("a field of 20 MB", rows(lambda lines: [lines[0], "blast/0.png," + "P" * 20_000_000, *lines[2:]]),
         ("groups.csv",)),
    Case("semicolons", rows(lambda lines: [line.replace(",", ";") for line in lines]), ("6 groups",), READ),
    Case("a byte order mark", rows(lambda lines: lines, encoding="utf-8-sig"), ("6 groups",), READ),
    Case("paths of Windows", rows(lambda lines: [line.replace("/", "\\") for line in lines], "\r\n"), ("6 groups",),
         READ),
    Case("bare file names", rows(lambda lines: [line.rpartition("/")[2] for line in lines]), ("6 groups",), READ),
    Case("a space behind a name", group_of_first("P0 "), ("6 groups",), READ),
    Case("another spelling of a name", group_of_first("p0"), ("p0", "P0"), READ),
    Case("numbers as a spreadsheet writes them", rows(
        lambda lines: [lines[0], "blast/0.png,0.0", *(line.replace("P", "") for line in lines[2:])]), ("0.0",), READ),
]  # fmt: skip


def of_folder(change: Callable[[Path], None], *options: str) -> Callable[[Path], list[str]]:
    """A sound folder without groups that is changed."""

    def make(place: Path) -> list[str]:
        root = cells(place)
        (root / "groups.csv").unlink()
        change(root)
        return check(root, *options)

    return make


def emptied(root: Path) -> None:
    shutil.rmtree(root)
    root.mkdir()


def classless(root: Path) -> None:
    emptied(root)
    (root / "0.png").write_bytes(encoded("PNG"))


def without_images(root: Path) -> None:
    for path in (root / "blast").iterdir():
        path.unlink()


def in_two_classes(root: Path) -> None:
    shutil.copy(root / "blast" / "0.png", root / "normal" / "copy.png")


def by_patient(root: Path) -> None:
    for label in ("blast", "normal"):
        (root / label / "P1").mkdir()
        for path in (root / label).glob("*.png"):
            path.rename(root / label / "P1" / path.name)


def by_split(root: Path) -> None:
    for label in ("blast", "normal"):
        (root / "train").mkdir(exist_ok=True)
        (root / label).rename(root / "train" / label)


def not_utf8(root: Path) -> None:
    name = os.fsencode(root / "blast") + b"/\xff\xfe.png"
    with open(name, "wb") as file:  # noqa: PTH123 - a Path cannot hold these bytes
        file.write(b"no image")


def another(root: Path) -> None:
    (root / "blast" / "notes.docx").write_bytes(b"PK")


FOLDERS = [
    Case("a folder that is not there", lambda place: check(place / "none"), ("none", "no such folder")),
    Case("a file where a folder is wanted", of_folder(lambda root: (shutil.rmtree(root), root.write_text("x"))),
         ("cells",)),
    Case("a link to itself for a folder", of_folder(lambda root: (shutil.rmtree(root), loop(root))), ("cells",)),
    Case("no name behind folder:", lambda place: ["data", "check", "folder:"], ("folder:",)),
    Case("the home of nobody", lambda place: ["data", "check", "folder:~nobody-of-this-name/x"], ("nobody-of",)),
    Case("a name of 5,000 letters", lambda place: ["data", "check", "folder:/" + "x" * 5000], ("name",)),
    Case("an empty folder", of_folder(emptied), ("cells", "subfolder")),
    Case("images without a class", of_folder(classless), ("cells", "class")),
    Case("a class without an image", of_folder(without_images), ("blast",)),
    Case("one picture in two classes", of_folder(in_two_classes), ("blast/0.png", "normal/copy.png")),
    Case("folders of patients in a class", of_folder(by_patient), ("layout",)),
    Case("train above the classes", of_folder(by_split), ("layout",)),
    Case("a name that is not UTF-8", of_folder(not_utf8), ("xff", "not UTF-8")),
    Case("a folder that leads into itself", of_folder(lambda root: (root / "blast" / "x").symlink_to(root)),
         ("12 images",), READ),
    Case("a name with a control character", of_folder(lambda root: (root / "blast").rename(root / "bl\x07ast")),
         ("control characters", r"bl\x07ast")),
    Case("another file among images", of_folder(another), ("12 images", "docx"), READ),
    Case("folders of an archive of a Mac", of_folder(lambda root: (root / "__MACOSX").mkdir()), ("12 images",), READ),
]  # fmt: skip


def typed(*words: str) -> Callable[[Path], list[str]]:
    return lambda place: list(words)


def of_cells(*words: str) -> Callable[[Path], list[str]]:
    """``{}`` in a word stands for a sound folder."""
    return lambda place: [word.replace("{}", str(cells(place))) for word in words]


OPTIONS = [
    Case("a dataset of no name", typed("data", "check", ""), ("no dataset",)),
    Case("a dataset that nobody knows", typed("data", "check", "wbc9"), ("wbc9", "wbc1")),
    Case("an address for a dataset", typed("data", "check", "https://example.org/x"), ("no dataset",)),
    Case("a folder to fetch", of_cells("data", "get", "folder:{}"), ("data check folder:",)),
    Case("an option that nobody knows", typed("data", "check", "synthetic", "--dataset-option", "speed=3"), ("speed",)),
    Case(
        "an option of a folder that nobody knows",
        of_cells("data", "check", "folder:{}", "--dataset-option", "speed=3"),
        ("speed", "layout"),
    ),
    Case("an option without a value", typed("data", "check", "synthetic", "--dataset-option", "n"), ("name=value",)),
    Case(
        "an option that is not YAML",
        typed("data", "check", "synthetic", "--dataset-option", "n_images=[1"),
        ("option n_images=[1", "line 1"),
    ),
    Case(
        "an option that stands twice",
        typed("data", "check", "synthetic", "--dataset-option", "n_images=9", "--dataset-option", "n_images=8"),
        ("option n", "twice"),
    ),
    Case(
        "an option of nested brackets",
        typed("data", "check", "synthetic", "--dataset-option", "n_images=" + "[" * 20_000),
        (),
    ),
    Case(
        "an option of 5,000 digits",
        typed("data", "check", "synthetic", "--dataset-option", "n_images=" + "9" * 5000),
        ("n_images=",),
    ),
    Case(
        "an option that is none of a dataset",
        typed("data", "check", "synthetic", "--dataset-option", "on_error=skip"),
        ("on_error", "--skip-unreadable"),
    ),
    Case(
        "a number that is a text", typed("data", "check", "synthetic", "--dataset-option", "n_images=many"), ("many",)
    ),
    Case("no cells at all", typed("data", "check", "synthetic", "--dataset-option", "n_images=0"), ("n",)),
    Case("fewer than no cells", typed("data", "check", "synthetic", "--dataset-option", "n_images=-3"), ("-3",)),
    Case("a part of a dataset that is none", typed("data", "check", "cnmc", "--dataset-option", "split=9"), ("9",)),
    Case("pixels that are none", typed("data", "check", "bloodmnist", "--dataset-option", "size=13"), ("13",)),
    Case("pixels that are a list", typed("data", "check", "bloodmnist", "--dataset-option", "size=[28]"), ("28",)),
    Case("a data root that is a file", lambda place: ["data", "check", "wbc1", "--root", str(place / "x")], ("wbc1",)),
]

CASES = [*MASKS, *GROUPS, *FOLDERS, *OPTIONS]
