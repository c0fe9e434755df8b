"""pyproject.toml, environment.yml (conda) and requirements.lock (exact, hashed) agree; make hands paths on whole."""

import os
import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from helpers.project import CHECKOUT

PYTHONS = ("3.11.9", "3.12.9", "3.13.9")
LOCK_ENTRY = re.compile(r"(?P<requirement>[^\\]+?)(?P<hashes>( --hash=sha256:[0-9a-f]{64})+)")


def project():
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def wanted():
    """Every requirement of pyproject.toml, extras included."""
    lists = [project()["dependencies"], *project()["optional-dependencies"].values()]
    return [Requirement(line) for lines in lists for line in lines]


def conda():
    """What environment.yml asks for, as (from conda, by pip)."""
    entries = yaml.safe_load((CHECKOUT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    by_pip = [line for entry in entries if isinstance(entry, dict) for line in entry["pip"]]
    return [Requirement(entry) for entry in entries if isinstance(entry, str)], [Requirement(line) for line in by_pip]


def lock_entries():
    """The entries of requirements.lock, each folded to one line, without comments."""
    lines = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    return [" ".join(entry.split()) for entry in text.replace("\\\n", " ").splitlines() if entry.strip()]


def locked():
    return [Requirement(LOCK_ENTRY.fullmatch(entry)["requirement"].strip()) for entry in lock_entries()]


def written(requirement):
    """Name, bounds and marker, in one spelling."""
    bounds = ",".join(sorted(str(part) for part in requirement.specifier))
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return f"{canonicalize_name(requirement.name)} {bounds}{marker}"


def holds(requirement, python):
    environment = {"python_full_version": python, "python_version": python.rpartition(".")[0]}
    return requirement.marker is None or requirement.marker.evaluate(environment)


def test_conda_twin_has_every_requirement_with_the_same_bounds_and_no_other():
    from_conda, by_pip = conda()
    here = [written(r) for r in [*from_conda, *by_pip] if r.name not in ("python", "pip")]
    assert sorted(here) == sorted(written(r) for r in wanted())


def test_conda_twin_names_nothing_twice_but_what_markers_tell_apart():
    from_conda, by_pip = conda()
    names = [canonicalize_name(r.name) for r in [*from_conda, *by_pip]]
    assert len(names) == len(set(names))


def test_conda_twin_has_the_same_python():
    (python,) = (r for r in conda()[0] if r.name == "python")
    assert python.specifier == SpecifierSet(project()["requires-python"])


def test_conda_twin_takes_packages_from_conda_forge_only():
    channels = yaml.safe_load((CHECKOUT / "environment.yml").read_text(encoding="utf-8"))["channels"]
    assert channels == ["conda-forge", "nodefaults"]


def test_jupyter_book_2_is_kept_out_everywhere():
    from_conda, by_pip = conda()
    for where, requirements in (("pyproject.toml", wanted()), ("environment.yml", [*from_conda, *by_pip])):
        found = [r for r in requirements if canonicalize_name(r.name) == "jupyter-book"]
        assert len(found) == 1, where
        assert any(str(part) == "<2" for part in found[0].specifier), where


def test_every_lock_entry_is_pinned_and_hashed():
    entries = lock_entries()
    assert entries
    assert [entry for entry in entries if not LOCK_ENTRY.fullmatch(entry)] == []
    assert [str(r) for r in locked() if not re.fullmatch(r"==[^*,]+", str(r.specifier)) or r.url] == []


def test_lock_names_no_index():
    text = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
    for address in ("://", "--index", "--extra-index", "--find-links", "--trusted-host", "\n-i "):
        assert address not in text


@pytest.mark.parametrize("python", PYTHONS)
def test_lock_pins_every_requirement_within_its_bounds(python):
    pins = {}
    for requirement in locked():
        if holds(requirement, python):
            pins.setdefault(canonicalize_name(requirement.name), []).append(next(iter(requirement.specifier)).version)
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}
    problems = []
    for requirement in wanted():
        if holds(requirement, python):
            found = pins.get(canonicalize_name(requirement.name), [])
            if not any(requirement.specifier.contains(version, prereleases=True) for version in found):
                problems.append(f"{requirement}: locked {found or 'not at all'}; run make lock")
    assert problems == []


def test_one_module_alone_imports_what_is_thinly_maintained():
    """Others would have to change with it, when tf2onnx goes."""
    importing = {
        path.relative_to(CHECKOUT).as_posix()
        for path in (CHECKOUT / "helpers").rglob("*.py")
        if re.search(r"^\s*(import|from) tf2onnx\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert importing == {"helpers/backbones/runtime.py"}


def test_installed_tensorflow_and_keras_are_new_enough():
    (name,) = (r.name for r in wanted() if r.name.startswith("tensorflow") and holds(r, PYTHONS[0]))
    assert Version(metadata.version(name)) >= Version("2.18")
    assert Version(metadata.version("keras")) >= Version("3")


@pytest.mark.parametrize(
    ("given", "whole"),
    [("~/my cells", "HOME/my cells"), ("../data", "PARENT/data"), ("/mnt/My Drive", "/mnt/My Drive")],
)
def test_make_gives_notebooks_the_whole_paths_of_data_and_weights(given, whole):
    shown = 'show: ; @echo "$$LEUKOBOOK_DATA, $$LEUKOBOOK_WEIGHTS"'
    outside = {"MAKEFLAGS": "", "LEUKOBOOK_DATA": given}  # this test may itself run below make
    environment, typed = {**os.environ, **outside}, f"LEUKOBOOK_WEIGHTS={given}"
    said = subprocess.run(
        ["make", "--no-print-directory", f"--eval={shown}", "show", typed],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    path = whole.replace("HOME", str(Path.home())).replace("PARENT", str(CHECKOUT.parent))
    assert said.stdout == f"{path}, {path}\n"
