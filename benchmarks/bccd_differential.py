"""The five-type differential of BCCD, counted by a detector that has not seen BCCD and two classifiers.

    LEUKOBOOK_DATA=… LEUKOBOOK_WEIGHTS=… python benchmarks/bccd_differential.py [folder]

The first classifier has not seen BCCD either: discriminant analysis on hand-crafted features of txl, standardised
within each source, which needs its images and no label. It is tested between the two laboratories of txl as well. The
second is trained on other fields of BCCD (five folds by group) and has the features of three backbones in addition. All
cells are cut from fields at one scale with a white background. The detector is that of ``benchmarks/counting.py``,
whose trainings in the folder are used, or made. Prints two tables and saves them with their provenance below
``book/results/``.

BCCD publishes types of fields and no patients: the whole set is counted like one patient, and only fields whose labels
are clear are (see its card). Two of its cells are basophils, and no metric over classes rests on so few.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from counting import N_SPLITS, SEED, TRAININGS, train

from helpers import backbones, datasets, features, images, metrics, processes, splits
from helpers.book import results
from helpers.counting import preparation, reference
from helpers.counting.cells import cut_out
from helpers.counting.detection import detect_fields
from helpers.counting.patches import Field
from helpers.datasets.boxes import SIDES
from helpers.learners.lda import ShrinkageLDA
from helpers.runs import provenance

SIZE = 64  # pixels; a cell of 12 µm and its margin are 58 at the scale of the fields
NETWORKS = ("efficientnet-lite0", "mobilenetv2", "mobilenet_alpha0.75")
CLASSES = sorted(datasets.SOURCES["bccd"].card.classes)
UNSEEN, FOLDS = "txl", "other fields of BCCD"


def annotate(fields: list[Field], label_of: dict[str, list[str]]) -> pd.DataFrame:
    """Boxes with labels, of fields whose boxes are as many as their labels."""
    rows = [
        {"image_id": field.image_id, "group": field.group, **dict(zip(SIDES, box, strict=True)), "label": label}
        for field in fields
        if field.image_id in label_of and len(label_of[field.image_id]) == len(field.boxes)
        for box, label in zip(field.boxes, label_of[field.image_id], strict=True)
    ]
    return pd.DataFrame(rows)


def labels_of_txl(source: str) -> dict[str, list[str]]:
    frame = datasets.load("txl", crop=False, source=source).frame
    return {str(name): [label] for name, label in frame["label"].items()}


def labels_of_bccd() -> dict[str, list[str]]:
    labels: dict[str, list[str]] = {}
    for name, label in datasets.load("bccd").frame["label"].items():
        labels.setdefault(str(name).rpartition("-")[0], []).append(label)
    return labels


def cut(fields: list[Field], boxes: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    """Pictures of the cells, and their rows in the same order."""
    image_of = {field.image_id: field.image for field in fields}
    ordered = boxes.sort_values("image_id", kind="stable", ignore_index=True)
    pictures = [
        images.resize_pad(crop, SIZE)
        for name, own in ordered.groupby("image_id", sort=False)
        for crop in cut_out(image_of[str(name)], own)
    ]
    return np.stack(pictures), ordered


def handcrafted(crops: np.ndarray, cells: pd.DataFrame) -> np.ndarray:
    return features.extract_feature_table(crops, cells.index).to_numpy()


def of_networks(crops: np.ndarray) -> np.ndarray:
    pixels = crops.astype(np.float32)
    return np.hstack([backbones.feature_extractor(name, SIZE).predict(pixels, verbose=0) for name in NETWORKS])


def standardise(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-6)


def predict(model: ShrinkageLDA, values: np.ndarray, cells: pd.DataFrame) -> pd.DataFrame:
    """Cells with a probability of every class; a class without training cells has 0."""
    known = dict(zip(model.classes_, model.predict_proba(values).T, strict=True))
    probability = {metrics.PREFIX + name: known.get(name, np.zeros(len(cells))) for name in CLASSES}
    return cells.assign(**probability)


def measure(predicted: pd.DataFrame, trained: str, tested: str) -> list[dict]:
    named = predicted[predicted["label"] != reference.INVENTED]
    rows = []
    for name in ("accuracy", "macro F1"):
        score = metrics.mean_score([named], name, SEED).row("value")
        rows.append({"trained on": trained, "tested on": tested, "measure": name, **score})
    return rows


def count(predicted: pd.DataFrame, truth: pd.DataFrame, trained: str) -> pd.DataFrame:
    """Counted and true share of every class, over all fields."""
    cells = predicted.assign(
        group="BCCD", image=predicted["image_id"], predicted_class=metrics.predicted_classes(predicted)
    )
    table = metrics.differential_count(cells, CLASSES)
    true = truth["label"].value_counts(normalize=True).reindex(CLASSES, fill_value=0.0)
    table = table.assign(**{"trained on": trained, "true share": table["class"].map(true)})
    table["holds the true share"] = table["true share"].between(table["low"], table["high"])
    return table[
        ["trained on", "class", "true share", "share", "low", "high", "interval", "n", "total", "holds the true share"]
    ]


def main(folder: Path) -> None:
    origin = provenance.current()
    seen = [
        field for name in TRAININGS["synthetic, PBC, Raabin"] for field in preparation.load_annotated_fields(name, SEED)
    ]
    network, threshold = train(seen, folder)
    fields = preparation.load_annotated_fields("bccd", SEED)
    truth = annotate(fields, labels_of_bccd())
    clear = [field for field in fields if field.image_id in set(truth["image_id"])]
    found = detect_fields(network, clear)
    found = reference.label_detections(found[found["score"] >= threshold], truth)
    found["group"] = found["image_id"].map({field.image_id: field.group for field in clear})

    laboratories = {}
    for source in ("pbc", "raabin"):
        own = preparation.load_annotated_fields(f"txl:{source}", SEED)
        crops, cells = cut(own, annotate(own, labels_of_txl(source)))
        laboratories[source] = standardise(handcrafted(crops, cells)), cells
    scores = []
    for here, there in (("pbc", "raabin"), ("raabin", "pbc")):
        values, cells = laboratories[here]
        tested = predict(ShrinkageLDA().fit(values, cells["label"]), *laboratories[there])
        scores += measure(tested, f"txl:{here}", f"txl:{there}")

    crops, found = cut(clear, found)
    own_crops, own_cells = cut(clear, truth)
    plain, own_plain = handcrafted(crops, found), handcrafted(own_crops, own_cells)
    values = np.vstack([values for values, _ in laboratories.values()])
    labels = pd.concat([cells["label"] for _, cells in laboratories.values()])
    unseen = predict(ShrinkageLDA().fit(values, labels), standardise(plain), found)
    scores += measure(unseen, UNSEEN, "BCCD")

    x, own_x = np.hstack([plain, of_networks(crops)]), np.hstack([own_plain, of_networks(own_crops)])
    frame = own_cells.drop_duplicates("image_id").set_index("image_id")[["group", "label"]]
    fold_of = splits.group_folds(frame, N_SPLITS, SEED)
    parts = []
    for number in range(N_SPLITS):
        train_rows = (own_cells["image_id"].map(fold_of) != number).to_numpy()
        test_rows = (found["image_id"].map(fold_of) == number).to_numpy()
        model = ShrinkageLDA().fit(own_x[train_rows], own_cells["label"][train_rows])
        parts.append(predict(model, x[test_rows], found[test_rows]))
    folds = pd.concat(parts)
    scores += measure(folds, FOLDS, "BCCD")

    counted = pd.concat([count(unseen, truth, UNSEEN), count(folds, truth, FOLDS)], ignore_index=True)
    parameters = {"seed": SEED, "n_splits": N_SPLITS, "size": SIZE, "fields": len(clear), "threshold": threshold}
    note = results.ResultNote(
        made_by="benchmarks/bccd_differential.py",
        command="python benchmarks/bccd_differential.py",
        parameters=parameters,
        data_sha256=datasets.load("bccd", whole_fields=True).fingerprint(),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        provenance=origin,
    )
    for name, table in (("counting-types", pd.DataFrame(scores)), ("counting-differential", counted)):
        print(table.round(4).to_string(index=False))
        results.save_result(name, table.round(4), note)


if __name__ == "__main__":
    processes.configure()
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="counting-")))
