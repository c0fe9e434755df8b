"""Containers and hooks use the lock and the project's own tools, and a container's course is not the root's."""

import json
import os
import re
import subprocess
import sys

import nbformat
import yaml

from helpers.project import CHECKOUT
from helpers.runs import notebooks

LARGEST = 1024  # KiB, of a committed file


def read(name):
    return (CHECKOUT / name).read_text(encoding="utf-8")


def test_the_image_is_a_digest_and_installs_the_lock_with_its_hashes_for_a_user_without_rights():
    lines = [line for line in read("Dockerfile").replace("\\\n", "").splitlines() if line and line[0] != "#"]
    assert re.fullmatch(r"FROM python:3\.11-slim-bookworm@sha256:[0-9a-f]{64}", lines[0])
    (user,) = [line for line in lines if line.startswith("USER")]
    assert user == "USER leukobook"
    installing = [line for line in lines if "pip install" in line]
    assert len(installing) == 2
    assert "--require-hashes -r requirements.lock" in installing[0]
    assert "--no-deps" in installing[1]
    assert [line for line in lines[: lines.index(user)] if "pip" in line or line.startswith("COPY")] == []
    ignored = set(read(".dockerignore").splitlines())
    assert {line.strip("/") for line in read(".gitignore").splitlines() if line.startswith("/")} <= ignored
    assert ".git" in ignored


def test_the_image_listens_in_its_container_and_the_guide_publishes_that_on_this_machine_only():
    assert "--ip=0.0.0.0" in read("Dockerfile")
    published = re.findall(r"--publish (\S+)", read("book/how-to-use.md"))
    assert published == ["127.0.0.1:8888:8888"]


def test_the_development_container_is_the_image_of_ci_with_the_environment_of_make():
    text = "\n".join(line for line in read(".devcontainer/devcontainer.json").splitlines() if line[:2] != "//")
    container = json.loads(text)
    workflow = yaml.safe_load(read(".github/workflows/test.yml"))["jobs"]["test"]
    assert container["image"] == workflow["strategy"]["matrix"]["include"][0]["image"]
    assert container["postCreateCommand"].endswith("make env")


def test_binder_installs_the_lock_and_then_the_package_alone():
    wanted = [line for line in read(".binder/requirements.txt").splitlines() if not line.startswith("#")]
    assert wanted == ["-r ../requirements.lock"]
    assert (CHECKOUT / ".binder" / "../requirements.lock").is_file()
    assert read(".binder/runtime.txt") == "python-3.11\n"
    assert "--no-deps --editable ." in read(".binder/postBuild")
    assert os.access(CHECKOUT / ".binder" / "postBuild", os.X_OK)


def test_a_hook_writes_a_notebook_in_its_committed_form(tmp_path):
    cells = [nbformat.v4.new_code_cell("print(1)", execution_count=7, metadata={"papermill": {"duration": 1.2}})]
    path = tmp_path / "a.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    wanted = notebooks.committed_text(path)
    assert path.read_text(encoding="utf-8") != wanted
    subprocess.run([sys.executable, CHECKOUT / ".ci" / "normalise.py", path], cwd=CHECKOUT, check=True)
    assert path.read_text(encoding="utf-8") == wanted
    assert "papermill" not in wanted


def test_hooks_use_the_tools_of_the_lock_and_a_commit_of_others():
    own, local = sorted(
        yaml.safe_load(read(".pre-commit-config.yaml"))["repos"], key=lambda repo: repo["repo"] == "local"
    )
    assert re.fullmatch(r"[0-9a-f]{40}", own["rev"])
    assert own["hooks"] == [{"id": "check-added-large-files", "args": [f"--maxkb={LARGEST}"]}]
    assert {hook["id"] for hook in local["hooks"]} == {"ruff-check", "ruff-format", "codespell", "notebooks"}
    assert all(hook["entry"].startswith(".venv/bin/") for hook in local["hooks"])


def test_no_committed_file_is_larger_than_the_hook_allows():
    names = subprocess.check_output(["git", "ls-files", "-z"], cwd=CHECKOUT, text=True).split("\0")[:-1]
    assert names
    assert [name for name in names if (CHECKOUT / name).stat().st_size > LARGEST * 1024] == []
