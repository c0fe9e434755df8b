"""Remove local paths and user names from what is published."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from helpers.project import CHECKOUT, Project

# Metadata of an HTML output that has its data inside, some ten kB of them, which a committed notebook does not keep.
INTERACTIVE = "interactive"
# A dataset in a user's folder, alone or in quotes, as in a parameters cell.
_FOLDER = re.compile(r"""(?:^|(?<=["']))folder:[^"'\n]+""")


def without_paths(value: Any) -> Any:
    """Remove local folders from text: ``folder:/home/ann/cells`` becomes ``folder:cells``.

    Args:
        value: text, or lists, tuples and dictionaries that hold text; other values are kept.

    Returns:
        The value with paths relative to the folders of this package and the project, and ``~`` for the home directory.
    """
    if isinstance(value, dict):
        return {without_paths(key): without_paths(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(without_paths, value))
    if not isinstance(value, str):
        return value
    text = _FOLDER.sub(lambda match: f"folder:{_last(match.group().removeprefix('folder:'))}", value)
    for folder in (CHECKOUT, Project.current().root):
        text = _shown_as(".", folder, text.replace(f"{folder}/", ""))
    try:
        home = Path.home()
    except RuntimeError:  # an account without a home directory
        return text
    return _shown_as("~", home, text) if home != home.parent else text


def _shown_as(sign: str, folder: Path, text: str) -> str:
    """Replace a folder by a sign, but not a longer folder name that begins with it."""
    return re.sub(re.escape(str(folder)) + r"(?![\w.-])", lambda _: sign, text)


def _last(path: str) -> str:
    """Return the last component of a path of any operating system."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]
