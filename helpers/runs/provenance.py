"""Record the provenance of results: code, hardware, threads and library versions at the time of computation."""

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

from helpers import processes
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
# Environment variables that limit threads, by thread pool. The number of threads affects the order of summation.
LIMITS = {"OpenMP": "OMP_NUM_THREADS", "TensorFlow": "TF_NUM_INTRAOP_THREADS"}


class NotInstalledError(LeukobookError):
    """The package is imported from a folder and has no metadata; the message states a remedy."""


@dataclass(frozen=True)
class Provenance:
    """Provenance of a result.

    Attributes:
        commit: commit of the project, followed by ``+changes`` if the code differed; ``none`` without a repository.
        hardware: number of cores, architecture and operating system.
        threads: number of threads of each pool in :data:`LIMITS`, as text.
        python: Python version.
        versions: versions of the libraries that affect numerical results.
    """

    commit: str
    hardware: str
    threads: dict[str, str]
    python: str
    versions: dict[str, str]


def current() -> Provenance:
    """Return the provenance of results computed now."""
    hardware = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    return Provenance(commit(), hardware, threads(), platform.python_version(), versions())


def version() -> str:
    """Return name and version of the installed package, with the commit where the project is a repository.

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
    """Return the commit of the project's repository, with ``+changes`` if the code differs; ``none`` without one.

    Results do not count as changes; new files count only in ``helpers``, ``notebooks`` and ``profiles``.
    """
    top = _git("rev-parse", "--show-toplevel")
    if not top or Path(top) != Project.current().root:
        return "none"  # no repository, or another one that contains this folder
    head = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":!book/results")
    added = _git("ls-files", "--others", "--exclude-standard", "--", "helpers", "notebooks", "profiles")
    return (head or "none") + ("+changes" if changed or added else "")


def _git(*words: str) -> str:
    """Return the output of a git command in the project's folder; empty if it fails or git is missing."""
    try:
        done = subprocess.run(["git", "-C", str(Project.current().root), *words], capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def threads() -> dict[str, str]:
    """Return the number of threads per pool in :data:`LIMITS`: its limit, by default the cores of this process."""
    return {name: os.environ.get(variable) or str(processes.cores()) for name, variable in LIMITS.items()}


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions of those :data:`LIBRARIES` that are installed."""
    installed = {}
    for library in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            installed[library] = importlib.metadata.version(library)
    return installed


def merge(several: Sequence[Provenance]) -> Provenance:
    """Merge the provenance of several runs; different values are joined by "or"."""
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
    """Format the result of :func:`threads` as text."""
    return "threads: " + ", ".join(f"{name} {count}" for name, count in counts.items())


def short(commit: str) -> str:
    """Shorten each commit in a text to twelve digits; ``+changes`` is kept."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]+", r"\1", commit)
