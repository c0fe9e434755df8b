"""Shared by all tests: an absolute data root, quiet kernels, and no skipped test where CI forbids it."""

import os
import shutil
from pathlib import Path

import pytest
from chapter_claims import displayed_text
from playwright.sync_api import sync_playwright

from helpers import datasets, processes
from helpers.project import Project
from helpers.runs import kernels, profiles, runner

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
processes.configure()
os.environ.update(kernels.ENVIRONMENT)
if os.environ.get("LEUKOBOOK_DATA"):
    os.environ["LEUKOBOOK_DATA"] = str(Path(os.environ["LEUKOBOOK_DATA"]).resolve())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.skipped and os.environ.get("LEUKOBOOK_REFUSE_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but LEUKOBOOK_REFUSE_SKIPS is set: {call.excinfo.value}"
    return report


@pytest.fixture(scope="session")
def real():
    """A function that loads a dataset below LEUKOBOOK_DATA, or skips the test and says why."""

    def load(name, **options):
        if not os.environ.get("LEUKOBOOK_DATA"):
            pytest.skip(f"LEUKOBOOK_DATA is not set, so there is no {name} to check")
        place = datasets.data_root() / datasets.SOURCES[name].folder
        if not place.is_dir():
            pytest.skip(f"{place} does not exist, so there is no {name} to check")
        return datasets.load(name, **options)

    return load


@pytest.fixture(scope="module")
def browser():
    """Chromium, closed after the last test of a file: Playwright runs one at a time in a process."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; apt-get install chromium, and these tests run")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield started
        started.close()


@pytest.fixture
def read_aloud(tmp_path):
    """A function that executes a chapter and returns all that it prints or displays as text."""

    def execute(chapter, **parameters):
        target = tmp_path / f"{chapter}.ipynb"
        kernels.execute(Project.current().notebooks / target.name, target, parameters, tmp_path, progress=False)
        return displayed_text(target)

    return execute


@pytest.fixture
def empty_project(monkeypatch):
    """A function that makes a folder the project of this process: no notebook, no profile, one empty module."""

    def make(root):
        for name in ("notebooks", "helpers", "profiles"):
            (root / name).mkdir(parents=True)
        (root / "helpers" / "__init__.py").write_text("")
        shutil.copy(ROOT / "requirements.lock", root)
        monkeypatch.setenv("LEUKOBOOK_PROJECT", str(root))
        return root

    return make


@pytest.fixture
def empty_build(tmp_path, monkeypatch):
    """The folder of builds, empty, of a project that has everything else in common with this one."""
    root = tmp_path / "project"
    root.mkdir()
    for name in ("_config.yml", "_toc.yml", "book", "helpers", "notebooks", "pyproject.toml", "requirements.lock"):
        (root / name).symlink_to(ROOT / name)
    monkeypatch.setenv("LEUKOBOOK_PROJECT", str(root))
    return root / "build"


@pytest.fixture(scope="session")
def book():
    """The quick book, built once for all tests that look at it: the folder of its pages."""
    from helpers.book.building import build

    profile = profiles.read_profile(ROOT / "profiles" / "quick.yaml")
    records = runner.run(profile)
    assert [record.error for record in records if record.status != "done"] == []
    return build(profile.name, records).parent
