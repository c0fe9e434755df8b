"""Profiles that cannot be run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bad_inputs.case import Case, endless, fifo, folder, loop, sparse

NOTEBOOK = "00-start-here"
BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]\n" for k in range(1, 40))


def of(text: str | bytes, name: str = "try.yaml", *more: str) -> Callable[[Path], list[str]]:
    def make(place: Path) -> list[str]:
        (place / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return ["run", str(place / name), *more]

    return make


def odd(write: Callable[[Path], None]) -> Callable[[Path], list[str]]:
    def make(place: Path) -> list[str]:
        write(place / "try.yaml")
        return ["run", str(place / "try.yaml")]

    return make


def given(text: str) -> Callable[[Path], list[str]]:
    """Parameters of notebook 00."""
    return of(f"notebooks: {{{NOTEBOOK}: {text}}}\n")


CASES = [
    Case("a profile that is not there", lambda place: ["run", str(place / "none.yaml")], ("none.yaml",)),
    Case("no profile of that name", lambda place: ["run", "quik"], ("quik", "quick")),
    Case("an empty profile", of(""), ("try.yaml",)),
    Case("a profile that is a list", of("- 00\n"), ("try.yaml",)),
    Case("a profile that is a word", of("quick\n"), ("try.yaml",)),
    Case("a profile that is not YAML", of("notebooks: {a: [}\n"), ("try.yaml", "line 1")),
    Case("a profile with tabs", of("notebooks:\n\t00-start-here:\n"), ("try.yaml", "line 2")),
    Case("a profile of bytes", of(bytes(range(128, 256))), ("try.yaml",)),
    Case("a profile with NUL", of("notebooks: {\0}\n"), ("try.yaml",)),
    Case("no notebooks", of("parameters: {seed: 1}\n"), ("try.yaml", "notebooks")),
    Case("notebooks that are nothing", of("notebooks:\n"), ("try.yaml", "notebooks")),
    Case("notebooks that are a list", of(f"notebooks: [{NOTEBOOK}]\n"), ("try.yaml", "notebooks")),
    Case("a notebook that is none", of("notebooks: {99-none: }\n"), ("try.yaml", "99-none")),
    Case("a notebook outside its folder", of("notebooks: {../README: }\n"), ("try.yaml", "../README")),
    Case("a number for a notebook", of("notebooks: {00: }\n"), ("try.yaml",)),
    Case("a notebook that stands twice", of(f"notebooks:\n  {NOTEBOOK}:\n  {NOTEBOOK}:\n"), ("try.yaml", "line 3")),
    Case("a part that is none", of(f"notebooks: {{{NOTEBOOK}: }}\nspeed: 3\n"), ("try.yaml", "speed")),
    Case("a parameter that is none", given("{speed: 3}"), ("try.yaml", "speed")),
    Case("a parameter that stands twice", given("{seed: 1, seed: 2}"), ("try.yaml", "seed")),
    Case("a text for a number", given("{seed: many}"), ("try.yaml", "seed", "many")),
    Case("a boolean for a number", given("{seed: true}"), ("try.yaml", "seed")),
    Case("a fraction for a whole number", given("{seed: 1.5}"), ("try.yaml", "seed")),
    Case("no number", given("{seed: .nan}"), ("try.yaml", "seed")),
    Case("a number without end", given("{seed: .inf}"), ("try.yaml", "seed")),
    Case("a number of 5,000 digits", given(f"{{seed: {'9' * 5000}}}"), ("try.yaml",)),
    Case("a date", given("{dataset: 2026-01-01}"), ("try.yaml", "dataset")),
    Case("a grid that is a number", of(f"notebooks: {{{NOTEBOOK}: }}\ngrid: 3\n"), ("try.yaml", "grid")),
    Case("a grid of nothing", of(f"notebooks: {{{NOTEBOOK}: }}\ngrid: {{seed: []}}\n"), ("try.yaml", "seed")),
    Case("a grid of one number", of(f"notebooks: {{{NOTEBOOK}: }}\ngrid: {{seed: 3}}\n"), ("try.yaml", "seed")),
    Case("a value that stands twice in a grid", of(f"notebooks: {{{NOTEBOOK}: }}\ngrid: {{seed: [1, 2, 1]}}\n"),
         ("try.yaml", "seed", "1")),
    Case("a grid of what is no parameter", of(f"notebooks: {{{NOTEBOOK}: }}\ngrid: {{speed: [1]}}\n"),
         ("try.yaml", "speed")),
    Case("a limit without a grid", of(f"notebooks: {{{NOTEBOOK}: }}\ntimeout_s: 9\n"), ("try.yaml", "grid")),
    Case("a limit of nothing", of(f"notebooks: {{{NOTEBOOK}: }}\ngrid: {{seed: [1]}}\ntimeout_s: 0\n"),
         ("try.yaml", "timeout_s")),
    Case("measures that are a word", of(f"notebooks: {{{NOTEBOOK}: }}\ngrid: {{seed: [1]}}\nreport_metrics: x\n"),
         ("try.yaml", "report_metrics")),
    Case("workers without a grid", of(f"notebooks: {{{NOTEBOOK}: }}\n", "try.yaml", "--workers", "2"), ("grid",)),
    Case("a scheduler that does not answer",
         of(f"notebooks: {{{NOTEBOOK}: }}\ngrid: {{seed: [1]}}\n", "try.yaml", "--scheduler", "tcp://127.0.0.1:9"),
         ("127.0.0.1:9",)),
    Case("a scheduler that is no address",
         of(f"notebooks: {{{NOTEBOOK}: }}\ngrid: {{seed: [1]}}\n", "try.yaml", "--scheduler", "here"), ("here",)),
    Case("a profile of a thousand million words", of(BOMB + f"notebooks: {{{NOTEBOOK}: }}\n"), ("try.yaml",)),
    Case("a profile that holds itself", of("notebooks: &a {x: *a}\n"), ("try.yaml",)),
    Case("a profile that calls Python", of("notebooks: !!python/object/apply:os.system [exit]\n"), ("try.yaml",)),
    Case("a profile with an odd tag", of("notebooks: !cells {}\n"), ("try.yaml",)),
    Case("a list for a key", of("? [a]\n: b\n"), ("try.yaml",)),
    Case("100,000 brackets", of("[" * 100_000), ("try.yaml",)),
    Case("1,000 brackets", of("notebooks: " + "[" * 1000 + "]" * 1000 + "\n"), ("try.yaml",)),
    Case("a profile named ...yaml", of(f"notebooks: {{{NOTEBOOK}: {{seed: 1}}}}\n", "...yaml"), ("...yaml",)),
    Case("a profile that is a pipe", odd(fifo), ("try.yaml",)),
    Case("a profile that is a folder", odd(folder), ("try.yaml",)),
    Case("a profile that is a link to itself", odd(loop), ("try.yaml",)),
    Case("a profile that is a device", odd(endless), ("try.yaml",)),
    Case("a profile of 3 GiB", odd(sparse), ("try.yaml",)),
    Case("a notebook for a profile", lambda place: ["run", "notebooks/00-start-here.ipynb"], ("00-start-here.ipynb",)),
    Case("a report without a sweep", lambda place: ["report", "quick"], ("quick", "grid")),
    Case("a book of a sweep", lambda place: ["book", "sweep-mistakes"], ("sweep",)),
]  # fmt: skip
