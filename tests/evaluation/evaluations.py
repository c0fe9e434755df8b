"""Evaluations of synthetic cells with generated predictions, whose records agree with each other."""

from dataclasses import replace

import numpy as np
import pandas as pd

from helpers import checks, datasets, metrics
from helpers.evaluation import results
from helpers.evaluation.record import Audit, Evaluation
from helpers.evaluation.referral import referral_table
from helpers.evaluation.thresholds import ThresholdRule
from helpers.runs.provenance import Provenance

SEED = 20
# By model: how far the true class stands out from the noise, in standard deviations.
STRENGTH = {"majority class": 0.0, "5 features + logistic regression": 1.2, "MobileNetV2 + LDA": 2.2}
BEST = "MobileNetV2 + LDA"
RULE = ThresholdRule(sensitivity=0.95)
EMPTY = pd.DataFrame()


def dataset(task="leukaemia", n_images=120, n_patients=20):
    return datasets.load("synthetic", task=task, n_images=n_images, n_patients=n_patients, size=48, n_stain_batches=2)


def predictions(data, strength, seed=SEED):
    """Softmax of noise, with the true class raised by ``strength``."""
    truth = np.array([data.classes.index(label) for label in data.frame["label"]])
    logits = np.random.default_rng(seed).normal(size=(len(data), len(data.classes))) * bool(strength)
    logits[np.arange(len(data)), truth] += strength
    logits[:, 0] += 1.0 * (not strength)
    powers = np.exp(logits)
    return metrics.prediction_table(data.frame, powers / powers.sum(1, keepdims=True), data.classes, fold=0)


def evaluation(data, positive="lymphoblast", **changes):
    """The records of an evaluation; ``positive=""`` is one of many classes."""
    tables = {model: predictions(data, strength) for model, strength in STRENGTH.items()}
    measure = "AUC" if positive else "balanced accuracy"
    rows, differences = [], []
    first = tables["majority class"]
    for model, table in tables.items():
        score = score_of(table, positive)
        rows.append({"model": model, "measure": measure, **score.row("value")})
        accuracy = metrics.mean_score([table], "accuracy", SEED)
        rows.append({"model": model, "measure": "accuracy", **accuracy.row("value")})
        if table is not first:
            difference = difference_of(table, first, positive)
            differences.append({"model": model, "measure": measure, **difference.row("value")})
    best = tables[BEST]
    mixed = data.frame.groupby("group")["label"].nunique().gt(1)
    record = Evaluation(
        title=data.card.title,
        name=data.public_name,
        unit="patient",
        classes=data.classes,
        positive=positive,
        audit=audit(data, int(mixed.sum())),
        protocol=f"5 folds by group (patient), {data.frame['group'].nunique()} groups, seed {SEED}.",
        predictions=tables,
        best=BEST,
        selected=dict.fromkeys(range(5), BEST),
        headline=BEST,
        metrics=pd.DataFrame(rows),
        differences=pd.DataFrame(differences),
        threshold=RULE.choose(best, positive) if positive else None,
        thresholds=pd.Series(RULE.choose(best, positive).value if positive else 0.5, best.index),
        rule=RULE,
        calibration=metrics.calibration_curve(best, positive, SEED) if positive else EMPTY,
        by_class=EMPTY if positive else metrics.roc_auc_by_class(best, SEED),
        per_group=EMPTY if mixed.any() or not positive else averaged(best, positive),
        proportions=results.proportions(best, positive),
        referral=referral(best),
        learning=learning(measure),
        projection="With 80 patients instead of 20, the interval would be about half as wide.",
        findings=[*checks.check_group_count(best)],
        seconds={"audit": 1.2, "features": 12.34},
        provenance=Provenance(
            "0123456789abcdef", "2 cores, x86_64, Linux", {"OpenMP": "1"}, "3.11.9", {"numpy": "2.0"}
        ),
    )
    return replace(record, **changes)


def referral(table):
    """Every fifth image is referred, and every tenth lies far from the training images."""
    number = np.arange(len(table))
    reason = np.where(number % 10 == 0, "unlike the training images", np.where(number % 5 == 0, "2 classes fit", ""))
    referred = pd.DataFrame({"refer": number % 5 == 0, "reason": reason}, table.index)
    return referral_table(table, referred, metrics.predicted_classes(table) != table["label"], SEED)


def score_of(table, positive):
    if positive:
        return metrics.roc_auc(table, positive, SEED)
    return metrics.mean_score([table], "balanced accuracy", SEED)


def difference_of(table, first, positive):
    if positive:
        return metrics.auc_difference(table, first, positive, seed=SEED)
    return metrics.score_difference([table], [first], "balanced accuracy", seed=SEED)


def averaged(table, positive):
    by_group = metrics.aggregate_by_group(table)
    return metrics.binary_metrics(by_group, positive, 0.5, seed=SEED)


def learning(measure):
    counted = ["images"] * 3 + ["patients"] * 3
    value = np.array([0.7, 0.8, 0.85, 0.68, 0.8, 0.86])
    return pd.DataFrame(
        {"model": BEST, "counted": counted, "size": [20, 50, 100, 4, 10, 16], "value": value, "low": value - 0.05}
    ).assign(high=value + 0.05, interval="95 %", n=120, groups=20)


def audit(data, mixed):
    frame = data.frame
    counts = frame.groupby("label").agg(images=("group", "size"), groups=("group", "nunique")).reset_index()
    counts["images per group"] = counts["images"] / counts["groups"]
    shortcuts = pd.DataFrame(
        {"seen": ["border pixels", "file size"], "value": [0.55, 0.5], "low": [0.45, 0.41], "high": [0.65, 0.59]}
    ).assign(interval="95 %", n=len(frame), groups=frame["group"].nunique())
    facts = {"Size of images": "48×48 pixels", "Masks": "yes"}
    return Audit(counts, facts, near_duplicates=None, shortcuts=shortcuts, mixed_groups=mixed, findings=[])
