"""Locate the folders of the project and of the user's account.

The project is the folder with notebooks, profiles, results and builds: ``$LEUKOBOOK_PROJECT``, by default the checkout
that holds this package. :meth:`Project.current` reads the variable on each call, so a process can work on a copy.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from helpers.errors import LeukobookError

# Folder that holds this package: a checkout or site-packages.
CHECKOUT = Path(__file__).resolve().parents[1]


class ProjectError(LeukobookError):
    """A folder is not a project, or its package is not the one in use; the message states a remedy."""


class HomeError(LeukobookError):
    """This user has no home directory; the message lists the variables to set."""


@dataclass(frozen=True)
class Project:
    """Folders and files of a project.

    Attributes:
        root: absolute path of the project.
    """

    root: Path

    @classmethod
    def current(cls) -> Project:
        """Return the project of this process: ``$LEUKOBOOK_PROJECT``, by default the checkout of this package."""
        return cls(Path(os.environ.get("LEUKOBOOK_PROJECT") or CHECKOUT).resolve())

    @property
    def notebooks(self) -> Path:
        """Folder of the committed notebooks."""
        return self.root / "notebooks"

    @property
    def package(self) -> Path:
        """Folder of the package that the notebooks import."""
        return self.root / "helpers"

    @property
    def profiles(self) -> Path:
        """Folder of the profiles, one YAML file each."""
        return self.root / "profiles"

    @property
    def book(self) -> Path:
        """Folder of the prose pages."""
        return self.root / "book"

    @property
    def results(self) -> Path:
        """Folder of the published result tables, as CSV files with their provenance in JSON."""
        return self.book / "results"

    @property
    def build(self) -> Path:
        """Folder of all generated files, with one folder per profile."""
        return self.root / "build"

    @property
    def metadata(self) -> Path:
        """``pyproject.toml``, with name, version and URL of the project."""
        return self.root / "pyproject.toml"

    @property
    def lock(self) -> Path:
        """``requirements.lock``, with the exact versions of all libraries."""
        return self.root / "requirements.lock"

    def check(self) -> None:
        """Check that commands can work on this project.

        Raises:
            ProjectError: the folder has no notebooks, or contains a package other than the one in use.
        """
        if not self.notebooks.is_dir():
            raise ProjectError(
                f"{self.root}: no project, as it has no folder notebooks; call the command from a checkout's own "
                "environment (make env), or set LEUKOBOOK_PROJECT to a checkout"
            )
        entry_point = self.package / "__main__.py"
        if entry_point.exists() and entry_point.resolve().parents[1] != CHECKOUT:
            raise ProjectError(
                f"{self.root}: its notebooks import the package of their own project, and this command is that of "
                f"{CHECKOUT}; call the one of the project: {self.root / '.venv/bin/leukobook'}"
            )


def user_cache() -> Path:
    """Return the cache folder of this package: ``$XDG_CACHE_HOME/leukobook``, or one in the home directory.

    Raises:
        HomeError: this user has no home directory, such as an unnamed account in a container.
    """
    import pooch  # takes a quarter of a second to import, and is needed only without an explicit folder

    try:
        return Path(pooch.os_cache("leukobook"))
    except RuntimeError:
        raise HomeError(
            "this user has no home directory; set HOME (or LEUKOBOOK_DATA for datasets and XDG_CACHE_HOME for what is "
            "kept) to a folder that may be written to"
        ) from None


def keras_home() -> Path:
    """Return the folder where Keras stores weights: ``$KERAS_HOME``, by default ``~/.keras``.

    As in Keras, it is ``/tmp/.keras`` where the home directory is missing or not writable.
    """
    if os.environ.get("KERAS_HOME"):
        return Path(os.environ["KERAS_HOME"])
    base = os.path.expanduser("~")  # noqa: PTH111 - Path.home fails where there is none
    return Path(base if os.access(base, os.W_OK) else "/tmp") / ".keras"
