"""How time and memory of every step grow with the number of images.

    LEUKOBOOK_DATA=… LEUKOBOOK_WEIGHTS=… python benchmarks/scale.py [images …] [step …]   # ten minutes on 2 cores

Without names of steps, such as "near-duplicates", all are measured. Steps on images use tiles of the fields of BCCD and
of the cells of PBC, all different: 18,120, or 102,160 smaller ones where more are wanted; steps on tables use drawn
predictions, and four times as many. Every image is its own group, the hardest case, but for *folds with groups* (ten
images each). Each step runs in a process of its own; what it needs is made before the clock starts. The exponent is the
slope of the logarithm of the seconds between the two largest sizes: 1 is a straight line.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

os.environ["TQDM_DISABLE"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import pandas as pd
from PIL import Image

from helpers import datasets, metrics, processes, splits
from helpers.datasets import verified

SIZES, MORE = (1_000, 4_000, 16_000), 4  # images, and how many times as many rows of tables
# Number of tiles: sides in pixels of BCCD and PBC. 30 of each of 364 fields and 9 of each of 800 cells, or 140 and 64.
TILES = {18_120: (96, 120), 102_160: (44, 44)}
SIDE, NETWORK, CLASSES = 64, "efficientnet-lite0", ("a", "b")
Run = Callable[[], object]


def tiles(sides: tuple[int, int]) -> Iterator[np.ndarray]:
    """Cut tiles from fields of BCCD and cells of PBC; no two overlap."""
    for data, side in zip((datasets.load("bccd", whole_fields=True), datasets.load("pbc")), sides, strict=True):
        for image_id in data.frame.index:
            picture = data.load_image(image_id)
            for top in range(0, picture.shape[0] - side + 1, side):
                for left in range(0, picture.shape[1] - side + 1, side):
                    yield picture[top : top + side, left : left + side]


def lay_out(folder: Path, sizes: list[int]) -> None:
    """Write a class folder of every size, of links to the same files."""
    (folder / "tiles").mkdir()
    n_tiles = min(number for number in TILES if number >= max(sizes))
    order = np.random.default_rng(0).permutation(n_tiles)  # so that every size has the same kinds of tiles
    for number, tile in zip(order, tiles(TILES[n_tiles]), strict=True):
        Image.fromarray(tile).save(folder / "tiles" / f"{number}.jpg", quality=90)
    for n in sizes:
        for label in CLASSES:
            (folder / str(n) / label).mkdir(parents=True)
        for number in range(n):
            os.link(folder / "tiles" / f"{number}.jpg", folder / str(n) / CLASSES[number % 2] / f"{number}.jpg")


def cells(n: int, folder: Path) -> datasets.Dataset:
    return datasets.load(f"folder:{folder / str(n)}")


def predictions(n: int) -> pd.DataFrame:
    random = np.random.default_rng(0)
    positive = random.random(n) < 0.3
    score = 1 / (1 + np.exp(-random.normal(positive * 1.0, 1)))
    names = pd.Index([f"image-{k}" for k in range(n)], name="image_id")
    frame = pd.DataFrame({"group": names, "label": np.where(positive, *CLASSES)}, index=names)
    return metrics.prediction_table(frame, np.stack([score, 1 - score], axis=1), CLASSES, fold=0)


def loading(n: int, folder: Path) -> Run:
    return partial(cells, n, folder)


def loading_again(n: int, folder: Path) -> Run:
    time.sleep(verified.SETTLED)
    cells(n, folder)
    return partial(cells, n, folder)


def fingerprint(n: int, folder: Path) -> Run:
    return cells(n, folder).fingerprint


def decoding(n: int, folder: Path) -> Run:
    return partial(cells(n, folder).load_images, SIDE)


def handcrafted(n: int, folder: Path) -> Run:
    from helpers.features import extract_feature_table

    data = cells(n, folder)
    return partial(extract_feature_table, data.load_images(SIDE), data.frame.index)


def backbone(n: int, folder: Path) -> Run:
    from helpers import backbones

    data, cache = cells(n, folder), Path(tempfile.mkdtemp(dir=folder))
    backbones.images_per_second(NETWORK, SIDE)  # builds the network, which takes the same time for any number
    return partial(backbones.extract_features, data, NETWORK, cache, views=1, size=SIDE)


def near_duplicates(n: int, folder: Path) -> Run:
    return partial(splits.find_near_duplicates, cells(n, folder))


def epoch(n: int, folder: Path) -> Run:
    from helpers import augmentation, models, training

    data, random = cells(n, folder), np.random.default_rng(0)
    images, labels = data.load_images(SIDE), random.integers(0, 2, n)
    split = np.where(np.arange(n) % 10 > 0, "train", "validation")
    return partial(
        training.fit_classifier,
        partial(models.unet_encoder_classifier, 4, 2, 3),
        images,
        labels,
        split=split,
        config=training.TrainingConfig(epochs=1, seed=0),
        augmentation=augmentation.Augmentation(),
        checkpoint_dir=Path(tempfile.mkdtemp(dir=folder)),
    )


def discriminant(n: int, folder: Path) -> Run:
    from helpers.learners.lda import ShrinkageLDA

    random = np.random.default_rng(0)
    with (folder / f"rows-{n}.f16").open("wb") as file:  # as in a feature store
        for _ in range(0, n, 1000):
            file.write(random.normal(size=(1000, 1280)).astype(np.float16).tobytes())
    rows = np.memmap(file.name, np.float16, "r", shape=(n, 1280))
    return partial(ShrinkageLDA().fit, rows, random.integers(0, 2, n))


def folds_with_groups(n: int, folder: Path) -> Run:
    frame = predictions(n).drop(columns="fold")
    return partial(splits.group_folds, frame.assign(group=[f"P{k // 10}" for k in range(n)]), 5, 20)


def folds_by_image(n: int, folder: Path) -> Run:
    return partial(splits.image_folds, predictions(n), 5, 20)


def curve(n: int, folder: Path) -> Run:
    table = predictions(n)
    wrong = (metrics.predicted_classes(table) != table["label"]).to_numpy()
    return partial(metrics.risk_coverage_curve, table["p_a"].to_numpy(), wrong)


def measure_by(function: Callable[[pd.DataFrame], object]) -> Callable[[int, Path], Run]:
    return lambda n, _: partial(function, predictions(n))


OF_IMAGES = {
    "list and check": loading,
    "list and check again": loading_again,
    "fingerprint": fingerprint,
    f"decode, resize to {SIDE}": decoding,
    "hand-crafted features": handcrafted,
    f"features of {NETWORK}": backbone,
    "near-duplicates": near_duplicates,
    "one epoch": epoch,
}
OF_TABLES = {
    "discriminant analysis, 1,280 features": discriminant,
    "folds with groups": folds_with_groups,
    "folds by image": folds_by_image,
    "AUC": measure_by(lambda table: metrics.roc_auc(table, "a", 0)),
    "average precision": measure_by(lambda table: metrics.average_precision(table, "a", 0)),
    "ROC curve": measure_by(lambda table: metrics.roc_curve(table, "a", 0)),
    "rates": measure_by(lambda table: metrics.binary_metrics(table, "a", 0.5, seed=0)),
    "macro F1": measure_by(lambda table: metrics.mean_score([table], "macro F1", 0)),
    "report by class": measure_by(lambda table: metrics.classification_report(table, 0)),
    "calibration error": measure_by(lambda table: metrics.expected_calibration_error(table, "a", 0)),
    "Brier score": measure_by(lambda table: metrics.brier_score(table, "a", 0)),
    "risk–coverage curve": curve,
}


def peak_mib() -> float:
    """Return the most memory since :func:`forget_peak`; since the start of the process where that cannot be reset."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def forget_peak() -> None:
    reset = Path("/proc/self/clear_refs")
    if reset.exists():
        reset.write_text("5")


