"""What C-NMC's AUC is worth: 20 partitions, every choice inside, and five subjects set aside for one look at the end.

    LEUKOBOOK_DATA=… python benchmarks/partitions.py   # about 15 minutes on 2 cores

It prints a table and saves it with its provenance below ``book/results/``. The subjects that are set aside are those
with the smallest SHA-256 of their names, three with leukaemia and two without. They were in the training sets of all
earlier results of this project, but no candidate below was compared on them. The seven candidates, and the strength of
their regularisation, were picked after a look at four partitions of the other twenty subjects: the choice among them is
made inside, the choice of the seven is not.
"""

import os
from datetime import UTC, datetime
from functools import partial

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.svm import SVC

from helpers import datasets, features, metrics, preprocessing, processes
from helpers.book import results
from helpers.learners.lda import ShrinkageLDA
from helpers.learners.partitions import Candidate, choose, cross_validate_partitions, predict_aside, set_aside
from helpers.runs import provenance

POSITIVE, SEED, SIZE, N_SPLITS = "all", 20, 128, 5
SEEDS = range(SEED, SEED + 20)
ASIDE = {"all": 3, "hem": 2}


def lda():
    return make_pipeline(StandardScaler(), ShrinkageLDA())


def svm(c: float):
    return make_pipeline(StandardScaler(), SVC(C=c, class_weight="balanced"))


def quantile_svm(c: float):
    """Build an SVM on features that are made normal over the training cells, so that no outlier rules it."""
    scaler = QuantileTransformer(n_quantiles=100, output_distribution="normal", random_state=SEED)
    return make_pipeline(scaler, SVC(C=c, class_weight="balanced"))


def build_candidates(data: datasets.Dataset) -> dict[str, Candidate]:
    """Build the candidates, which were fixed before the first of them was tested on the subjects that are set aside."""
    images, index = data.load_images(SIZE), data.frame.index
    table = features.extract_feature_table(images, index)
    standard = features.extract_feature_table(np.stack([*map(preprocessing.standardise_density, images)]), index)
    shape = table[[name for name in table.columns if not name.startswith(("od_", "lab_", "texture", "radial", "lbp"))]]
    texture = standard[[name for name in standard.columns if name.startswith(("texture", "lbp", "radial"))]]
    strong, usual = partial(quantile_svm, 10), partial(svm, 1)
    return {
        "discriminant analysis": Candidate(((table, lda),)),
        "SVM": Candidate(((table, usual),)),
        "SVM, density standardised per image": Candidate(((standard, usual),)),
        "SVM, shape alone": Candidate(((shape, usual),)),
        "SVM, shape and standardised texture": Candidate(((shape.join(texture, rsuffix="_s"), usual),)),
        "SVM, quantile features": Candidate(((table, strong),)),
        "SVM, quantile features, and shape": Candidate(((table, strong), (shape, partial(quantile_svm, 3)))),
    }


def row(model: str, test: str, tables: list[pd.DataFrame]) -> dict:
    aucs = [metrics.roc_auc(table, POSITIVE, SEED).value for table in tables]
    spread = {"partitions": len(tables), "lowest partition": min(aucs), "highest partition": max(aucs)}
    return {"model": model, "test": test, **metrics.mean_roc_auc(tables, POSITIVE, SEED).row("AUC"), **spread}


def compare(data: datasets.Dataset) -> pd.DataFrame:
    aside = set_aside(data.frame, ASIDE)
    known = data.select(data.frame.index[~data.frame["group"].isin(aside)])
    candidates = build_candidates(data)
    tables, choices = cross_validate_partitions(known, candidates, POSITIVE, n_splits=N_SPLITS, seeds=SEEDS)
    print(choices["candidate"].value_counts().to_string())
    rows = []
    for name, of_model in tables.items():
        rows.append(row(name, "cells of new subjects", of_model))
        rows.append(row(name, "subjects", [metrics.aggregate_by_group(table) for table in of_model]))
    final = choose(candidates, known.frame, POSITIVE, SEED)
    print(f"set aside: {', '.join(aside)}; chosen without them: {final}")
    last = predict_aside(data, aside, candidates[final], POSITIVE)
    rows.append(row(f"chosen inside: {final}", "cells of the subjects set aside", [last]))
    return pd.DataFrame(rows)


if __name__ == "__main__":
    processes.configure()
    origin, cnmc = provenance.current(), datasets.load("cnmc")
    compared = compare(cnmc).round(3)
    print(compared.to_string(index=False))
    note = results.ResultNote(
        made_by="benchmarks/partitions.py",
        command="python benchmarks/partitions.py",
        parameters={"dataset": "cnmc", "seed": SEED, "size": SIZE, "n_splits": N_SPLITS, "partitions": len(SEEDS)},
        data_sha256=cnmc.fingerprint(),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        provenance=origin,
    )
    results.save_result("partitions-cnmc", compared, note)
