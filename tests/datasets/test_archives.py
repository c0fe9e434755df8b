"""Archives that are damaged, too large, laid out otherwise, or try to do harm."""

import contextlib
import gzip
import hashlib
import io
import os
import signal
import stat
import struct
import subprocess
import sys
import tarfile
import time
import types
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from PIL import Image

from helpers import datasets
from helpers.datasets import DatasetError, archives, folder, members


def files_below(place):
    return sorted(p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file())


def make_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def make_tar(path, members):
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def nothing_left(place, *besides):
    return sorted(p.name for p in place.iterdir()) == sorted(besides)


@pytest.mark.parametrize(("make", "name"), [(make_zip, "a.zip"), (make_tar, "a.tar.gz"), (make_tar, "a.tgz"),
                                            (make_tar, "a.tar"), (make_zip, "A.ZIP")])  # fmt: skip
def test_a_good_archive_is_unpacked(tmp_path, make, name):
    archive = make(tmp_path / name, {"train/a.txt": b"1", "train/deeper/ä.txt": b"2", "b.txt": b""})
    place = tmp_path / "place"
    written = archives.unpack(archive, place)
    assert files_below(place) == ["b.txt", "train/a.txt", "train/deeper/ä.txt"]
    assert sorted(written) == sorted(place / name for name in files_below(place))
    assert (place / "train/deeper/ä.txt").read_bytes() == b"2"


@pytest.mark.parametrize(("make", "name"), [(make_zip, "a.zip"), (make_tar, "a.tar.gz")])
def test_real_images_arrive_byte_by_byte(tmp_path, real, make, name):
    dataset = real("wbc1")
    contents = {path: (dataset.reader.root / path).read_bytes() for path in dataset.frame["path"].head(20)}
    written = archives.unpack(make(tmp_path / name, contents), tmp_path / "place")
    assert {path.relative_to(tmp_path / "place").as_posix(): path.read_bytes() for path in written} == contents


def test_files_of_the_same_name_are_replaced_and_others_kept(tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    (place / "a.txt").write_bytes(b"old")
    (place / "mine.txt").write_bytes(b"mine")
    archives.unpack(make_zip(tmp_path / "a.zip", {"a.txt": b"new"}), place)
    assert (place / "a.txt").read_bytes() == b"new"
    assert (place / "mine.txt").read_bytes() == b"mine"


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize(
    "name", ["../escaped.txt", "a/../../escaped.txt", "/escaped.txt", "..\\escaped.txt", "C:/e.txt"]
)
def test_a_member_that_would_land_outside_is_refused(tmp_path, make, name):
    suffix = ".zip" if make is make_zip else ".tar.gz"
    archive = make(tmp_path / f"bad{suffix}", {"good.txt": b"1", name: b"2"})
    place = tmp_path / "below" / "place"
    with pytest.raises(DatasetError, match="outside its folder"):
        archives.unpack(archive, place)
    assert nothing_left(place)
    assert nothing_left(tmp_path / "below", "place")


def test_a_member_without_a_name_is_refused(tmp_path):
    with pytest.raises(DatasetError):
        archives.unpack(make_zip(tmp_path / "bad.zip", {".": b"1"}), tmp_path / "place")
    assert nothing_left(tmp_path / "place")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_link_or_device_in_a_tar_is_refused(tmp_path, kind):
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        info = tarfile.TarInfo("link")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(DatasetError, match="link or a device"):
        archives.unpack(tmp_path / "bad.tar", tmp_path / "place")
    assert nothing_left(tmp_path / "place")


def test_a_symbolic_link_in_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("good.txt", b"1")
        info = zipfile.ZipInfo("link")
        info.create_system = 3
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DatasetError, match="link or a device"):
        archives.unpack(tmp_path / "bad.zip", tmp_path / "place")
    assert nothing_left(tmp_path / "place")


@pytest.mark.parametrize(("make", "name"), [(make_zip, "bomb.zip"), (make_tar, "bomb.tar.gz")])
def test_a_bomb_is_stopped_and_leaves_nothing_behind(tmp_path, make, name):
    archive = make(tmp_path / name, {"a": b"\0" * 2_000_000, "b": b"\0" * 2_000_000})
    assert archive.stat().st_size < 20_000
    with pytest.raises(DatasetError, match="more than 3,000,000 bytes"):
        archives.unpack(archive, tmp_path / "place", max_bytes=3_000_000)
    assert nothing_left(tmp_path / "place")
    assert len(archives.unpack(archive, tmp_path / "place", max_bytes=4_000_000)) == 2


