"""What differs on Windows and macOS, as far as Linux can show it: names, open files, sockets, modules, the lock."""

import ast
import functools
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path, PureWindowsPath

import nbformat
import pytest
from indexes import uv_environment

from helpers import files
from helpers.project import CHECKOUT
from helpers.runs import kernels

LINUX = sys.platform == "linux"


@pytest.fixture
def windows_files(monkeypatch):
    """Renaming and removing as on Windows: refused while this process has the file open or mapped."""

    def in_use():
        held = [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]
        return {*held, *re.findall(r"\S+$", Path("/proc/self/maps").read_text(encoding="utf-8"), re.MULTILINE)}

    def refusing(function):
        def refuse(*paths, **options):
            for path in map(os.path.realpath, paths):
                if path in in_use():
                    raise PermissionError(13, "The process cannot access the file because it is being used", path)
            return function(*paths, **options)

        return refuse

    for name in ("replace", "rename", "unlink", "remove"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))


@pytest.mark.skipif(not LINUX, reason="elsewhere the system itself does so, or has no list of open files")
def test_the_simulation_refuses_what_windows_refuses(windows_files, tmp_path):
    held = tmp_path / "held"
    with held.open("w"), pytest.raises(PermissionError):
        held.replace(tmp_path / "other")
    held.replace(tmp_path / "other")
    with (tmp_path / "other").open(), pytest.raises(PermissionError):
        (tmp_path / "other").unlink()


@pytest.mark.skipif(not LINUX, reason="needs the simulation")
def test_a_file_is_replaced_when_it_is_written_again(windows_files, tmp_path):
    for content in ("old", "new"):
        files.write_text(tmp_path / "a.csv", content)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.csv", "new")]


def test_an_open_file_is_not_replaced_on_windows_and_the_error_names_it(request, tmp_path):
    if LINUX:
        request.getfixturevalue("windows_files")
    elif os.name != "nt":
        pytest.skip("only Windows refuses")
    files.write_text(tmp_path / "a.csv", "old")
    with (tmp_path / "a.csv").open(), pytest.raises(PermissionError, match=r"a\.csv"):
        files.write_text(tmp_path / "a.csv", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.csv", "old")]


class Windows:
    """The module os of a system with another name."""

    name = "nt"

    def __getattr__(self, name):
        return getattr(os, name)


@pytest.mark.parametrize("windows", [True, False])
def test_a_kernel_works_without_sockets_in_folders(windows, tmp_path, monkeypatch):
    if windows:
        monkeypatch.setattr(kernels, "os", Windows())
    transport = kernels._config(tmp_path).get("KernelManager", {}).get("transport", "tcp")
    assert transport == ("tcp" if windows or os.name == "nt" else "ipc")
    cells = [nbformat.v4.new_code_cell("value = 1", metadata={"tags": ["parameters"]})]
    cells += [nbformat.v4.new_code_cell("print(value, get_ipython().kernel.session.key != b'')")]
    source, target = tmp_path / "in.ipynb", tmp_path / "out.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}}), source)
    kernels.execute(source, target, {"value": 7}, tmp_path, progress=False)
    assert nbformat.read(target, 4).cells[-1].outputs[0].text == "7 True\n"  # a port takes only signed messages


POSIX_MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios"}
POSIX_NAMES = {
    "os.chown", "os.fork", "os.getegid", "os.geteuid", "os.getgid", "os.getuid", "os.killpg", "os.mkfifo", "os.setsid",
    "os.statvfs", "os.sysconf", "signal.SIGALRM", "signal.SIGHUP", "signal.SIGKILL",
}  # fmt: skip


@functools.cache
def modules():
    """The syntax tree of every module of the package, by its path in the checkout."""
    paths = sorted((CHECKOUT / "helpers").rglob("*.py"))
    return {path.relative_to(CHECKOUT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def test_no_module_uses_what_only_posix_has():
    imported, used = set(), set()
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported |= {(path, name.name) for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((path, node.module))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used.add((path, f"{node.value.id}.{node.attr}"))
    assert len(imported) > 500
    assert {(path, name) for path, name in imported if name in POSIX_MODULES} == set()
    assert {(path, name) for path, name in used if name in POSIX_NAMES} == {
        ("helpers/processes.py", "signal.SIGKILL")
    }  # below a check that this is Linux


def test_every_text_is_read_and_written_with_its_encoding():
    """Windows would take that of its country."""
    bare = {
        path
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("read_text", "write_text")
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id == "files")
        and not any(keyword.arg == "encoding" for keyword in node.keywords)
    }
    assert bare == set()


def committed():
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=CHECKOUT, text=True)
    return listed.split("\0")[:-1]


def test_every_committed_name_is_one_on_every_system():
    names = committed()
    assert len(names) > 500
    assert [name for name in names if re.search(r'[<>:"\\|?*\x00-\x1f]|[. ](/|$)', name)] == []
    assert [name for name in names if any(PureWindowsPath(part).is_reserved() for part in name.split("/"))] == []
    assert [name for name, n in Counter(name.casefold() for name in names).items() if n > 1] == []
    assert [name for name in names if not name.isascii()] == []  # macOS may spell others in another way
    assert max(map(len, names)) < 120  # Windows has 260 characters for a whole path


# --- the lock

# Each system and each end of the range of Python; the lock of this machine is installed by make env.
ELSEWHERE = [("x86_64-pc-windows-msvc", "3.13"), ("aarch64-apple-darwin", "3.11"), ("aarch64-manylinux_2_28", "3.13")]


@pytest.mark.slow
@pytest.mark.parametrize(("platform", "python"), ELSEWHERE)
def test_the_lock_installs_wheels_with_known_hashes_on_every_system(platform, python, tmp_path):
    uv = Path(sys.executable).with_name("uv")
    where = ["--python-platform", platform, "--python-version", python, "--target", tmp_path]
    strict = ["--require-hashes", "--only-binary", ":all:", "--requirement", CHECKOUT / "requirements.lock"]
    done = subprocess.run(
        [uv, "pip", "install", "--dry-run", *where, *strict],
        env=uv_environment() | {"MACOSX_DEPLOYMENT_TARGET": "14.0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    named = set(re.findall(r"^ \+ ([\w-]+)==", done.stderr, re.MULTILINE))
    assert {"numpy", "keras", "jupyter-book"} <= named
    assert named & {"tensorflow", "tensorflow-cpu"} == {"tensorflow-cpu" if "windows" in platform else "tensorflow"}
