"""The whole of PBC, 17,092 images: frozen features, the near-duplicates in a random split, and a learning curve.

    LEUKOBOOK_DATA=… LEUKOBOOK_WEIGHTS=… python benchmarks/whole_pbc.py FOLDER [views]

``$LEUKOBOOK_DATA/pbc`` must hold all images, not the sample of 800. Features of every view are kept in FOLDER, so that
a run that was stopped goes on; one view (the default) takes half an hour on 2 cores, eight some hours. The features of
three networks and the hand-crafted ones go to discriminant analysis in five folds. Near-duplicates were found by
``leukobook duplicates``; folds ignore them, as published splits do, or keep them together. Prints three tables and
saves them with their provenance below ``book/results/``. PBC has no patients: the unit is the image, and groups of
near-duplicates are resampled together.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import backbones, datasets, features, metrics, processes, splits
from helpers.book import results
from helpers.learners import cross_validation
from helpers.runs import provenance

SEED, N_SPLITS, SIDE, BATCH = 20, 5, 128, 256
NETWORKS = ("mobilenetv2", "efficientnet-lite0", "mobilenet_alpha0.75")
EVERYTHING = "all and 140 hand-crafted features"
PER_CLASS = (5, 10, 25, 50, 100, 250, 500, 900)  # the smallest class has 974 training images
BY_IMAGE, TOGETHER = "by image", "by image, near-duplicates together"
N_SEEDS = 20  # random splits in which crossing pairs are counted


def feature_tables(data: datasets.Dataset, folder: Path, views: int) -> dict[int, dict[str, pd.DataFrame]]:
    """Features of every network, of one view and averaged over all views, and all with the hand-crafted ones."""
    ids = data.frame.index
    pictures = (picture for _, batch in data.iter_batches(SIDE, BATCH) for picture in batch)
    plain = features.extract_feature_table(pictures, ids)
    tables: dict[int, dict[str, pd.DataFrame]] = {number: {} for number in {1, views}}
    for name in NETWORKS:
        values = backbones.extract_features(data, name, folder, views=views)
        for number, of_networks in tables.items():
            means = np.stack([rows[:number].astype(np.float32).mean(axis=0) for rows in values])
            of_networks[name] = pd.DataFrame(means, ids).add_prefix(f"{name} ")
    for of_networks in tables.values():
        of_networks[EVERYTHING] = pd.concat([*of_networks.values(), plain], axis=1)
    return tables


def score(tested: pd.DataFrame) -> list[dict]:
    return [
        {"measure": name, **metrics.mean_score([tested], name, SEED).row("value")}
        for name in ("macro F1", "accuracy", "balanced accuracy")
    ]


def compare(tested: dict[str, pd.DataFrame], copied: np.ndarray) -> list[dict]:
    """Rows of what it makes that near-duplicates lie in several folds: on all images, and on near-duplicates alone."""
    few = {split: table[table.index.isin(copied)] for split, table in tested.items()}
    rows = [
        {"split": split, "tested": "near-duplicates", "measure": "accuracy"}
        | metrics.mean_score([table], "accuracy", SEED).row("value")
        for split, table in few.items()
    ]
    for name, tables, measure in (("all images", tested, "macro F1"), ("near-duplicates", few, "accuracy")):
        difference = metrics.score_difference([tables[BY_IMAGE]], [tables[TOGETHER]], measure, seed=SEED)
        about = {"split": f"{BY_IMAGE} − near-duplicates together", "tested": name, "measure": measure}
        rows.append({**about, **difference.row("value")})
    return rows


def count_crossing(frame: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """How many pairs of near-duplicates a random split separates, over several seeds."""
    rows = []
    for seed in range(SEED, SEED + N_SEEDS):
        fold = splits.image_folds(frame, N_SPLITS, seed)
        crossing = pairs["image_a"].map(fold) != pairs["image_b"].map(fold)
        images = pd.concat([pairs.loc[crossing, "image_a"], pairs.loc[crossing, "image_b"]]).nunique()
        rows.append({"pairs": int(crossing.sum()), "images": images})
    counted = pd.DataFrame(rows)
    return pd.DataFrame(
        {
            "what": ["pairs of near-duplicates", "pairs separated", "images whose near-duplicate is in another fold"],
            "value": [len(pairs), counted["pairs"].mean(), counted["images"].mean()],
            "lowest": [len(pairs), counted["pairs"].min(), counted["images"].min()],
            "highest": [len(pairs), counted["pairs"].max(), counted["images"].max()],
            "splits": N_SEEDS,
            "n": len(frame),
        }
    )


def main(folder: Path, views: int) -> None:
    origin, started = provenance.current(), datetime.now(UTC)
    data = datasets.load("pbc")
    if len(data) < 17_000:
        raise SystemExit(f"{len(data)} images in $LEUKOBOOK_DATA/pbc; this needs all 17,092")
    pairs = splits.find_near_duplicates(data)
    # Copies of the same bytes are one group when the set is loaded; here every image starts as one.
    frame = data.frame.assign(group=data.frame.index)
    groups = splits.merge_groups(frame, pairs)
    copied = pd.concat([pairs["image_a"], pairs["image_b"]]).unique()
    tables = feature_tables(data, folder, views)
    folds = {
        BY_IMAGE: splits.image_folds(frame, N_SPLITS, SEED),
        TOGETHER: splits.group_folds(frame.assign(group=groups), N_SPLITS, SEED),
    }

    scores = []
    for number, of_views in sorted(tables.items()):
        for name, table in of_views.items():
            tested = {}
            for split in folds if name == EVERYTHING else (BY_IMAGE,):
                learner = cross_validation.lda_learner(table)
                predicted, _ = cross_validation.cross_validate(data, folds[split], learner)
                tested[split] = predicted.assign(group=groups.reindex(predicted.index))
                about = {"features": name, "split": split, "views": number}
                scores += [{**about, "tested": "all images", **row} for row in score(tested[split])]
                print(scores[-3], flush=True)
            if name == EVERYTHING:
                scores += [{"features": name, "views": number, **row} for row in compare(tested, copied)]

    curves = []
    for name in (NETWORKS[0], EVERYTHING):
        curve = cross_validation.learning_curve(
            data,
            folds[TOGETHER],
            cross_validation.lda_learner(tables[views][name]),
            sizes=[len(data.classes) * n for n in PER_CLASS],
            test_folds=[0],
            draws=5,
            train_on_val=True,
            seed=SEED,
            score=lambda *runs: metrics.mean_score(runs, "balanced accuracy", SEED),
        )
        curves.append(curve.assign(learner=name, images=curve["images"] // len(data.classes)))
    learning = pd.concat(curves, ignore_index=True).rename(columns={"score": "balanced accuracy"})

    note = results.ResultNote(
        made_by="benchmarks/whole_pbc.py",
        command=f"python benchmarks/whole_pbc.py FOLDER {views}",
        parameters={"dataset": "pbc", "seed": SEED, "n_splits": N_SPLITS, "networks": list(NETWORKS), "views": views},
        data_sha256=data.fingerprint(),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        provenance=origin,
    )
    named = {
        "whole-pbc-scores": pd.DataFrame(scores),
        "whole-pbc-near-duplicates": count_crossing(frame, pairs),
        "whole-pbc-learning-curve": learning,
    }
    for name, table in named.items():
        print(table.round(4).to_string(index=False))
        results.save_result(name, table.round(4), note)
    print(f"{(datetime.now(UTC) - started).total_seconds():.0f} s")


if __name__ == "__main__":
    processes.configure()
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