def run_step(name: str, n: int, folder: Path) -> None:
    run = {**OF_IMAGES, **OF_TABLES}[name](n, folder)
    forget_peak()
    before, begun = peak_mib(), time.perf_counter()
    run()
    print(json.dumps({"seconds": time.perf_counter() - begun, "MiB": peak_mib() - before}))


def measure(name: str, sizes: list[int], folder: Path) -> dict[str, object]:
    measured = []
    for n in sizes:
        words = [sys.executable, __file__, "--step", name, str(n), str(folder)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        measured.append(json.loads(done.stdout.splitlines()[-1]))
    row: dict[str, object] = {"step": name}
    for n, one in zip(sizes, measured, strict=True):
        row |= {f"{n:,}, s": round(one["seconds"], 2), f"{n:,}, MiB": round(one["MiB"])}
    ratio = np.log(sizes[-1] / sizes[-2])
    row["exponent"] = round(float(np.log(measured[-1]["seconds"] / measured[-2]["seconds"]) / ratio), 2)
    return row


def main(words: list[str]) -> None:
    sizes = [int(word) for word in words if word.isdigit()] or list(SIZES)
    only = [word for word in words if not word.isdigit()] or [*OF_IMAGES, *OF_TABLES]
    for name in only:
        if name not in OF_IMAGES | OF_TABLES:
            sys.exit(f"{name}: no step; take one of {', '.join(OF_IMAGES | OF_TABLES)}")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder  # of the steps, whose files are removed with it
        lay_out(Path(folder), sizes)
        for steps, scale in ((OF_IMAGES, 1), (OF_TABLES, MORE)):
            rows = []
            for name in (step for step in steps if step in only):
                rows.append(measure(name, [scale * n for n in sizes], Path(folder)))
                print(rows[-1], file=sys.stderr, flush=True)
            if rows:
                print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    processes.configure()
    if sys.argv[1:2] == ["--step"]:
        run_step(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
    else:
        main(sys.argv[1:])
