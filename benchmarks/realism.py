"""How real the synthetic cells are, in numbers: what is learnt on them is tested on blood, and how hard they are.

    LEUKOBOOK_DATA=… python benchmarks/realism.py segmentation   # about 12 minutes on 2 cores
    python benchmarks/realism.py difficulty                     # about 50 minutes of one core
    LEUKOBOOK_DATA=… python benchmarks/realism.py sheets FOLDER   # images to look at; they show blood, do not commit

The first two print a table and save it with its provenance below ``book/results/``.
"""

import hashlib
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import cv2
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import augmentation, datasets, metrics, models, processes, splits, training
from helpers.backend import keras, layers
from helpers.book import results
from helpers.runs import provenance

SEED, SIZE = 20, 128
RESAMPLES = 1000


# --- 1 · trained on drawings, tested on blood


def segmentation(n: int = 1500, epochs: int = 10) -> tuple[pd.DataFrame, list[datasets.Dataset]]:
    """Dice on blood of a U-Net that has seen drawings only."""
    drawn = datasets.load("synthetic", n_images=n, n_patients=60, n_stain_batches=9, balanced=True, seed=SEED)
    split = np.where(drawn.frame["patient"] < 54, "train", "validation")
    config = training.TrainingConfig(epochs=epochs, seed=SEED, batch_size=16)
    transforms = augmentation.Augmentation(rotation=180, zoom=0.15)
    with tempfile.TemporaryDirectory() as folder:
        images, masks = drawn.load_images(SIZE), drawn.load_masks(SIZE)
        model, _ = training.fit_unet(
            images,
            masks,
            split=split,
            config=config,
            augmentation=transforms,
            checkpoint_dir=Path(folder),
            base_filters=12,
        )
    unseen = datasets.load("synthetic", n_images=240, n_patients=24, n_stain_batches=9, seed=SEED + 1)
    tested, tables = [unseen, datasets.load("wbc1"), datasets.load("wbc2")], []
    for dataset in tested:
        predicted = models.predict_masks(model, dataset.load_images(SIZE), tta=True)
        scores = metrics.segmentation_scores(dataset.load_masks(SIZE), predicted, dataset.frame.index).dropna(
            subset="dice"
        )
        means = metrics.summarise(scores, "dice", ["region"], groups=dataset.frame["group"], seed=SEED)
        means["median"] = means["region"].map(scores.groupby("region")["dice"].median())
        tables.append(means.assign(**{"tested on": dataset.name}).set_index("tested on").reset_index())
    return pd.concat(tables, ignore_index=True), [drawn, *tested]


# --- 2 · not too easy


def histogram(image: np.ndarray) -> np.ndarray:
    """Joint colour histogram, 6×6×6 bins of red, green and blue, square root of shares."""
    counts = np.histogramdd(image.reshape(-1, 3), bins=(6, 6, 6), range=[(0, 256)] * 3)[0].ravel()
    return np.sqrt(counts / counts.sum())


def area_and_colour(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """What is measured without looking at texture: areas, their ratio, mean colour of cytoplasm and nucleus."""
    cell, nucleus = mask >= datasets.CYTOPLASM, mask == datasets.NUCLEUS
    rim = cell & ~nucleus
    colours = [image[region].mean(axis=0) if region.any() else np.zeros(3) for region in (rim, nucleus)]
    return np.concatenate([[cell.sum(), nucleus.sum(), nucleus.sum() / cell.sum()], *colours])


def small_cnn(classes: int) -> keras.Model:
    """Four convolutions and an average: uint8 RGB in, probabilities out."""
    inputs = x = keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 127.5, -1)(x)
    for filters in (16, 32, 64, 96):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.MaxPooling2D()(x)
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))


