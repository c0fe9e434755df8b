"""Where the user keeps things; some accounts, as of containers, have no home at all."""

from __future__ import annotations

import os
from pathlib import Path

import pooch

from helpers.errors import LeukobookError


class HomeError(LeukobookError):
    """This user has no home directory; the message says which variable to set."""


def cache() -> Path:
    """Find the folder for what this package may keep and may lose: ``$XDG_CACHE_HOME/leukobook`` or below the home.

    Raises:
        HomeError: this user has no home directory, as an account without a name in a container.
    """
    try:
        return Path(pooch.os_cache("leukobook"))
    except RuntimeError:
        raise HomeError(
            "this user has no home directory; set HOME (or LEUKOBOOK_DATA for datasets and XDG_CACHE_HOME for what is "
            "kept) to a folder that may be written to"
        ) from None


def keras() -> Path:
    """Find the folder where Keras keeps weights: ``$KERAS_HOME``, else ``.keras`` in the home, or in ``/tmp``.

    Keras takes the second where nothing may be written in the home, or where there is none.
    """
    if os.environ.get("KERAS_HOME"):
        return Path(os.environ["KERAS_HOME"])
    base = os.path.expanduser("~")  # noqa: PTH111 - Path.home fails where there is none
    return Path(base if os.access(base, os.W_OK) else "/tmp") / ".keras"
