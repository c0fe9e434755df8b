"""What is given to others names no folder and no user of this machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from helpers.project import CHECKOUT, Project

# A dataset of one's own, alone or in quotes, as in a cell with parameters.
_FOLDER = re.compile(r"""(?:^|(?<=["']))folder:[^"'\n]+""")


def without_paths(value: Any) -> Any:
    """Take the places of this machine out of a value: ``folder:/home/ann/cells`` becomes ``folder:cells``.

    Args:
        value: text, or lists, tuples and dictionaries that hold text; anything else stays as it is.

    Returns:
        The same with the folders of this package and of the project left out of paths, and ``~`` for the user's home.
    """
    if isinstance(value, dict):
        return {without_paths(key): without_paths(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(without_paths, value))
    if not isinstance(value, str):
        return value
    text = _FOLDER.sub(lambda found: f"folder:{_last(found.group().removeprefix('folder:'))}", value)
    for folder in (CHECKOUT, Project.current().root):
        text = _shown_as(".", folder, text.replace(f"{folder}/", ""))
    try:
        home = Path.home()
    except RuntimeError:  # an account without one
        return text
    return _shown_as("~", home, text) if home != home.parent else text


def _shown_as(sign: str, place: Path, text: str) -> str:
    """Write a sign for a folder, and not for one whose name only begins in the same way."""
    return re.sub(re.escape(str(place)) + r"(?![\w.-])", lambda _: sign, text)


def _last(path: str) -> str:
    """The name of a folder, also of one whose path is that of another system."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]