def by_cnn(images, labels, train, test, epochs) -> np.ndarray:
    keras.utils.set_random_seed(SEED)
    random = np.random.default_rng(SEED)
    model = small_cnn(int(labels.max()) + 1)
    schedule = keras.optimizers.schedules.CosineDecay(3e-3, epochs * -(-train.sum() // 32))
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy")
    for _ in range(epochs):
        augmented = np.stack(
            [np.rot90(p, int(random.integers(4)))[:, :: random.choice([-1, 1])] for p in images[train]]
        )
        model.fit(augmented, labels[train], batch_size=32, verbose=0)
    return model.predict(images[test], batch_size=64, verbose=0)


def by_regression(features, labels, train, test) -> np.ndarray:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    return model.fit(features[train], labels[train]).predict_proba(features[test])


def score(task: str, labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Balanced accuracy for six classes, area under the ROC curve for two."""
    if task == "leukaemia":
        return roc_auc_score(labels, probabilities[:, 1])
    return balanced_accuracy_score(labels, probabilities.argmax(1))


def interval(task: str, labels: np.ndarray, probabilities: np.ndarray, group: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap interval that resamples patients; draws without some class do not count."""
    random, members = np.random.default_rng(SEED), [np.flatnonzero(group == g) for g in np.unique(group)]
    scores = []
    for _ in range(RESAMPLES):
        ids = np.concatenate([members[k] for k in random.integers(0, len(members), len(members))])
        if len(np.unique(labels[ids])) == len(np.unique(labels)):
            scores.append(score(task, labels[ids], probabilities[ids]))
    low, high = np.quantile(scores, [0.025, 0.975])
    return low, high


def difficulty(
    n: int = 3000, patients: int = 120, k: int = 3, epochs: int = 14
) -> tuple[pd.DataFrame, list[datasets.Dataset]]:
    """Simple features and a small CNN on both tasks, folds by patient and, to show the difference, by picture."""
    rows, used = [], []
    for task, features_of, what in (
        ("types", lambda p, m: histogram(p), "colour histogram + logistic regression"),
        ("leukaemia", area_and_colour, "area and colour + logistic regression"),
    ):
        dataset = datasets.load("synthetic", n_images=n, n_patients=patients, task=task, balanced=True, seed=SEED)
        used.append(dataset)
        images, masks, frame = dataset.load_images(SIZE), dataset.load_masks(SIZE), dataset.frame
        labels, group = frame["label"].map(dataset.classes.index).to_numpy(), frame["group"].to_numpy()
        features = np.stack([features_of(p, m) for p, m in zip(images, masks, strict=True)])
        for split in ("patient", "picture"):
            fold = (splits.group_folds if split == "patient" else splits.image_folds)(frame, k, SEED).to_numpy()
            for model in (what, "small CNN"):
                start, probabilities = time.perf_counter(), np.zeros((n, len(dataset.classes)))
                for test in (fold == number for number in range(k)):
                    if model == "small CNN":
                        probabilities[test] = by_cnn(images, labels, ~test, test, epochs)
                    else:
                        probabilities[test] = by_regression(features, labels, ~test, test)
                measure = "AUC" if task == "leukaemia" else "balanced accuracy"
                value, (low, high) = score(task, labels, probabilities), interval(task, labels, probabilities, group)
                rows.append((task, model, split, measure, value, low, high, n, patients))
                print(rows[-1], f"{time.perf_counter() - start:.0f} s", file=sys.stderr)
    columns = ["task", "model", "split by", "measure", "value", "low", "high", "n", "groups"]
    return pd.DataFrame(rows, columns=columns), used


# --- 3 · looked at


def sheets(folder: Path, per_row: int = 10, size: int = 160) -> None:
    """One sheet for each class: drawings of each stain above real cells of each set."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = datasets.load("synthetic", n_images=2400, n_patients=24, balanced=True, seed=SEED, size=256)
    real = [datasets.load(name) for name in ("wbc1", "wbc2", "pbc")]
    for label in datasets.synthetic.CLASSES:
        rows = []
        for batch in range(3):
            of_class = drawn.frame[(drawn.frame["label"] == label) & (drawn.frame["stain_batch"] == batch)]
            rows.append(drawn.select(of_class.index[:per_row]).load_images(size))
        for dataset in real:
            ids = dataset.frame.index[dataset.frame["label"] == label][:per_row]
            if len(ids):
                rows.append(dataset.select(ids).load_images(size))
        sheet = np.full((len(rows) * size, per_row * size, 3), 255, np.uint8)
        for k, row in enumerate(rows):
            sheet[k * size : (k + 1) * size, : len(row) * size] = np.hstack(list(row))
        cv2.imwrite(str(folder / f"{label}.png"), sheet[..., ::-1])


def save(name: str, origin: provenance.Provenance, table: pd.DataFrame, used: list[datasets.Dataset]) -> None:
    """Print a table and keep it with its provenance, which is of the time when the benchmark began."""
    table = table.round(3)
    print(table.to_string(index=False))
    data = hashlib.sha256("".join(dataset.fingerprint() for dataset in used).encode()).hexdigest()
    note = results.ResultNote(
        made_by="benchmarks/realism.py",
        command=f"python benchmarks/realism.py {name}",
        parameters={"seed": SEED},
        data_sha256=data,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        provenance=origin,
    )
    results.save_result(f"realism-{name}", table, note)


if __name__ == "__main__":
    processes.configure()
    match sys.argv[1:]:
        case ["segmentation"]:
            save("segmentation", provenance.current(), *segmentation())
        case ["difficulty"]:
            save("difficulty", provenance.current(), *difficulty())
        case ["sheets", folder]:
            sheets(Path(folder))
        case _:
            sys.exit(__doc__)
