"""The command line: help comes without the libraries of the commands, and an installed command knows its version."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from bright_cells import bright_cell, save_segmenter
from disc_fields import disc_field, save_detector_files
from factories import cell_folder, save
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from red_cells import save_cells, save_model
from typer.testing import CliRunner

from helpers.cli import app
from helpers.project import CHECKOUT
from helpers.runs import provenance

# What takes from a tenth of a second to several seconds to import.
HEAVY = {
    "PIL", "cv2", "dask", "distributed", "keras", "matplotlib", "nbformat", "numpy", "onnxruntime", "optuna", "pandas",
    "papermill", "pooch", "pyarrow", "pydantic", "requests", "scipy", "skimage", "sklearn", "tensorflow",
}  # fmt: skip
IMPORTED = """
import json, sys
from helpers.cli import app
try:
    app(sys.argv[1:])
except SystemExit as end:
    print(json.dumps([end.code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def imported(*words, **environment):
    """Exit code of a command, and the packages that it has imported."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *words],
        cwd=CHECKOUT, env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    code, names = json.loads(done.stdout.splitlines()[-1])
    return code, set(names)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(option):
    code, names = imported(option)
    assert code == 0
    assert names & HEAVY == set()


@pytest.mark.parametrize(
    "command", ["book", "count", "data", "explain", "predict", "run", "segment", "train", "train-detector"]
)
def test_the_help_of_a_command_imports_nothing_heavy_but_what_typer_does(command):
    code, names = imported(command, "--help")
    assert code == 0
    assert names & HEAVY <= {"pydantic"}  # with which newer versions of typer convert values


def test_the_list_of_datasets_needs_neither_tensorflow_nor_scikit_learn(tmp_path):
    code, names = imported("data", "list", LEUKOBOOK_DATA=str(tmp_path))
    assert code == 0
    assert names & {"keras", "matplotlib", "nbformat", "skimage", "sklearn", "tensorflow"} == set()
    assert "pandas" in names


def test_a_command_of_another_package_than_the_project_has_is_refused(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers" / "__main__.py").write_text("")
    monkeypatch.setenv("LEUKOBOOK_PROJECT", str(tmp_path))
    done = CliRunner().invoke(app, ["run", "quick"])
    assert done.exit_code == 1
    assert f"{tmp_path}: its notebooks import the package of their own project" in done.stderr
    assert f"call the one of the project: {tmp_path / '.venv/bin/leukobook'}" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["run", "quick"],
        ["book", "quick"],
        ["slides", "quick"],
        ["pdf", "quick"],
        ["report", "quick"],
        ["notebooks"],
        ["publish"],
    ],
)
def test_a_folder_without_notebooks_is_no_project(tmp_path, monkeypatch, words):
    monkeypatch.setenv("LEUKOBOOK_PROJECT", str(tmp_path))
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1
    assert f"{tmp_path}: no project, as it has no folder notebooks; call the command from a checkout" in done.stderr


def test_a_package_that_is_not_installed_says_so_instead_of_a_version(monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGE", "leukobook-elsewhere")
    done = CliRunner().invoke(app, ["--version"])
    assert done.exit_code == 1
    assert done.stderr == "leukobook-elsewhere is not installed, so it has no version; run make env\n"


def test_the_version_names_the_commit_of_a_checkout(monkeypatch):
    monkeypatch.setattr(provenance, "commit", lambda: "0123456789abcdef" * 2 + "01234567+changes")
    shown = CliRunner().invoke(app, ["--version"]).stdout
    assert shown == f"leukobook {metadata.version('leukobook')} (commit 0123456789ab+changes)\n"


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """The commands of an environment in which the package is installed, beside the libraries of this one."""
    folder, uv = tmp_path_factory.mktemp("installed"), Path(sys.executable).with_name("uv")
    source = folder / "source"  # a build writes beside what it builds
    shutil.copytree(CHECKOUT / "helpers", source / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, source)
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    packages = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip()
    (Path(packages) / "libraries.pth").write_text(str(Path(pytest.__file__).resolve().parents[1]))
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", python, "--offline", "--no-deps", "--no-build-isolation", source],
        check=True,
    )
    return python.parent


def test_a_wheel_holds_every_file_of_the_package(installation):
    (packages,) = installation.parent.glob("lib/python*/site-packages")
    installed = {path.relative_to(packages).as_posix() for path in (packages / "helpers").rglob("*.*")}
    names = subprocess.check_output(["git", "ls-files", "helpers"], cwd=CHECKOUT, text=True).split()
    assert len(names) > 200
    assert set(names) - installed == set()


def test_the_installed_command_runs_elsewhere_and_has_a_version_and_no_project(installation, tmp_path):
    def call(*words):
        return subprocess.run(
            [installation / "leukobook", *words], cwd=tmp_path, env=outside(), capture_output=True, text=True
        )

    assert call("--version").stdout == f"leukobook {metadata.version('leukobook')}\n"
    assert re.search("Usage: leukobook .*COMMAND", call("--help").stdout)
    refused = call("run", "quick")
    assert refused.returncode == 1
    assert "no project, as it has no folder notebooks" in refused.stderr


# --- what pip brings without the extras for notebooks, the book and tests

BLOCK = """
import json, sys
from importlib.abc import MetaPathFinder
from pathlib import Path

names = set(json.loads(Path(__file__).with_name("extras.json").read_text(encoding="utf-8")))


class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Missing())
"""


def required():
    """The distributions that ``pip install leukobook[tensorflow]`` brings."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = set()
    waiting = [(line, "") for line in [*project["dependencies"], *project["optional-dependencies"]["tensorflow"]]]
    while waiting:
        line, extra = waiting.pop()
        needed = Requirement(line)
        if needed.marker and not needed.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(needed.name)
        for option in ("", *needed.extras):
            if (name, option) not in found:
                found.add((name, option))
                waiting += [(line, option) for line in metadata.requires(name) or ()]
    return {"leukobook", *(name for name, _ in found)}


@pytest.fixture(scope="module")
def plain(installation):
    """The same commands where the libraries are those of ``pip install leukobook[tensorflow]``."""
    kept = required()
    lists = metadata.packages_distributions()
    extras = [name for name, owners in lists.items() if not {canonicalize_name(owner) for owner in owners} & kept]
    assert {"papermill", "nbclient", "jupyter_book", "distributed", "pytest"} <= set(extras)
    (packages,) = installation.parent.glob("lib/python*/site-packages")
    (packages / "plain.py").write_text(BLOCK, encoding="utf-8")
    (packages / "extras.json").write_text(json.dumps(extras), encoding="utf-8")
    (packages / "plain.pth").write_text("import plain\n")
    yield installation
    (packages / "plain.pth").unlink()


ROOMS = ("checks", "counting", "datasets", "evaluation", "learners", "prediction", "segmentation", "training")


def test_commands_on_data_and_models_import_only_what_pip_brings(plain, tmp_path):
    lines = [f"import helpers.{room}" for room in ROOMS]
    for path in (CHECKOUT / "helpers").rglob("*.py"):
        if path.relative_to(CHECKOUT / "helpers").parts[0].removesuffix(".py") in ROOMS:
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            lines += [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    wanted = [line for line in dict.fromkeys(lines) if "__future__" not in line]
    assert len(wanted) > 200
    code = "try:\n    import papermill\nexcept ImportError:\n    pass\nelse:\n    raise SystemExit('not blocked')\n"
    (tmp_path / "all.py").write_text(code + "\n".join(wanted), encoding="utf-8")
    environment = outside()
    done = subprocess.run([plain / "python", "all.py"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture
def call(plain, tmp_path):
    """The installed command in an empty folder, which must succeed."""

    def run(*words):
        command = [plain / "leukobook", *words]
        done = subprocess.run(command, cwd=tmp_path, env=outside(), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run


def test_data_train_and_predict_work_outside_a_checkout(call, tmp_path):
    cell_folder(tmp_path / "cells", ("a", "b"), 12, patients=12)
    assert "cells: 24 images, 12 groups, all readable" in call("data", "check", "folder:cells")
    options = ("--positive", "a", "--model-type", "features", "--model", "m.features")
    assert "AUC" in call("train", "folder:cells", *options)
    call("predict", "cells", "--model", "m.features")
    assert len((tmp_path / "predictions.csv").read_text(encoding="utf-8").splitlines()) == 25


def test_an_evaluation_with_its_report_works_outside_a_checkout(call, tmp_path):
    cell_folder(tmp_path / "cells", ("a", "b"), 12, patients=12)
    call("evaluate", "folder:cells", "--out", "report", "--positive", "a")
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "24 images" in page
    assert "Not for diagnosis" in page


def test_segment_explain_and_count_work_outside_a_checkout(call, tmp_path):
    save(tmp_path / "cells" / "cell.png", bright_cell())
    save_segmenter(tmp_path / "segmenter.keras")
    call("segment", "cells", "--model", "segmenter.keras")
    assert (tmp_path / "segmented" / "cell.png.mask.png").is_file()
    save_model(tmp_path)
    call("explain", *map(str, save_cells(tmp_path / "red", {"a.png": 0.9, "b.png": 0.2})), "--model", "m.keras")
    assert (tmp_path / "explained" / "scores.csv").is_file()
    save(tmp_path / "films" / "field.png", disc_field([(100, 80), (300, 200)]))
    save_detector_files(tmp_path)
    words = ("--model", "m.keras", "--detector", "discs.keras", "--um-per-pixel", "0.25")
    assert "2 white blood cells in 1 fields" in call("count", "films", *words)


def outside():
    """The environment without the checkout."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "LEUKOBOOK_PROJECT")}