def test_an_archive_of_too_many_members_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "MAX_MEMBERS", 3)
    archive = make_zip(tmp_path / "many.zip", {f"{k}": b"" for k in range(4)})
    with pytest.raises(DatasetError, match="more than 3 members"):
        archives.unpack(archive, tmp_path / "place")
    assert nothing_left(tmp_path / "place")


@pytest.mark.parametrize(("make", "name"), [(make_zip, "a.zip"), (make_tar, "a.tar.gz"), (make_tar, "a.tar")])
@pytest.mark.parametrize("damage", ["cut", "flipped", "page"])
def test_a_damaged_archive_leaves_nothing_behind(tmp_path, make, name, damage):
    archive = make(tmp_path / name, {"first": b"1", "second": hashlib.shake_256(b"x").digest(200_000)})
    content = bytearray(archive.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flipped":
        if name == "a.tar":
            content[1024:1536] = b"\xff" * 512  # the header of the second member
        else:
            content[len(content) // 2 : len(content) // 2 + 5000] = b"\xaa" * 5000
    else:
        content = b"<html>please log in</html>"
    archive.write_bytes(content)
    with pytest.raises(DatasetError, match="damaged or not an archive"):
        archives.unpack(archive, tmp_path / "place")
    assert nothing_left(tmp_path / "place")


def test_an_archive_with_a_password_is_refused(tmp_path):
    archive = make_zip(tmp_path / "locked.zip", {"a": b"1"})
    content = bytearray(archive.read_bytes())
    content[6] |= 1  # the flag of encryption, in the local header and in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(DatasetError, match="password"):
        archives.unpack(archive, tmp_path / "place")
    assert nothing_left(tmp_path / "place")


# --- what other programs make


def with_method(path, number):
    """A zip whose members are marked as compressed by another method, in the local headers and the directory."""
    content = bytearray(make_zip(path, {"a": b"1"}).read_bytes())
    content[8:10] = struct.pack("<H", number)
    at = content.index(b"PK\x01\x02")
    content[at + 10 : at + 12] = struct.pack("<H", number)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("number", "name"),
    [(9, "Deflate64, as Windows does above 2 GB"), (12, "bzip2"), (14, "LZMA"), (93, "Zstandard"), (77, "unknown")],
)
def test_a_method_of_compression_that_is_not_read_is_named_with_what_to_do(tmp_path, number, name):
    with pytest.raises(DatasetError) as caught:
        archives.unpack(with_method(tmp_path / "a.zip", number), tmp_path / "place")
    assert str(caught.value) == (
        f"{tmp_path / 'a.zip'}: compression {number} ({name}) is not read; unpack it with 7-Zip (or another program) "
        "and put its folders here"
    )
    assert nothing_left(tmp_path / "place")


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"Rar!\x1a\x07\x01\x00", "a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (b"\xfd7zXZ\x00", "compressed with xz"),
        (b"BZh9", "compressed with bzip2"),
    ],
)
def test_an_archive_of_another_program_is_named(tmp_path, start, name):
    (tmp_path / "a.zip").write_bytes(start + bytes(1000))
    with pytest.raises(DatasetError, match=f"a.zip: is {name}, which is not read; unpack it with 7-Zip"):
        archives.unpack(tmp_path / "a.zip", tmp_path / "place")


@pytest.mark.parametrize(("make", "name", "other"), [(make_zip, "a.zip", "b.tar"), (make_tar, "a.tgz", "b.zip")])
def test_an_archive_is_what_is_in_it(tmp_path, make, name, other):
    make(tmp_path / name, {"a": b"1"}).rename(tmp_path / other)
    assert archives.unpack(tmp_path / other, tmp_path / "place") == [tmp_path / "place" / "a"]


# --- limits


def tar_header(name, kind, size=0):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g"], ids=["name", "link", "pax", "global"])
@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_a_header_of_gigabytes_is_refused_before_it_is_read(tmp_path, kind, name):
    content = tar_header("long", kind, 2**31) + bytes(1 << 20)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    with pytest.raises(DatasetError, match="headers are larger than any that images need; do not use this archive"):
        archives.unpack(tmp_path / name, tmp_path / "place")
    assert nothing_left(tmp_path / "place")


def test_headers_of_headers_are_refused(tmp_path):
    (tmp_path / "a.tar").write_bytes((tar_header("long", b"L", 512) + b"a" * 512) * 5000)
    with pytest.raises(DatasetError, match="headers are larger"):
        archives.unpack(tmp_path / "a.tar", tmp_path / "place")


