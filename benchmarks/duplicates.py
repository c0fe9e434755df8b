"""How many pairs of the same cell are found, what else is called one, and how the time grows.

    LEUKOBOOK_DATA=… python benchmarks/duplicates.py     # five minutes on 2 cores

Known are the copies that are planted: in synthetic cells by the generator, among blood cells of PBC and whole fields of
BCCD by ``planted_copies.py``. In wbc1, wbc2 and BCCD itself they are the pairs that the loader joins; somebody looked
at each of them, but at no others, so that a pair which is found and not known is not necessarily wrong. The time is
measured on tiles of the fields of BCCD, all of them different.
"""

import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

os.environ["TQDM_DISABLE"] = "1"

import numpy as np
import pandas as pd
from PIL import Image
from planted_copies import copies_of, turned_onto_black

from helpers import datasets, processes, splits
from helpers.datasets import Dataset
from helpers.splits import near_duplicates

Pairs = set[tuple[str, str]]
SEED, N_COPIED, TILE = 20, 100, 96  # side of a tile in pixels of a field
SIZES = (1_000, 3_000, 10_000)


def pairs_within(column: pd.Series) -> Pairs:
    """All pairs of ids with the same value, in the order of the ids."""
    return {(a, b) for _, ids in column.groupby(column) for a in ids.index for b in ids.index if a < b}


def stored(name: str, column: str, **options: object) -> tuple[Dataset, Pairs]:
    data = datasets.load(name, **options)
    return data, pairs_within(data.frame[column])


def planted(name: str, folder: Path, kinds: Callable[..., dict[str, np.ndarray]], **options: object):
    """Lay one image per group into a folder, with copies of the first."""
    data, random = datasets.load(name, **options), np.random.default_rng(SEED)
    ids = data.frame.drop_duplicates("group").index
    (folder / "cells").mkdir()
    for number, image_id in enumerate(ids):
        picture = data.load_image(image_id)
        copies = kinds(picture, random) if number < N_COPIED else {}
        for kind, copy in {"original": picture, **copies}.items():
            Image.fromarray(copy).save(folder / "cells" / f"{number:04d}-{kind}.png")
    laid = datasets.load(f"folder:{folder}")
    return laid, pairs_within(laid.frame.index.to_series().str.split("-").str[0])


def main() -> None:
    print("| set | images | known pairs | found | of them known | recall | precision | seconds |\n|---|" + "---:|" * 7)
    with tempfile.TemporaryDirectory() as cells, tempfile.TemporaryDirectory() as fields:
        sets = {
            "synthetic, 30 % copies": lambda: stored(
                "synthetic", "cell", n_images=400, n_patients=40, duplicate_rate=0.3
            ),
            "synthetic, no copy": lambda: stored("synthetic", "cell", n_images=400, n_patients=40),
            "wbc1": lambda: stored("wbc1", "group"),
            "wbc2": lambda: stored("wbc2", "group"),
            "bccd, fields": lambda: stored("bccd", "group", whole_fields=True),
            "pbc, turned, cropped, blurred, zoomed": lambda: planted("pbc", Path(cells), copies_of),
            "bccd, fields turned and sheared": lambda: planted(
                "bccd", Path(fields), lambda *of: {"turned": turned_onto_black(*of)}, whole_fields=True
            ),
        }
        for name, load in sets.items():
            measure(name, *load())
    proposed()
    growth()


def measure(name: str, data: Dataset, known: Pairs) -> None:
    start = time.perf_counter()
    table = splits.find_near_duplicates(data)
    seconds = time.perf_counter() - start
    pairs = {tuple(sorted(pair)) for pair in zip(table["image_a"], table["image_b"], strict=True)}
    both = len(pairs & known)
    shares = (f"{both / n:.2f}" if n else "" for n in (len(known), len(pairs)))
    print(f"| {name} | {len(data)} | {len(known)} | {len(pairs)} | {both} | {' | '.join(shares)} | {seconds:.1f} |")


def proposed() -> None:
    """How far apart known pairs and the others are that a finder proposes, on planted copies."""
    data, known = stored("synthetic", "cell", n_images=400, n_patients=40, duplicate_rate=0.3)
    everything = splits.find_near_duplicates(data, threshold=-1.0)
    pair = [tuple(sorted(p)) in known for p in zip(everything["image_a"], everything["image_b"], strict=True)]
    measured = everything.assign(known=pair).groupby("known")["similarity"].agg(["size", "min", "max"])
    print(f"\nSimilarity of all pairs that are proposed, {near_duplicates.SIDE} px:\n{measured.to_string()}")


def growth() -> None:
    """Seconds for more and more tiles of fields, and the exponent between the sizes."""
    fields = datasets.load("bccd", whole_fields=True)
    with tempfile.TemporaryDirectory() as folder:
        cells = Path(folder) / "cells"
        cells.mkdir()
        tiles = (tile for image_id in fields.frame.index for tile in tiles_of(fields.load_image(image_id)))
        for number, tile in zip(range(max(SIZES)), tiles, strict=False):
            Image.fromarray(tile).save(cells / f"{number:05d}.png", compress_level=0)
        everything = datasets.load(f"folder:{folder}")
        seconds = []
        for n in SIZES:
            start = time.perf_counter()
            splits.find_near_duplicates(everything.select(everything.frame.index[:n]))
            seconds.append(time.perf_counter() - start)
    exponent = np.polyfit(np.log(SIZES), np.log(seconds), 1)[0]
    print(f"\nSeconds for {SIZES} images: {[round(s, 1) for s in seconds]}; they grow as n to the {exponent:.2f}")


def tiles_of(field: np.ndarray) -> list[np.ndarray]:
    height, width = (side // TILE * TILE for side in field.shape[:2])
    return [
        field[top : top + TILE, left : left + TILE] for top in range(0, height, TILE) for left in range(0, width, TILE)
    ]


if __name__ == "__main__":
    processes.configure()
    warnings.filterwarnings("ignore", message=".*fewer than 10 keypoints")
    main()
