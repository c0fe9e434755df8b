"""Accounts without a home are told which variable to set, and what needs no home goes on."""

import os
from pathlib import Path

import pytest

from helpers import datasets, home
from helpers.datasets.synthetic import cache


@pytest.fixture
def homeless(monkeypatch):
    """An account as of a container: no HOME, and no entry in the list of users."""
    for name in ("HOME", "XDG_CACHE_HOME", "LEUKOBOOK_DATA", "KERAS_HOME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(number):
        raise KeyError(number)

    monkeypatch.setattr("pwd.getpwuid", unknown)


def test_without_a_home_one_line_says_what_to_set(homeless):
    for ask in (home.cache, datasets.data_root):
        with pytest.raises(home.HomeError, match=r"no home directory; set HOME \(or LEUKOBOOK_DATA for datasets"):
            ask()


def test_drawn_pictures_need_no_home(homeless):
    with pytest.warns(UserWarning, match="drawn pictures are not kept, and drawn anew: this user has no home"):
        assert cache.kept(b"a", 8, lambda: "drawn") == "drawn"


def test_folders_that_are_named_need_no_home(homeless, monkeypatch, tmp_path):
    monkeypatch.setenv("LEUKOBOOK_DATA", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    assert datasets.data_root() == tmp_path
    assert home.keras() == tmp_path / "keras"


def test_weights_are_looked_for_where_keras_keeps_them(homeless, monkeypatch, tmp_path):
    assert home.keras() == Path("/tmp/.keras")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home.keras() == tmp_path / ".keras"
    if os.geteuid() == 0:
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    else:
        tmp_path.chmod(0o500)
    assert home.keras() == Path("/tmp/.keras")