def test_a_header_of_digits_is_refused_before_they_are_searched(tmp_path):
    """Python before 3.11.10 takes seconds for each: it searches for a number from every digit on."""
    digits = b"1" * 60 * 1024
    content = (tar_header("p", b"x", len(digits)) + digits + tar_header("a", b"0")) * 5 + bytes(1024)
    (tmp_path / "a.tar").write_bytes(content)
    begun = time.process_time()
    with pytest.raises(DatasetError, match="headers are larger"):
        archives.unpack(tmp_path / "a.tar", tmp_path / "place")
    assert time.process_time() - begun < 10


def test_a_name_of_200_letters_is_a_header_that_is_read(tmp_path):
    name = "/".join(["a" * 200] * 3)
    (written,) = archives.unpack(make_tar(tmp_path / "a.tar.gz", {name: b"1"}), tmp_path / "place")
    assert written == tmp_path / "place" / name


def test_a_member_of_negative_size_is_refused(tmp_path):
    header = bytearray(tar_header("a", b"0"))
    header[124:136] = b"\xff" * 11 + b"\x00"  # -256
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    (tmp_path / "a.tar").write_bytes(tar_header("b", b"0") + header + bytes(1024))
    with pytest.raises(DatasetError, match="damaged"):
        archives.unpack(tmp_path / "a.tar", tmp_path / "place")
    assert nothing_left(tmp_path / "place")


def test_folders_of_a_tar_count_as_members(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "MAX_MEMBERS", 3)
    (tmp_path / "a.tar").write_bytes(tar_header("a", b"5") * 4 + bytes(1024))
    with pytest.raises(DatasetError, match="more than 3 members"):
        archives.unpack(tmp_path / "a.tar", tmp_path / "place")


def test_zeros_without_end_after_a_tar_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "MAX_TRAILER_BYTES", 1 << 21)
    content = tar_header("a", b"0")
    (tmp_path / "a.tgz").write_bytes(gzip.compress(content + bytes(1 << 20)))
    assert len(archives.unpack(tmp_path / "a.tgz", tmp_path / "place")) == 1
    (tmp_path / "a.tgz").write_bytes(gzip.compress(content + bytes(1 << 22)))
    with pytest.raises(DatasetError, match="do not use this archive"):
        archives.unpack(tmp_path / "a.tgz", tmp_path / "place")


def test_a_directory_that_is_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    archive = make_zip(tmp_path / "a.zip", {f"{k:0100}": b"" for k in range(20)})
    assert len(archives.unpack(archive, tmp_path / "place")) == 20
    monkeypatch.setattr(members, "MAX_DIRECTORY_BYTES", 2000)
    with pytest.raises(DatasetError, match="headers are larger"):
        archives.unpack(archive, tmp_path / "other")


def test_a_zip_that_declares_too_much_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_new_file", None)  # would raise where it is called
    archive = make_zip(tmp_path / "a.zip", {"a": bytes(1000), "b": bytes(1000)})
    with pytest.raises(DatasetError, match="unpacks to more than 1,999 bytes"):
        archives.unpack(archive, tmp_path / "place", max_bytes=1999)


@pytest.mark.parametrize("name", ["a" * 256, "ä" * 128, "a/" * 32 + "b", "a/" * 20_000 + "b"])
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_a_name_that_is_too_long_or_too_deep_is_named(tmp_path, make, name):
    archive = make(tmp_path / ("a.zip" if make is make_zip else "a.tar"), {"good": b"1", name: b"2"})
    with pytest.raises(
        DatasetError, match=r"has a name of more than 255 bytes, or lies more than 32 folders deep"
    ) as caught:
        archives.unpack(archive, tmp_path / "place")
    assert len(str(caught.value)) < 400
    assert nothing_left(tmp_path / "place")


@pytest.mark.parametrize(
    "names", [("a.txt", "a.txt"), ("a", "a/b"), ("a/b", "a"), ("a/b/c", "a/b")], ids=["twice", "1", "2", "3"]
)
def test_members_that_would_overwrite_each_other_are_refused(tmp_path, names):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    with pytest.raises(DatasetError, match="occurs twice, as a file and a folder"):
        archives.unpack(tmp_path / "a.tar", tmp_path / "place")
    assert nothing_left(tmp_path / "place")


def test_names_that_differ_in_capitals_are_refused_where_they_are_one_file(tmp_path, monkeypatch):
    """A file system without capitals, played by names in small letters."""
    monkeypatch.setattr(archives, "_safe", lambda name, archive: PurePosixPath(name.lower()))
    archive = make_zip(tmp_path / "a.zip", {"cells/Cell.png": b"1", "Cells/cell.png": b"2"})
    with pytest.raises(DatasetError, match="in upper and lower case"):
        archives.unpack(archive, tmp_path / "place")


