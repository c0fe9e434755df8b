"""How many pairs of the same cell are found, and what else is called one.

    LEUKOBOOK_DATA=… python benchmarks/duplicates.py     # a minute on 2 cores

Known are, in synthetic cells, the copies that were planted: turned or mirrored, with new noise, every second one cut
out anew, up to a tenth larger and shifted. In sets of blood they are the pairs that the loader joins; somebody looked
at each of them, but at no others, so that a pair which is found and not known is not necessarily wrong.
"""

import time
from typing import Any

import pandas as pd

from helpers import datasets, processes, splits
from helpers.splits import near_duplicates

SETS: dict[str, tuple[str, dict[str, Any], str]] = {
    "synthetic, 30 % copies": ("synthetic", {"n_images": 400, "n_patients": 40, "duplicate_rate": 0.3}, "cell"),
    "synthetic, no copy": ("synthetic", {"n_images": 400, "n_patients": 40}, "cell"),
    "wbc1": ("wbc1", {}, "group"),
    "wbc2": ("wbc2", {}, "group"),
    "bccd, fields": ("bccd", {"whole_fields": True}, "group"),
}


def pairs_within(column: pd.Series) -> set[tuple[str, str]]:
    """All pairs of ids with the same value, in the order of the ids."""
    return {(a, b) for _, ids in column.groupby(column) for a in ids.index for b in ids.index if a < b}


def main() -> None:
    print("| set | images | known pairs | found | of them known | recall | precision | seconds |\n|---|" + "---:|" * 7)
    for name, (dataset, options, column) in SETS.items():
        try:
            data = datasets.load(dataset, **options)
        except datasets.DatasetError:
            print(f"| {name} | not here |" + " |" * 6)
            continue
        known, start = pairs_within(data.frame[column]), time.perf_counter()
        table = splits.find_near_duplicates(data)
        seconds = time.perf_counter() - start
        pairs = {tuple(sorted(pair)) for pair in zip(table["image_a"], table["image_b"], strict=True)}
        both = len(pairs & known)
        shares = (f"{both / n:.2f}" if n else "" for n in (len(known), len(pairs)))
        print(f"| {name} | {len(data)} | {len(known)} | {len(pairs)} | {both} | {' | '.join(shares)} | {seconds:.1f} |")
    proposed()


def proposed() -> None:
    """How far apart known pairs and the others are that a finder proposes, on planted copies."""
    data = datasets.load("synthetic", n_images=400, n_patients=40, duplicate_rate=0.3)
    known = pairs_within(data.frame["cell"])
    everything = splits.find_near_duplicates(data, threshold=-1.0)
    pair = [tuple(sorted(p)) in known for p in zip(everything["image_a"], everything["image_b"], strict=True)]
    measured = everything.assign(known=pair).groupby("known")["similarity"].agg(["size", "min", "max"])
    print(f"\nSimilarity of all pairs that are proposed, {near_duplicates.SIDE} px:\n{measured.to_string()}")


if __name__ == "__main__":
    processes.configure()
    main()
