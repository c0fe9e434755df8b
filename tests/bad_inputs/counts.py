"""Fields, detectors and tables that the commands on counts cannot use."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from disc_fields import disc_field
from PIL import Image

from bad_inputs.case import READ, Case, endless, folder, picture, sparse
from bad_inputs.models import TRAINED

Change = Callable[[Path], object]
COUNTS = "group,class,n,total,share\nP1,blast,40,100,0.4\nP1,normal,60,100,0.6\n"
REFERENCE = "group,class,n\nP1,blast,30\nP1,normal,70\n"


def count(change: Change, *words: str) -> Callable[[Path], list[str]]:
    """Two sound fields, a detector and a classifier; ``change`` gets the folder that holds all of them."""

    def make(place: Path) -> list[str]:
        for name in ("m.keras", "m.json", "discs.keras", "discs.json"):
            shutil.copy(TRAINED["folder"] / name, place)
        (place / "fields").mkdir()
        for number in range(2):
            field = disc_field([(100, 80), (300, 200 + number)])
            Image.fromarray(field).save(place / "fields" / f"{number}.png")
        change(place)
        models = ["--model", str(place / "m.keras"), "--detector", str(place / "discs.keras")]
        given = [str(place / word) if word.endswith(".csv") else word for word in words]
        return ["count", str(place / "fields"), *models, "--out", str(place / "counted"), *given]

    return make


def nothing(place: Path) -> None:
    """Change nothing."""


def detector(write: Change) -> Callable[[Path], list[str]]:
    def change(place: Path) -> None:
        (place / "discs.keras").unlink()
        write(place / "discs.keras")

    return count(change)


def note(**changes: object) -> Callable[[Path], list[str]]:
    def change(place: Path) -> None:
        path = place / "discs.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return count(change)


def table(option: str, text: str, *words: str) -> Callable[[Path], list[str]]:
    return count(lambda place: (place / "t.csv").write_text(text), option, "t.csv", *words)


def no_fields(place: Path) -> None:
    shutil.rmtree(place / "fields")
    (place / "fields").mkdir()


def empty_fields(place: Path) -> None:
    """Fields without red cells, so that their scale cannot be measured."""
    for number in range(2):
        Image.fromarray(250 - picture(number, 200, 200) // 32).save(place / "fields" / f"{number}.png")


def compare(counts: str, reference: str, out: str = "agreement.csv") -> Callable[[Path], list[str]]:
    def make(place: Path) -> list[str]:
        (place / "folder").mkdir()
        (place / "counts.csv").write_text(counts)
        (place / "reference.csv").write_text(reference)
        words = [str(place / name) for name in ("counts.csv", "reference.csv")]
        return ["compare-counts", *words, "--out", str(place / out)]

    return make


SCALE = ("--um-per-pixel", "0.25")
CASES = [
    Case("sound fields", count(nothing, *SCALE), ("4 white blood cells in 2 fields",), READ),
    Case("no field", count(no_fields, *SCALE), ("fields",)),
    Case("fields without a ruler", count(empty_fields), ("--um-per-pixel",)),
    Case("a scale of 0", count(nothing, "--um-per-pixel", "0"), ("0",)),
    Case("a scale that is no number", count(nothing, "--um-per-pixel", "nan"), ("nan",)),
    Case("a scale of a telescope", count(nothing, "--um-per-pixel", "1000"), ("1000",)),
    Case("no detector", detector(nothing), ("discs.keras", "no such file")),
    Case("a detector that is text", detector(lambda path: path.write_text("a detector")), ("discs.keras",)),
    Case("a detector that is a folder", detector(folder), ("discs.keras",)),
    Case("a detector that is a device", detector(endless), ("discs.keras",)),
    Case("a detector of 3 GiB of zeros", detector(sparse), ("discs.keras",)),
    Case("a classifier for a detector", detector(lambda path: shutil.copy(path.with_name("m.keras"), path)),
         ("discs",)),
    Case("a detector without its note", count(lambda place: (place / "discs.json").unlink()), ("discs.json",)),
    Case("a note that is a list", count(lambda place: (place / "discs.json").write_text("[1]")), ("discs.json",)),
    Case("a note with a threshold of 2", note(threshold=2.0), ("discs.json", "threshold")),
    Case("a note of another detector", note(sha256="0" * 64), ("discs.keras", "discs.json")),
    Case("groups without a field", table("--groups", "image,group\n0.png,P1\n", *SCALE), ("t.csv", "1.png")),
    Case("groups without a column", table("--groups", "image\n0.png\n", *SCALE), ("t.csv", "group")),
    Case("a validation without a class", table("--validation", "group,label,p_blast\nP1,blast,1\n", *SCALE),
         ("t.csv",)),
    Case("a validation with a probability of 2",
         table("--validation", "group,label,p_blast,p_normal\nP1,blast,2,0\n", *SCALE), ("t.csv", "line 2")),
    Case("corrections before a count", table("--correct", "image,cell,class\n0.png,0.png#1,blast\n"),
         ("cells.csv", "count the fields before")),
    Case("sound counts to compare", compare(COUNTS, REFERENCE), ("blast",), READ),
    Case("a person's counts of another group", compare(COUNTS, "group,class,n\nP2,blast,3\n"), ("reference.csv", "P2")),
    Case("a person's counts with half a cell", compare(COUNTS, "group,class,n\nP1,blast,1.5\n"), ("line 2",)),
    Case("a person's counts that are empty", compare(COUNTS, ""), ("reference.csv",)),
    Case("a person's counts with a header only", compare(COUNTS, "group,class,n\n"), ("reference.csv",)),
    Case("counts that are empty", compare("", REFERENCE), ("counts.csv",)),
    Case("a comparison to be written over a folder", compare("", REFERENCE, "folder"), ("folder", "name of a file")),
]  # fmt: skip
