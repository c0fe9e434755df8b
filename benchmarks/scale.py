"""Seconds and bytes per image as a class folder grows, and what they come to for a million images.

    LEUKOBOOK_DATA=… python benchmarks/scale.py [images …]

The images of PBC are laid into a class folder again and again under other names (hard links to one copy), so that every
file is listed, hashed and decoded; they stay in the page cache, so a slow disk adds to this.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

os.environ["TQDM_DISABLE"] = "1"

import pandas as pd

from helpers import datasets, processes

SIZES, SIDE, MILLION = (8_000, 80_000), 64, 1_000_000


def lay_out(folder: Path, n: int) -> None:
    """A class folder of ``n`` files."""
    source = datasets.load("pbc")
    originals = [Path(shutil.copy(datasets.data_root() / "pbc" / path, folder)) for path in source.frame["path"]]
    for label in source.classes:
        (folder / "cells" / label).mkdir(parents=True)
    for k in range(n):
        one = k % len(originals)
        os.link(originals[one], folder / "cells" / source.frame["label"].iloc[one] / f"{k}-{originals[one].name}")


def measure(n: int) -> dict[str, float]:
    """Seconds of every step, and bytes that stay in memory."""
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder), n)
        measured, begun = {}, time.perf_counter()

        def record(step: str) -> None:
            nonlocal begun
            measured[f"{step}, s"], begun = time.perf_counter() - begun, time.perf_counter()

        data = datasets.load(f"folder:{folder}/cells")
        record("list")
        data.fingerprint()
        record("fingerprint")
        pixels = data.load_images(SIDE)
        record(f"decode, resize to {SIDE}")
        measured["table, GiB"] = data.frame.memory_usage(deep=True).sum() / 2**30
        measured[f"pixels at {SIDE}, GiB"] = pixels.nbytes / 2**30
        measured["pixels at 224, GiB"] = n * 224 * 224 * 3 / 2**30
    return measured


if __name__ == "__main__":
    processes.configure()
    sizes = [int(word) for word in sys.argv[1:]] or SIZES
    table = pd.DataFrame({f"{n:,}": measure(n) for n in sizes})
    for n in sizes:
        table[f"a million, from {n:,}"] = table[f"{n:,}"] * MILLION / n
    print(table.round(2).to_string())
