"""Where things lie: the folders of the project, and those that the user's account gives.

The project is the folder with notebooks, profiles, results and builds: the checkout that holds this package, or the one
that ``$LEUKOBOOK_PROJECT`` names. It is looked up when it is needed, by :meth:`Project.current`, so a process works on
a copy without a change of code.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from helpers.errors import LeukobookError

# The folder that holds this package: a checkout, or the folder of installed packages.
CHECKOUT = Path(__file__).resolve().parents[1]


class ProjectError(LeukobookError):
    """A folder that is no project, or one of another version of this package; the message says what to do."""


class HomeError(LeukobookError):
    """This user has no home directory; the message says which variable to set."""


@dataclass(frozen=True)
class Project:
    """Folders and files of a project.

    Attributes:
        root: of the project; absolute.
    """

    root: Path

    @classmethod
    def current(cls) -> Project:
        """Return the project of this process: ``$LEUKOBOOK_PROJECT``, else the checkout that holds this package."""
        return cls(Path(os.environ.get("LEUKOBOOK_PROJECT") or CHECKOUT).resolve())

    @property
    def notebooks(self) -> Path:
        """Folder of the chapters, as they are committed."""
        return self.root / "notebooks"

    @property
    def package(self) -> Path:
        """Folder of the package that the chapters import."""
        return self.root / "helpers"

    @property
    def profiles(self) -> Path:
        """Folder of the profiles, a YAML file each."""
        return self.root / "profiles"

    @property
    def book(self) -> Path:
        """Folder of the prose pages."""
        return self.root / "book"

    @property
    def results(self) -> Path:
        """Folder of the published tables, each a CSV file with its provenance in JSON."""
        return self.book / "results"

    @property
    def build(self) -> Path:
        """Folder of everything that is made, with a folder per profile."""
        return self.root / "build"

    @property
    def metadata(self) -> Path:
        """File with name, version and address of the project, ``pyproject.toml``."""
        return self.root / "pyproject.toml"

    @property
    def lock(self) -> Path:
        """File with the exact versions of all libraries, ``requirements.lock``."""
        return self.root / "requirements.lock"

    def check(self) -> None:
        """Refuse a folder on which no command can work.

        Raises:
            ProjectError: it has no notebooks, or a package of its own that is not the one in use.
        """
        if not self.notebooks.is_dir():
            raise ProjectError(
                f"{self.root}: no project, as it has no folder notebooks; call the command from a checkout's own "
                "environment (make env), or set LEUKOBOOK_PROJECT to a checkout"
            )
        own = self.package / "__main__.py"
        if own.exists() and own.resolve().parents[1] != CHECKOUT:
            raise ProjectError(
                f"{self.root}: its notebooks import the package of their own project, and this command is that of "
                f"{CHECKOUT}; call the one of the project: {self.root / '.venv/bin/leukobook'}"
            )


def user_cache() -> Path:
    """Find the folder for what this package may keep and may lose: ``$XDG_CACHE_HOME/leukobook`` or below the home.

    Raises:
        HomeError: this user has no home directory, as an account without a name in a container.
    """
    import pooch  # takes a quarter of a second, and is needed only where nobody has named a folder

    try:
        return Path(pooch.os_cache("leukobook"))
    except RuntimeError:
        raise HomeError(
            "this user has no home directory; set HOME (or LEUKOBOOK_DATA for datasets and XDG_CACHE_HOME for what is "
            "kept) to a folder that may be written to"
        ) from None


def keras_home() -> Path:
    """Find the folder where Keras keeps weights: ``$KERAS_HOME``, else ``.keras`` in the home, or in ``/tmp``.

    Keras takes the second where nothing may be written in the home, or where there is none.
    """
    if os.environ.get("KERAS_HOME"):
        return Path(os.environ["KERAS_HOME"])
    base = os.path.expanduser("~")  # noqa: PTH111 - Path.home fails where there is none
    return Path(base if os.access(base, os.W_OK) else "/tmp") / ".keras"
