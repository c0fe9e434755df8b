"""A project is where it is named, and accounts without a home are told which variable to set."""

import os
from pathlib import Path

import pytest

from helpers import datasets, project
from helpers.datasets.synthetic import cache
from helpers.project import Project


@pytest.fixture
def homeless(monkeypatch):
    """An account as of a container: no HOME, and no entry in the list of users."""
    for name in ("HOME", "XDG_CACHE_HOME", "LEUKOBOOK_DATA", "KERAS_HOME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(number):
        raise KeyError(number)

    monkeypatch.setattr("pwd.getpwuid", unknown)


def test_the_project_is_the_checkout_unless_another_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("LEUKOBOOK_PROJECT", raising=False)
    checkout = Path(project.__file__).resolve().parents[1]
    assert Project.current().root == checkout
    assert (Project.current().package / "project.py").samefile(project.__file__)
    Project.current().check()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEUKOBOOK_PROJECT", "copy")
    copy = Project.current()
    assert copy == Project(tmp_path / "copy")
    assert copy.results == tmp_path / "copy" / "book" / "results"
    assert copy.build == tmp_path / "copy" / "build"
    with pytest.raises(project.ProjectError, match="copy: no project, as it has no folder notebooks"):
        copy.check()


def test_without_a_home_one_line_says_what_to_set(homeless):
    for ask in (project.user_cache, datasets.data_root):
        with pytest.raises(project.HomeError, match=r"no home directory; set HOME \(or LEUKOBOOK_DATA for datasets"):
            ask()


def test_drawn_pictures_need_no_home(homeless):
    with pytest.warns(
        UserWarning, match="synthetic images are not cached and are rendered each time: this user has no home"
    ):
        assert cache.cached_rendering(b"a", 8, lambda: "drawn") == "drawn"


def test_folders_that_are_named_need_no_home(homeless, monkeypatch, tmp_path):
    monkeypatch.setenv("LEUKOBOOK_DATA", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    assert datasets.data_root() == tmp_path
    assert project.keras_home() == tmp_path / "keras"


def test_weights_are_looked_for_where_keras_keeps_them(homeless, monkeypatch, tmp_path):
    assert project.keras_home() == Path("/tmp/.keras")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert project.keras_home() == tmp_path / ".keras"
    if os.geteuid() == 0:
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    else:
        tmp_path.chmod(0o500)
    assert project.keras_home() == Path("/tmp/.keras")
