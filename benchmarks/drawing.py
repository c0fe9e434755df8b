"""Synthetic cells per second: drawn in threads, drawn one after the other, and read back from the cache, in one run.

    python benchmarks/drawing.py

Best of three rounds in turn, each with its own seed, so that nothing is in the cache before it is drawn. The last
column is the largest memory of the process so far.
"""

import os
import resource
import tempfile
import time

N, ROUNDS, SIZES = 300, 3, (64, 128, 256)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(XDG_CACHE_HOME=folder, TQDM_DISABLE="1")
        measure()


def measure():
    from helpers import datasets, processes  # after the cache has been moved

    processes.configure()
    print("| task | size | one thread | all cores | ratio | kept | MB |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for task in ("types", "leukaemia", "fields"):
        for size in SIZES:
            n = N if task != "fields" else N // 15
            best = dict.fromkeys(("one", "all", "kept"), float("inf"))
            for seed in range(ROUNDS):
                dataset = datasets.load("synthetic", n_images=n, task=task, size=size, seed=seed)
                rows = [dataset.row(name) for name in dataset.frame.index]
                methods = {
                    "one": lambda rows=rows, dataset=dataset: [dataset.reader.draw(row) for row in rows],
                    "all": lambda dataset=dataset, size=size: dataset.load_images(size),
                    "kept": lambda dataset=dataset, size=size: dataset.load_images(size),
                }
                for method, call in methods.items():
                    start = time.perf_counter()
                    call()
                    best[method] = min(best[method], time.perf_counter() - start)
            rate = {method: n / seconds for method, seconds in best.items()}
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"| {task} | {size} | {rate['one']:.0f}/s | {rate['all']:.0f}/s | {rate['all'] / rate['one']:.2f} | "
                f"{rate['kept']:.0f}/s | {memory:.0f} |"
            )


if __name__ == "__main__":
    main()
