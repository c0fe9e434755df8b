"""Files that are written whole, locks that a kill frees, and what killed processes leave."""

import contextlib
import io
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
import tracemalloc
import zipfile
from pathlib import Path

import filelock
import pytest
from bad_inputs.archives import lying

from helpers import files
from helpers.project import CHECKOUT


def program(code, *arguments):
    """A Python process that runs this code; its standard output is text to read from."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )


def dead_process():
    """The number of a process that has just ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


# --- locks

HOLD = """
    import sys, time
    from pathlib import Path
    {hide}
    from helpers import files
    with files.locked(Path(sys.argv[1]), wait=False):
        print("held", flush=True)
        time.sleep(60)
"""


# From 3.22 on, filelock also frees the marker of a dead process, which it makes where there are no locks.
SYSTEMS = (
    [""] if tuple(map(int, filelock.__version__.split(".")[:2])) < (3, 22) else ["", "sys.modules['fcntl'] = None"]
)


@pytest.mark.parametrize("hide", SYSTEMS)
def test_a_lock_is_refused_while_it_is_held_and_free_after_a_kill(tmp_path, hide):
    code, lock = HOLD.format(hide=hide), tmp_path / "lock"
    with program(code, lock) as first:
        assert first.stdout.readline() == "held\n"
        with program(code, lock) as second:
            assert (
                f"LockedError: {tmp_path}: another process works here; wait for it, or stop it" in second.stderr.read()
            )
        first.send_signal(signal.SIGKILL)
    with program(code, lock) as third:
        assert third.stdout.readline() == "held\n"
        third.kill()


def test_a_process_that_waits_for_a_lock_gets_it(tmp_path):
    with program(HOLD.format(hide=""), tmp_path / "lock") as first:
        assert first.stdout.readline() == "held\n"
        first.kill()
        with files.locked(tmp_path / "lock", wait=True):
            pass


def test_a_lock_is_free_again_after_an_error(tmp_path):
    for _ in range(2):
        with pytest.raises(KeyError), files.locked(tmp_path / "lock", wait=False):
            raise KeyError


def test_all_that_locks_can_be_imported_where_there_is_no_fcntl():
    """On Windows, and in a browser."""
    code = "import sys; sys.modules['fcntl'] = None; import helpers.backbones, helpers.runs.records"
    with program(code) as process:
        assert process.wait() == 0, process.stderr.read()
    assert [path for path in (CHECKOUT / "helpers").rglob("*.py") if "fcntl" in path.read_text(encoding="utf-8")] == []


# --- leftovers


def test_what_a_dead_process_left_is_removed_and_the_rest_stays(tmp_path):
    mine = tmp_path / f"{files.own_prefix('kernel-')}abc"
    machine = mine.name.split("-")[1]
    dead = tmp_path / f"kernel-{machine}-{dead_process()}-abc"
    for folder in (mine, dead):
        folder.mkdir()
        (folder / "socket").write_bytes(b"")
    (tmp_path / f"kernel-{machine}-{dead_process()}-file").write_bytes(b"")
    kept = ["kernel-abc", f"kernel-{machine}-12", f"other-{machine}-{dead_process()}-abc", f"kernel-{'0' * 8}-1-abc"]
    for name in kept:
        (tmp_path / name).write_bytes(b"")
    files.remove_leftovers(tmp_path, "kernel-")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*kept, mine.name])


def test_a_temporary_folder_goes_at_the_end_and_takes_what_was_left_with_it(tmp_path):
    machine = files.own_prefix("").split("-")[0]
    (tmp_path / f"sweep-{machine}-{dead_process()}-abc").mkdir()
    with files.temporary_folder("sweep-", tmp_path) as made:
        (made / "content").touch()
        assert list(tmp_path.iterdir()) == [made]
    assert list(tmp_path.iterdir()) == []


def test_a_link_that_was_left_is_removed_and_not_followed(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "cell.png").write_bytes(b"")
    machine = files.own_prefix("").split("-")[0]
    (tmp_path / f"part-{machine}-{dead_process()}-x").symlink_to(tmp_path / "mine")
    files.remove_leftovers(tmp_path, "part-")
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]
    assert (tmp_path / "mine" / "cell.png").exists()


def test_what_another_machine_left_goes_after_a_week(tmp_path):
    for name, days in (("new", 6.9), ("old", 7.1)):
        path = tmp_path / f"part-00000000-1-{name}"
        path.write_bytes(b"")
        os.utime(path, (0, time.time() - days * 86_400))
    files.remove_leftovers(tmp_path, "part-")
    assert [p.name for p in tmp_path.iterdir()] == ["part-00000000-1-new"]


def test_a_folder_that_is_not_there_has_no_leftovers(tmp_path):
    files.remove_leftovers(tmp_path / "none", "part-")
    assert list(tmp_path.iterdir()) == []


