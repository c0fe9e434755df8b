"""One bad input: how it is made, what is typed, and what must be said."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

READ, REFUSED, USAGE = 0, 1, 2


@dataclass(frozen=True)
class Case:
    """``make(place)`` writes the input below an empty folder and gives back the words of the command.

    ``says`` are pieces of what the command must print, in any order, whatever their case.
    """

    name: str
    make: Callable[[Path], list[str]]
    says: tuple[str, ...] = ()
    code: int = REFUSED


def picture(seed: int, height: int = 40, width: int = 36) -> np.ndarray:
    """Noise, ``uint8 (height, width, 3)``; every seed another picture."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def encoded(kind: str, image: Image.Image | None = None, **options) -> bytes:
    """A picture as the bytes of a file."""
    buffer = io.BytesIO()
    (image or Image.fromarray(picture(999))).save(buffer, kind, **options)
    return buffer.getvalue()


def cells(place: Path, classes: tuple[str, ...] = ("blast", "normal"), patients: int = 6, each: int = 2) -> Path:
    """A sound folder of cells with its ``groups.csv``: every patient has ``each`` cells, all of one class."""
    root, lines, number = place / "cells", ["image,group"], 0
    for patient in range(patients):
        label = classes[patient % len(classes)]
        (root / label).mkdir(parents=True, exist_ok=True)
        for _ in range(each):
            name = f"{label}/{number}.png"
            Image.fromarray(picture(number)).save(root / name)
            lines.append(f"{name},P{patient}")
            number += 1
    (root / "groups.csv").write_text("\n".join(lines) + "\n")
    return root


def check(root: Path, *options: str) -> list[str]:
    """The command that decodes every image of a folder."""
    words = [word for option in options for word in ("--dataset-option", option)]
    return ["data", "check", f"folder:{root}", *words]


def fifo(path: Path) -> None:
    """A pipe at which a reader waits for ever."""
    os.mkfifo(path)


def loop(path: Path) -> None:
    """A link that leads back to itself."""
    path.symlink_to(path.name)


def folder(path: Path) -> None:
    """A folder where a file is wanted."""
    path.mkdir()


def endless(path: Path) -> None:
    """A device that never ends."""
    path.symlink_to("/dev/zero")


def sparse(path: Path, size: int = 3 * 2**30) -> None:
    """A file of that many zeros, which take no room on the disk."""
    with path.open("wb") as file:
        file.truncate(size)
