"""What CI may do: nothing that moves unseen, no right that a job does not need, no credentials beside foreign code."""

import re

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from helpers.project import CHECKOUT

FOLDER = CHECKOUT / ".github"
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.yml"))
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def jobs(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]


def steps(job):
    return [step for step in job["steps"] if "uses" in step]


def images(job):
    """The container images of a job, those of its matrix included."""
    container = job.get("container")
    if container == "${{ matrix.image }}":
        return [entry["image"] for entry in job["strategy"]["matrix"]["include"]]
    return [container] if container else []


def test_every_action_is_a_commit_with_its_version_beside_it(path):
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert used
    assert [line for line in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+.*", line)] == []


def test_one_action_has_one_commit_in_all_workflows():
    text = "\n".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    used = set(re.findall(r"uses: ([\w/-]+)@(\w+)", text))
    assert len(used) == len(dict(used))


def test_every_image_is_a_digest(jobs):
    assert [image for job in jobs.values() for image in images(job) if not DIGEST.search(image)] == []


def test_colab_runs_by_the_digest_that_it_found_and_reports():
    text = (FOLDER / "workflows" / "colab.yml").read_text(encoding="utf-8")
    (run,) = re.findall(r"docker run (?:.*\\\n)+.*", text)
    assert run.split()[-2:] == ['"$DIGEST"', "/in-colab.sh"]
    assert "Image: ${DIGEST:-none}" in text


def test_nothing_is_granted_to_a_whole_workflow_but_reading(path):
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["permissions"] in ({}, {"contents": "read"})


def test_a_job_that_may_write_runs_nothing_of_the_repository_or_of_others(jobs):
    for name, job in jobs.items():
        if "write" in job.get("permissions", {}).values():
            assert not any(step["uses"].startswith("actions/checkout@") for step in steps(job)), name
            assert "container" not in job, name
            assert not re.search("docker|make|pip", str(job["steps"])), name


def test_only_two_jobs_may_write():
    granted = {
        (path.stem, name): {right for right, level in job["permissions"].items() if level == "write"}
        for path in WORKFLOWS
        for name, job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].items()
        if "write" in job.get("permissions", {}).values()
    }
    assert granted == {("book", "publish"): {"pages", "id-token"}, ("colab", "report"): {"issues"}}


def test_a_checkout_leaves_no_credentials_behind(jobs):
    for job in jobs.values():
        for step in steps(job):
            if step["uses"].startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_every_job_ends(jobs):
    assert [name for name, job in jobs.items() if not 0 < job.get("timeout-minutes", 0) <= 120] == []


def test_no_script_contains_what_a_stranger_may_write(path):
    """A title or a branch between ``${{`` and ``}}`` in a script would be code."""
    for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
        assert [step["run"] for step in job["steps"] if "${{" in step.get("run", "")] == []


def test_requirements_are_cached_by_the_lock():
    text = (FOLDER / "workflows" / "test.yml").read_text(encoding="utf-8")
    assert "hashFiles('requirements.lock')" in text
    assert "cache-dependency-path: requirements.lock" in text


def test_the_whole_suite_runs_on_every_python_that_the_project_allows():
    jobs = yaml.safe_load((FOLDER / "workflows" / "test.yml").read_text(encoding="utf-8"))["jobs"]
    tried = [entry["python"] for entry in jobs["test"]["strategy"]["matrix"]["include"]]
    for python, image in zip(tried, images(jobs["test"]), strict=True):
        assert image.startswith(f"python:{python}-bookworm@")
    assert jobs["test"]["steps"][-1] == {"run": "bash .ci/run"}
    pyproject = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    allowed = SpecifierSet(re.search(r'requires-python = "(.*)"', pyproject)[1])
    assert tried == [f"3.{minor}" for minor in range(8, 20) if f"3.{minor}.9" in allowed]


def test_the_lock_is_installed_and_the_book_built_on_macos_and_windows():
    jobs = yaml.safe_load((FOLDER / "workflows" / "test.yml").read_text(encoding="utf-8"))["jobs"]
    assert jobs["systems"]["strategy"]["matrix"]["system"] == ["macos-latest", "windows-latest"]
    scripts = [step["run"] for step in jobs["systems"]["steps"] if "run" in step]
    assert scripts[1] == "python -m pip install --require-hashes -r requirements.lock"
    assert scripts[-1] == "python -m helpers book quick"


def test_dependabot_leaves_jupyter_book_below_2_and_the_image_at_its_python():
    updates = yaml.safe_load((FOLDER / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    ignored = {update["package-ecosystem"]: update.get("ignore", []) for update in updates}
    assert ignored.keys() == {"github-actions", "docker", "pip"}
    assert {"dependency-name": "jupyter-book", "versions": [">=2"]} in ignored["pip"]
    assert ignored["docker"][0]["dependency-name"] == "python"
