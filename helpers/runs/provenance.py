"""Where a number comes from: code, machine, threads and libraries, as they are when it is made."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.errors import LeukobookError
from helpers.project import Project

PACKAGE = "leukobook"
LIBRARIES = (
    "numpy",
    "pandas",
    "scikit-learn",
    "scikit-image",
    "opencv-python-headless",
    "keras",
    "tensorflow",
    "tensorflow-cpu",
)
# Variables that limit threads, by what they limit. Another number of threads adds up in another order.
LIMITS = {"OpenMP": "OMP_NUM_THREADS", "TensorFlow": "TF_NUM_INTRAOP_THREADS"}


class NotInstalledError(LeukobookError):
    """A package that is imported from a folder and has no metadata; the message says what to do."""


@dataclass(frozen=True)
class Provenance:
    """Where a number comes from.

    Attributes:
        commit: of this project, followed by ``+changes`` when the code differed from it; ``none`` without a repository.
        hardware: cores, architecture and system.
        threads: of each of :data:`LIMITS`, as text.
        python: its version.
        versions: of the libraries that decide a number.
    """

    commit: str
    hardware: str
    threads: dict[str, str]
    python: str
    versions: dict[str, str]


def current() -> Provenance:
    """Take down the provenance of what is made now."""
    hardware = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    return Provenance(commit(), hardware, threads(), platform.python_version(), versions())


def version() -> str:
    """Return name and version of the package as it is installed, with the commit where the project is a repository.

    Raises:
        NotInstalledError: the package is imported from a folder and not installed.
    """
    try:
        installed = importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        raise NotInstalledError(f"{PACKAGE} is not installed, so it has no version; run make env") from None
    head = commit()
    return f"{PACKAGE} {installed}" + (f" (commit {short(head)})" if head != "none" else "")


def commit() -> str:
    """Name the commit of the project's own repository, with ``+changes`` when code differs from it; else ``none``.

    Results do not count as changes, nor do new files, but those in the folders that a run reads.
    """
    top = _git("rev-parse", "--show-toplevel")
    if not top or Path(top) != Project.current().root:
        return "none"  # no repository, or somebody else's around this folder
    head = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":!book/results")
    added = _git("ls-files", "--others", "--exclude-standard", "--", "helpers", "notebooks", "profiles")
    return (head or "none") + ("+changes" if changed or added else "")


def _git(*words: str) -> str:
    """What a git command says of the project's folder; empty where it fails, or where there is no git."""
    try:
        done = subprocess.run(["git", "-C", str(Project.current().root), *words], capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def threads() -> dict[str, str]:
    """Count the threads that each of :data:`LIMITS` has: its limit, or else one per core that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {name: os.environ.get(variable) or str(cores) for name, variable in LIMITS.items()}


@functools.cache
def versions() -> dict[str, str]:
    """Versions of the libraries that decide a number, as far as they are installed."""
    found = {}
    for library in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[library] = importlib.metadata.version(library)
    return found


def merge(several: Sequence[Provenance]) -> Provenance:
    """Combine the provenance of several runs: where they differ, all values, joined by "or"."""
    return Provenance(
        _either(one.commit for one in several),
        _either(one.hardware for one in several),
        {name: _either(one.threads[name] for one in several) for name in LIMITS},
        _either(one.python for one in several),
        {
            library: _either(one.versions[library] for one in several if library in one.versions)
            for library in LIBRARIES
            if any(library in one.versions for one in several)
        },
    )


def _either(values: Iterable[str]) -> str:
    return " or ".join(sorted(set(values)))


def describe(counts: dict[str, str]) -> str:
    """Say in words what :func:`threads` has counted."""
    return "threads: " + ", ".join(f"{name} {count}" for name, count in counts.items())


def short(commit: str) -> str:
    """Shorten commits to twelve digits each; that there were changes stays."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]+", r"\1", commit)
