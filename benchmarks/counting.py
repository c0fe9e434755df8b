"""Detectors of white blood cells in whole fields: trained here, tested there, and how fast they are.

    LEUKOBOOK_DATA=… python benchmarks/counting.py accuracy [folder]   # about 40 minutes on 2 cores
    LEUKOBOOK_DATA=… python benchmarks/counting.py speed DETECTOR.keras

``accuracy`` trains the same network on several sources, tests it on sources that it has not seen, and on BCCD also on
fields of other groups than those that it was trained on (five folds); thresholds come from validation fields of the
training sources. It prints a table and saves it with its provenance below ``book/results/``. Trainings are kept in the
folder, and resumed. ``speed`` compares with one call of ``predict`` for each tile, in turn.
"""

import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import pandas as pd

from helpers import datasets, processes, splits
from helpers.book import results
from helpers.counting import preparation
from helpers.counting.classical import detect_classical
from helpers.counting.detection import detect, detect_fields
from helpers.counting.network import UM_PER_PIXEL, decode_boxes
from helpers.counting.patches import Field, select_split
from helpers.counting.saving import load_detector
from helpers.counting.scale import annotated_scale
from helpers.counting.tiles import iter_tiles
from helpers.counting.training import fit_detector
from helpers.models import stride
from helpers.runs import provenance
from helpers.training import TrainingConfig

SEED, N_SPLITS = 20, 5
TRAININGS = {
    "synthetic": ["synthetic"],
    "synthetic, PBC": ["synthetic", "txl:pbc"],
    "synthetic, PBC, Raabin": ["synthetic", "txl:pbc", "txl:raabin"],
}
TESTS = {"synthetic (new)": "synthetic", "PBC": "txl:pbc", "Raabin": "txl:raabin", "BCCD": "bccd"}
ROUNDS = 3


def scores(trained: str, tested: str, detected: pd.DataFrame, fields: list[Field], threshold: float) -> list[dict]:
    """Rows of the table: each metric of one detector on one source."""
    rows = preparation.score_detections(detected, fields, threshold, SEED).to_dict("records")
    return [{"trained on": trained, "tested on": tested, **row} for row in rows]


def train(fields: list[Field], folder: Path):
    """Network and threshold of a training on fields."""
    split = preparation.split_fields(fields, SEED)
    config = TrainingConfig(epochs=preparation.EPOCHS, batch_size=16, seed=SEED)
    network, _ = fit_detector(fields, split, n_patches=preparation.N_PATCHES, config=config, checkpoint_dir=folder)
    return network, preparation.choose_threshold(network, select_split(fields, split, "validation"))


def compare(folder: Path) -> pd.DataFrame:
    seeds = {name: SEED + 1 if name == "synthetic (new)" else SEED for name in TESTS}
    tests = {name: preparation.load_annotated_fields(source, seeds[name]) for name, source in TESTS.items()}
    rows = []
    for name, fields in tests.items():
        tables = [detect_classical(field.image, UM_PER_PIXEL).assign(image_id=field.image_id) for field in fields]
        rows += scores("(threshold and watershed)", name, pd.concat(tables, ignore_index=True), fields, 0.0)
        show(rows)
    for trained, sources in TRAININGS.items():
        fields = [field for source in sources for field in preparation.load_annotated_fields(source, SEED)]
        network, threshold = train(fields, folder)
        for name, source in TESTS.items():
            if source not in sources or source == "synthetic":
                rows += scores(trained, name, detect_fields(network, tests[name]), tests[name], threshold)
        show(rows)
    rows += cross_validate(tests["BCCD"], folder)
    return pd.DataFrame(rows)


def cross_validate(fields: list[Field], folder: Path) -> list[dict]:
    """Train on four fifths of BCCD, with synthetic fields and txl, and test on the others, five times."""
    others = [
        field
        for source in TRAININGS["synthetic, PBC, Raabin"]
        for field in preparation.load_annotated_fields(source, SEED)
    ]
    frame = pd.DataFrame({"group": [field.group for field in fields], "label": "field"})
    folds = splits.group_folds(frame, N_SPLITS, SEED).to_numpy()
    detected = []
    for number in range(N_SPLITS):
        own = [field for field, fold in zip(fields, folds, strict=True) if fold != number]
        network, threshold = train([*others, *own], folder)
        tested = [field for field, fold in zip(fields, folds, strict=True) if fold == number]
        table = detect_fields(network, tested)
        # Scores of five networks are put on one scale, on which each threshold is 0.5.
        detected.append(table.assign(score=on_one_scale(table["score"], threshold)))
    return scores(
        "synthetic, PBC, Raabin, other fields of BCCD", "BCCD", pd.concat(detected, ignore_index=True), fields, 0.5
    )


def on_one_scale(score: pd.Series, threshold: float) -> pd.Series:
    """Move scores so that the threshold becomes 0.5, and 0 and 1 stay."""
    return pd.Series(np.interp(score, [0, threshold, 1], [0, 0.5, 1]), score.index)


def show(rows: list[dict]) -> None:
    table = pd.DataFrame(rows).round(3)
    wide = table.pivot_table(index=["trained on", "tested on"], columns="measure", values="value", sort=False)
    print(wide.to_string(), flush=True)


def tile_by_tile(network, images: list[np.ndarray], scale: float) -> int:
    """Number of cells, with one call of ``predict`` for each tile."""
    n = 0
    for image in images:
        for tile in iter_tiles(image, scale, stride(network)):
            boxes, _ = decode_boxes(network.predict(tile.canvas[None].astype(np.float32), verbose=0)[0], 0.5)
            n += int(tile.owns(tile.to_field(boxes)).sum())
    return n


def compare_speed(path: Path) -> None:
    network = load_detector(path).network
    data = datasets.load("bccd", whole_fields=True)
    rows = list(data.frame.itertuples())[:128]
    scale = float(annotated_scale(data).iloc[0])
    methods = {
        "files, read only": lambda: [data.reader.read(row, None) for row in rows],
        "files, detected together": lambda: detect(
            network, [data.reader.read(row, None) for row in rows], [scale] * len(rows)
        ),
        "files, predict tile by tile": lambda: tile_by_tile(
            network, [data.reader.read(row, None) for row in rows], scale
        ),
    }
    best = dict.fromkeys(methods, np.inf)
    for _ in range(ROUNDS + 1):  # the first traces the graphs
        for name, run in methods.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    for name, seconds in best.items():
        print(f"{name:28} {len(rows) / seconds:7.1f} fields/s")
    print(
        f"{'together / tile by tile':28} {best['files, predict tile by tile'] / best['files, detected together']:7.2f}"
    )


if __name__ == "__main__":
    processes.configure()
    if sys.argv[1:2] == ["speed"]:
        compare_speed(Path(sys.argv[2]))
        sys.exit()
    origin = provenance.current()
    place = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.mkdtemp(prefix="counting-"))
    compared = compare(place).round(4)
    print(compared.to_string(index=False))
    note = results.ResultNote(
        made_by="benchmarks/counting.py",
        command="python benchmarks/counting.py accuracy",
        parameters={"seed": SEED, "n_splits": N_SPLITS, "epochs": preparation.EPOCHS, "patches": preparation.N_PATCHES},
        data_sha256=datasets.load("bccd", whole_fields=True).fingerprint(),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        provenance=origin,
    )
    results.save_result("counting-detection", compared, note)
