"""Whether something can be written is known before the work, and asking leaves nothing behind."""

import collections
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import outputs
from helpers.project import CHECKOUT


def test_the_home_folder_is_filled_in_and_nothing_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert outputs.require_file(Path("~/models/x.keras")) == tmp_path / "models" / "x.keras"
    assert outputs.require_folder(Path("~/out")) == tmp_path / "out"
    assert not list(tmp_path.iterdir())
    with pytest.raises(outputs.OutputError, match="the home folder of this user is not known; give the whole path"):
        outputs.require_file(Path("~nobody-of-this-name/x.keras"))


def test_a_file_may_be_replaced_but_not_a_folder_or_a_device(tmp_path):
    (tmp_path / "there.csv").write_text("old")
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    assert outputs.require_file(tmp_path / "there.csv") == tmp_path / "there.csv"
    assert (tmp_path / "there.csv").read_text() == "old"
    for name, said in (("folder.csv", "is a folder; give the name of a file"), ("pipe.csv", "is a named pipe")):
        with pytest.raises(outputs.OutputError, match=rf"{name}: {said}"):
            outputs.require_file(tmp_path / name)
    with pytest.raises(outputs.OutputError, match=r"there\.csv: is a file, not a folder"):
        outputs.require_file(tmp_path / "there.csv" / "more" / "x.csv")
    with pytest.raises(outputs.OutputError, match=r"there\.csv: is a file, not a folder"):
        outputs.require_folder(tmp_path / "there.csv")


def test_a_file_that_will_be_replaced_is_announced(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert outputs.replacement_note(tmp_path / "t.csv") == ""
    (tmp_path / "t.csv").write_text("old")
    assert outputs.replacement_note(Path("~/t.csv")) == "~/t.csv: exists from an earlier run and will be replaced"


def test_a_folder_that_cannot_be_written_to_is_refused():
    with pytest.raises(outputs.OutputError, match=r"/proc/x: cannot be written to .*; choose another folder"):
        outputs.require_folder(Path("/proc/x"))


def test_a_read_only_folder_is_refused_for_a_user_without_rights(tmp_path):
    """Root may write anywhere, so that root becomes another user first."""
    tmp_path.chmod(0o555)
    code = """
import os, sys
from pathlib import Path
from helpers import outputs
if os.geteuid() == 0:
    os.setuid(65534)
try:
    outputs.require_file(Path(sys.argv[1]))
except outputs.OutputError as error:
    print(error)
"""
    words = [sys.executable, "-c", code, str(tmp_path / "x.csv")]
    done = subprocess.run(words, capture_output=True, text=True, cwd=CHECKOUT)
    assert "cannot be written to (Permission denied); choose another folder" in done.stdout


def test_a_disk_that_is_nearly_full_is_refused(tmp_path, monkeypatch):
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(outputs.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 12 * 2**20))
    with pytest.raises(
        outputs.OutputError, match="12 MB are free on this disk, and 200 MB are needed; free some space"
    ):
        outputs.require_file(tmp_path / "x.csv")
    assert outputs.require_file(tmp_path / "x.csv", needed=2**20) == tmp_path / "x.csv"


def test_inputs_are_named_below_their_folder(tmp_path):
    paths = [tmp_path / "a" / "1.png", tmp_path / "b" / "c" / "1.png"]
    assert outputs.relative_names(paths) == ["a/1.png", "b/c/1.png"]
    assert outputs.relative_names(paths, tmp_path.parent)[0] == f"{tmp_path.name}/a/1.png"
    assert outputs.relative_names(paths[:1]) == ["1.png"]
    assert outputs.relative_names([]) == []
    strange = tmp_path / os.fsdecode(b"\xff.png")
    assert outputs.relative_names([strange]) == ["\\xff.png"]
