"""What the tests of the page *Try it* and of the rendered book share."""

import pytest

from helpers import datasets
from helpers.book.try_it import page as page_module
from helpers.explorers.explorer import TEMPLATES as EXPLORERS

SCRIPTS = [EXPLORERS / "explorer.js", *(page_module.TEMPLATES / f"{n}.js" for n in ("resize", "network", "cells"))]


@pytest.fixture(scope="session")
def cells():
    """Ten synthetic cells of 128 pixels, with their masks."""
    return datasets.load("synthetic", n_images=10, n_patients=10, seed=5)


@pytest.fixture(scope="session")
def function_scripts():
    """The functions of the scripts, without the explorer."""
    return "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
