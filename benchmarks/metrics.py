"""How time and memory of the areas under curves grow with the number of images.

    python benchmarks/metrics.py

Every image is its own group, the hardest case; the last column compares with a tenth of the images in the same run.
"""

import resource
import time

import numpy as np
import pandas as pd

from helpers import metrics

SIZES = (1_000, 10_000, 100_000)
MEASURES = {
    "AUC": metrics.roc_auc,
    "average precision": metrics.average_precision,
    "ROC curve": metrics.roc_curve,
    "rates": lambda table, positive, seed: metrics.binary_metrics(table, positive, 0.5, seed=seed),
}


def predictions(n: int) -> pd.DataFrame:
    random = np.random.default_rng(0)
    ill = random.random(n) < 0.3
    score = 1 / (1 + np.exp(-random.normal(ill * 1.0, 1)))
    names = pd.Index([f"image-{k}" for k in range(n)], name="image_id")
    frame = pd.DataFrame({"group": names, "label": np.where(ill, "ill", "well")}, index=names)
    return metrics.prediction_table(frame, np.stack([score, 1 - score], axis=1), ("ill", "well"), fold=0)


def main() -> None:
    print(f"{'measure':18} {'images':>8} {'seconds':>8} {'MiB, most so far':>17} {'ratio':>6}")
    for name, measure in MEASURES.items():
        previous = float("nan")
        for n in SIZES:
            table, begun = predictions(n), time.perf_counter()
            measure(table, "ill", 0)
            seconds = time.perf_counter() - begun
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{name:18} {n:8} {seconds:8.2f} {peak:17.0f} {seconds / previous:6.1f}", flush=True)
            previous = seconds


if __name__ == "__main__":
    main()