# --- all or nothing


def test_a_file_does_not_take_the_place_of_a_folder(tmp_path):
    place = tmp_path / "place"
    (place / "b").mkdir(parents=True)
    (place / "b" / "mine.txt").write_bytes(b"mine")
    archive = make_zip(tmp_path / "a.zip", {"a": b"1", "b": b"2"})
    with pytest.raises(DatasetError, match="place/b is a folder, and a file in the archive; move the folder away"):
        archives.unpack(archive, place)
    assert files_below(place) == ["b/mine.txt"]


def test_a_folder_does_not_take_the_place_of_a_file(tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    (place / "b").write_bytes(b"mine")
    archive = make_zip(tmp_path / "a.zip", {"a": b"1", "b/c/d": b"2"})
    with pytest.raises(DatasetError, match="place/b is a file, and a folder in the archive; move the file away"):
        archives.unpack(archive, place)
    assert files_below(place) == ["b"]


@pytest.mark.parametrize("failing", range(1, 6))
def test_a_move_that_fails_is_undone(tmp_path, monkeypatch, failing):
    """Five moves: two old files out of the way, three new ones to their places."""
    place = tmp_path / "place"
    (place / "old").mkdir(parents=True)
    for name in ("a", "old/b"):
        (place / name).write_bytes(b"mine")
    archive = make_zip(tmp_path / "a.zip", {"a": b"1", "new/c": b"2", "old/b": b"3"})
    calls, replace = [], Path.replace

    def fail_once(self, target):
        calls.append(target)
        if len(calls) == failing:
            raise PermissionError(13, "Permission denied")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_once)
    with pytest.raises(DatasetError, match=r"cannot be unpacked into .*place \(Permission denied\)"):
        archives.unpack(archive, place)
    assert sorted(p.name for p in place.iterdir()) == ["a", "old"]
    assert [(place / name).read_bytes() for name in ("a", "old/b")] == [b"mine", b"mine"]
    calls.clear()
    failing = 0
    assert len(archives.unpack(archive, place)) == 3


UNPACK = """
import os, signal, sys
from pathlib import Path
from helpers.datasets import archives
replace, calls = Path.replace, []
def killed(self, target):
    calls.append(target)
    if len(calls) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)
if sys.argv[2:]:
    Path.replace = killed
archives.unpack_all(Path(sys.argv[1]))
"""


def killed_while_moving(place):
    """Unpack nine files, of which ``3.txt`` replaces one, and be killed between its two moves."""
    make_zip(place / "a.zip", {f"{k}.txt": b"new" for k in range(9)})
    (place / "3.txt").write_bytes(b"old")
    command = [sys.executable, "-c", UNPACK, str(place)]
    assert subprocess.run([*command, "kill"], check=False).returncode == -signal.SIGKILL
    assert len(list(place.glob(".unpacking-*"))) == 1
    assert not (place / "3.txt").exists()
    assert (place / "a.zip").exists()
    return command


def test_a_kill_in_the_middle_of_a_move_is_mended_by_the_next_call(tmp_path):
    subprocess.run(killed_while_moving(tmp_path), check=True)
    names = [f"{k}.txt" for k in range(9)]
    assert files_below(tmp_path) == sorted([*names, ".lock", "a.zip.unpacked"])
    assert {(tmp_path / name).read_bytes() for name in names} == {b"new"}
    assert list(tmp_path.glob(".unpacking-*")) == []


@pytest.mark.parametrize("archive", ["gone", "damaged"])
def test_a_file_that_a_killed_process_has_set_aside_comes_back(tmp_path, archive):
    killed_while_moving(tmp_path)
    if archive == "gone":
        (tmp_path / "a.zip").unlink()
        archives.unpack_all(tmp_path)
    else:
        (tmp_path / "a.zip").write_bytes(b"damaged")
        with pytest.raises(DatasetError, match=r"a\.zip: damaged or not an archive"):
            archives.unpack_all(tmp_path)
    assert (tmp_path / "3.txt").read_bytes() == b"old"
    assert list(tmp_path.glob(".unpacking-*")) == []


def test_a_file_that_cannot_be_put_back_is_named_and_kept(tmp_path):
    killed_while_moving(tmp_path)
    (tmp_path / "3.txt").mkdir()
    with pytest.raises(DatasetError, match=r"old/3\.txt: cannot be put back to .*3\.txt \(.*\); move it by hand"):
        archives.unpack_all(tmp_path)
    (kept,) = tmp_path.glob(".unpacking-*/old/3.txt")
    assert kept.read_bytes() == b"old"


