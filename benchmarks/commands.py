"""How long commands take that compute nothing: most of it is imports.

    python benchmarks/commands.py

Best of several processes in turn, so that a busy machine hurts all alike; *seconds* on the clock, *processor* of user
and system together. A Python that does nothing, and one that imports the libraries which every command imported before
imports were put off until a command is called, are beside them.
"""

import resource
import subprocess
import sys
import time

ROUNDS = 5
EAGER = "import typer, yaml, numpy, pandas, cv2, scipy.stats, sklearn.model_selection, requests, pydantic, nbformat"
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "all libraries at once": ["-c", EAGER],
    "python -m helpers --help": ["-m", "helpers", "--help"],
    "python -m helpers --version": ["-m", "helpers", "--version"],
    "python -m helpers train --help": ["-m", "helpers", "train", "--help"],
    "python -m helpers data list": ["-m", "helpers", "data", "list"],
}


def measure(words: list[str]) -> tuple[float, float]:
    """Seconds on the clock and of the processor that one process takes."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    best = {name: (float("inf"), float("inf")) for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, words in COMMANDS.items():
            seconds, processor = measure(words)
            best[name] = min(best[name][0], seconds), min(best[name][1], processor)
    eager = best["all libraries at once"][1]
    print("| command | seconds | processor, s | of all libraries |\n|---|---:|---:|---:|")
    for name, (seconds, processor) in best.items():
        print(f"| {name} | {seconds:.2f} | {processor:.2f} | {processor / eager:.2f} |")


if __name__ == "__main__":
    main()