def test_what_a_kill_left_of_a_file_is_gone_when_the_folder_is_written_to_again(tmp_path):
    code = """
    import os, signal, sys
    from pathlib import Path
    from helpers import files
    with files.atomic_write(Path(sys.argv[1])) as part:
        part.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    """
    for _ in range(2):
        with program(code, tmp_path / "a.txt"):
            pass
        assert len(list(tmp_path.glob("part-*-a.txt"))) == 1  # the first one was removed by the second process
    files.write_text(tmp_path / "b.txt", "whole")
    assert [p.name for p in tmp_path.iterdir()] == ["b.txt"]


# --- whole files


def test_a_failure_leaves_the_file_that_was_there(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(KeyError), files.atomic_write(tmp_path / "a.txt") as part:
        part.write_text("half")
        raise KeyError
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


@pytest.mark.skipif(os.name == "nt", reason="has no such permissions")
def test_a_file_keeps_its_permissions_and_a_new_one_has_those_of_the_user(tmp_path):
    before = os.umask(0o027)
    try:
        files.write_text(tmp_path / "a.txt", "old")
        (tmp_path / "a.txt").chmod(0o600)
        files.write_text(tmp_path / "a.txt", "new")
        files.write_text(tmp_path / "b.txt", "new")
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.txt", "b.txt")] == [0o600, 0o640]


@pytest.mark.parametrize("name", ["a" * 251 + ".csv", "ä" * 125 + ".csv", "a." + "b" * 253, "ä" * 120 + ".weights.h5"])
def test_a_name_as_long_as_a_name_may_be_is_written(tmp_path, name):
    with files.atomic_write(tmp_path / name) as part:
        part.write_text("x")
        assert part.name.endswith(name[-11:])
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_files_of_one_ending_may_be_written_at_once(tmp_path):
    names = [f"{k}{'a' * 200}.csv" for k in range(3)]
    with contextlib.ExitStack() as stack:
        parts = [stack.enter_context(files.atomic_write(tmp_path / name)) for name in names]
        for k, part in enumerate(parts):
            part.write_text(str(k))
    assert [(tmp_path / name).read_text() for name in names] == ["0", "1", "2"]


def test_an_error_of_the_disk_names_the_file_and_not_its_partial_one(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        files.write_text(tmp_path / "none" / "a.txt", "x")
    assert caught.value.filename == str(tmp_path / "none" / "a.txt")
    with pytest.raises(OSError, match="No space left") as caught, files.atomic_write(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")  # a write names no file
    assert str(caught.value) == f"[Errno 28] No space left on device: '{tmp_path / 'a.txt'}'"
    with pytest.raises(OSError, match="h5py") as caught, files.atomic_write(tmp_path / "a.txt"):
        raise OSError("a library's own, h5py")
    assert list(tmp_path.iterdir()) == []


# --- what is not a file


def test_what_is_not_a_file_is_named_before_it_is_opened(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    found = {name: files.irregular_file_kind(tmp_path / name) for name in ("file", "link", "loop", "pipe", ".")}
    assert found == {"file": "", "link": "", "loop": "a loop of links", "pipe": "a named pipe", ".": "a folder"}
    assert files.irregular_file_kind(Path(os.devnull)) == "a device"
    with pytest.raises(FileNotFoundError):
        files.irregular_file_kind(tmp_path / "none")


# --- members of a zip


def zipped(compression, content=b"cell" * 1000):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("a", content)
    return buffer


@pytest.mark.parametrize("compression", files.UNPACKED)
@pytest.mark.parametrize("content", [b"", b"cell" * 1000])
def test_a_member_of_a_zip_is_read(compression, content):
    with zipfile.ZipFile(zipped(compression, content)) as archive:
        assert files.read_member(archive, archive.infolist()[0], len(content)) == content
        if content:
            with pytest.raises(zipfile.BadZipFile, match="a has 4,000 bytes unpacked, and may have 3,999"):
                files.read_member(archive, archive.infolist()[0], 3999)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_unpacks_at_one_go_is_refused(compression):
    said = f"a uses compression method {compression}; only Deflate is supported"
    with zipfile.ZipFile(zipped(compression)) as archive, pytest.raises(zipfile.BadZipFile, match=said):
        files.read_member(archive, archive.infolist()[0], 10_000)


def test_a_member_that_holds_more_or_less_than_it_declares_is_refused_in_little_memory():
    content = lying({"a": b"cell" * 10, "b": b"1"}, "a", 200)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        first, second = archive.infolist()
        assert (first.file_size, len(archive.read(first))) == (40, 40)  # zipfile does not see it
        tracemalloc.start()
        try:
            with pytest.raises(zipfile.BadZipFile, match="a does not hold the 40 bytes that it declares"):
                files.read_member(archive, first, 1000)
            assert tracemalloc.get_traced_memory()[1] < 2**20
        finally:
            tracemalloc.stop()
        assert files.read_member(archive, second, 1) == b"1"
        second.file_size = 9
        with pytest.raises(zipfile.BadZipFile, match="b does not hold the 9 bytes that it declares"):
            files.read_member(archive, second, 9)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes in folders")
def test_a_pipe_or_a_device_is_not_replaced_by_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path / "link"):
        if path != pipe:
            path.symlink_to(os.devnull)
        with pytest.raises(OSError, match="which a file would replace") as caught:
            files.write_text(path, "text")
        assert caught.value.filename == str(path)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe"]