def test_two_processes_that_unpack_one_archive_both_succeed(tmp_path):
    make_zip(tmp_path / "a.zip", {f"{k}.txt": b"new" for k in range(2000)})
    code = "import sys; from pathlib import Path; from helpers.datasets import archives; "
    code += "print('ready', flush=True); sys.stdin.readline(); archives.unpack_all(Path(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(tmp_path)]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        process.stdout.readline()
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in both:
        process.communicate()
    assert [process.returncode for process in both] == [0, 0]
    assert len(list(tmp_path.glob("*.txt"))) == 2000


# --- a full disk


def test_a_zip_that_needs_more_than_is_free_says_how_much_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda path: types.SimpleNamespace(free=1500))
    archive = make_zip(tmp_path / "a.zip", {"a": bytes(1000), "b": bytes(1000)})
    with pytest.raises(DatasetError) as caught:
        archives.unpack(archive, tmp_path / "place")
    assert str(caught.value) == (
        f"{archive}: disk full: needs about 2,000 bytes in {tmp_path / 'place'}, has 1,500 free (or less, by your "
        "quota); make room and run the same command again"
    )
    assert nothing_left(tmp_path / "place")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize(
    ("make", "name", "needed"), [(make_zip, "a.zip", "about 5,000,000"), (make_tar, "a.tgz", "more than 1,048,576")]
)
def test_a_disk_that_fills_up_while_unpacking_is_not_called_damage(tmp_path, monkeypatch, make, name, needed):
    @contextlib.contextmanager
    def full(*_):
        with Path("/dev/full").open("wb") as file:
            yield file

    monkeypatch.setattr(archives, "_new_file", full)
    archive = make(tmp_path / name, {"a": bytes(5_000_000)})
    with pytest.raises(DatasetError, match=f"disk full: needs {needed} bytes in {tmp_path}.*; make room"):
        archives.unpack(archive, tmp_path / "place")
    assert nothing_left(tmp_path / "place")


# --- get


def test_get_unpacks_an_archive_that_the_user_has_put_there(tmp_path, monkeypatch):
    stream = io.BytesIO()
    Image.linear_gradient("L").save(stream, "PNG")
    monkeypatch.setitem(
        datasets.SOURCES,
        "tiny",
        datasets.DatasetSpec(folder.load_folder, folder.FOLDER_CARD, "tiny", instructions="ask"),
    )
    with pytest.raises(DatasetError, match="To get tiny: ask into"):
        datasets.fetch("tiny", root=tmp_path)
    (tmp_path / "tiny").mkdir()
    make_zip(tmp_path / "tiny" / "set.zip", {"cells/a.png": stream.getvalue()})
    assert len(datasets.fetch("tiny", root=tmp_path)) == 1
    assert (tmp_path / "tiny" / "set.zip.unpacked").exists()
    assert len(datasets.fetch("tiny", root=tmp_path)) == 1


def not_a_file(path, kind):
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "loop":
            path.symlink_to(path)
        case "device":
            path.symlink_to(os.devnull)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("folder", "a folder"), ("pipe", "a named pipe"), ("loop", "a loop of links"), ("device", "a device")],
)
def test_get_refuses_what_is_called_an_archive_and_is_not_a_file(tmp_path, monkeypatch, kind, name):
    monkeypatch.setitem(
        datasets.SOURCES,
        "tiny",
        datasets.DatasetSpec(folder.load_folder, folder.FOLDER_CARD, "tiny", instructions="ask"),
    )
    (tmp_path / "tiny").mkdir()
    not_a_file(tmp_path / "tiny" / "set.zip", kind)
    with pytest.raises(DatasetError, match=f"set.zip: is {name}, not a file; remove or rename it"):
        datasets.fetch("tiny", root=tmp_path)


def test_get_says_what_an_archive_of_another_layout_holds(tmp_path):
    (tmp_path / "cnmc").mkdir()
    make_zip(tmp_path / "cnmc" / "a.zip", {"mine/one/a.bmp": b"1", "mine/two/b.bmp": b"2", "read me.txt": b""})
    for _ in range(2):  # also when it has been unpacked before
        with pytest.raises(DatasetError) as caught:
            datasets.fetch("cnmc", root=tmp_path)
        message = str(caught.value)
        assert f"cnmc: {tmp_path / 'cnmc'} holds mine (one, two), read me.txt, which is not laid out as" in message
        assert "fold_0" in message
        assert "\n" not in message
        assert "download" not in message
