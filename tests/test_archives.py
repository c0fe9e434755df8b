"""Archives that are damaged, too large, laid out otherwise, or try to do harm."""

import hashlib
import io
import stat
import tarfile
import zipfile

import pytest
from PIL import Image

from helpers import datasets
from helpers.datasets import DataError, archives, folder, members


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
    with pytest.raises(DataError, match="outside its folder"):
        archives.unpack(archive, place)
    assert nothing_left(place)
    assert nothing_left(tmp_path / "below", "place")


def test_a_member_without_a_name_is_refused(tmp_path):
    with pytest.raises(DataError):
        archives.unpack(make_zip(tmp_path / "bad.zip", {".": b"1"}), tmp_path / "place")
    assert nothing_left(tmp_path / "place")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_link_or_device_in_a_tar_is_refused(tmp_path, kind):
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        info = tarfile.TarInfo("link")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(DataError, match="link or a device"):
        archives.unpack(tmp_path / "bad.tar", tmp_path / "place")
    assert nothing_left(tmp_path / "place")


def test_a_symbolic_link_in_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("good.txt", b"1")
        info = zipfile.ZipInfo("link")
        info.create_system = 3
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match="link or a device"):
        archives.unpack(tmp_path / "bad.zip", tmp_path / "place")
    assert nothing_left(tmp_path / "place")


@pytest.mark.parametrize(("make", "name"), [(make_zip, "bomb.zip"), (make_tar, "bomb.tar.gz")])
def test_a_bomb_is_stopped_and_leaves_nothing_behind(tmp_path, make, name):
    archive = make(tmp_path / name, {"a": b"\0" * 2_000_000, "b": b"\0" * 2_000_000})
    assert archive.stat().st_size < 20_000
    with pytest.raises(DataError, match="more than 3,000,000 bytes"):
        archives.unpack(archive, tmp_path / "place", max_bytes=3_000_000)
    assert nothing_left(tmp_path / "place")
    assert len(archives.unpack(archive, tmp_path / "place", max_bytes=4_000_000)) == 2


def test_an_archive_of_too_many_members_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "MAX_MEMBERS", 3)
    archive = make_zip(tmp_path / "many.zip", {f"{k}": b"" for k in range(4)})
    with pytest.raises(DataError, match="more than 3 members"):
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
    with pytest.raises(DataError, match="damaged or not an archive"):
        archives.unpack(archive, tmp_path / "place")
    assert nothing_left(tmp_path / "place")


def test_an_archive_with_a_password_is_refused(tmp_path):
    archive = make_zip(tmp_path / "locked.zip", {"a": b"1"})
    content = bytearray(archive.read_bytes())
    content[6] |= 1  # the flag of encryption, in the local header and in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(DataError, match="password"):
        archives.unpack(archive, tmp_path / "place")
    assert nothing_left(tmp_path / "place")


# --- get


def test_get_unpacks_an_archive_that_the_user_has_put_there(tmp_path, monkeypatch):
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), "purple").save(stream, "PNG")
    monkeypatch.setitem(datasets.SOURCES, "tiny", datasets.Source(folder.folder, folder.FOLDER_CARD, "tiny", ask="ask"))
    with pytest.raises(DataError, match="To get tiny: ask into"):
        datasets.get("tiny", root=tmp_path)
    (tmp_path / "tiny").mkdir()
    make_zip(tmp_path / "tiny" / "set.zip", {"cells/a.png": stream.getvalue()})
    assert len(datasets.get("tiny", root=tmp_path)) == 1
    assert (tmp_path / "tiny" / "set.zip.unpacked").exists()
    assert len(datasets.get("tiny", root=tmp_path)) == 1
