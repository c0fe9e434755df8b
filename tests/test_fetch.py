"""Downloads from a server of our own that misbehaves on demand; archives that try to do harm."""

import hashlib
import http.server
import io
import stat
import tarfile
import threading
import zipfile

import pytest
from PIL import Image

from helpers import datasets
from helpers.datasets import DataError, fetch, folder

CONTENT = bytes(range(256)) * 2000


class Server(http.server.ThreadingHTTPServer):
    """Serves ``files`` (path to bytes); ``cuts`` first answers stop half-way, ``errors`` first answers are 503."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}
        self.requests = []
        self.cuts = 0
        self.errors = 0
        self.ranges = True

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.requests.append((self.path, wanted, self.headers.get("Accept-Encoding")))
        if server.errors:
            server.errors -= 1
            self.send_error(503)
            return
        body = server.files.get(self.path.replace("%20", " "))
        if body is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and server.ranges else 0
        if start and start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        body = body[start:]
        if server.cuts:
            server.cuts -= 1
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.connection.close()
            return
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(fetch.time, "sleep", lambda seconds: None)


@pytest.fixture
def remote(tmp_path, monkeypatch):
    """Make a remote whose registry promises these contents."""

    def make(address, **contents):
        names = {name.replace("__", "/"): content for name, content in contents.items()}
        lines = [f'"{name}" {hashlib.sha256(content).hexdigest()}' for name, content in names.items()]
        (tmp_path / "registry.txt").write_text("\n".join(lines), encoding="utf-8")
        monkeypatch.setattr(fetch, "REGISTRIES", tmp_path)
        return fetch.Remote(address, "registry.txt")

    return make


def files_below(place):
    return sorted(p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file())


# --- downloads


def test_a_good_file_arrives(tmp_path, server, remote):
    server.files = {"/folder a/cell.bin": CONTENT}
    place = tmp_path / "data"
    got = fetch.download(remote(server.address, **{"folder a__cell.bin": CONTENT}), place)
    assert got == [place / "folder a" / "cell.bin"]
    assert got[0].read_bytes() == CONTENT
    assert files_below(place) == ["folder a/cell.bin"]


def test_only_the_files_that_are_asked_for_are_fetched(tmp_path, server, remote):
    server.files = {"/a": b"a", "/b": b"b"}
    fetch.download(remote(server.address, a=b"a", b=b"b"), tmp_path / "data", only=("b",))
    assert files_below(tmp_path / "data") == ["b"]
    assert [path for path, *_ in server.requests] == ["/b"]


def test_a_good_file_that_is_there_is_not_fetched_again(tmp_path, server, remote):
    server.files = {"/a": CONTENT}
    wanted = remote(server.address, a=CONTENT)
    fetch.download(wanted, tmp_path / "data")
    fetch.download(wanted, tmp_path / "data")
    assert len(server.requests) == 1


def test_a_changed_file_that_is_there_is_replaced(tmp_path, server, remote):
    server.files = {"/a": CONTENT}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_bytes(b"damaged")
    assert fetch.download(remote(server.address, a=CONTENT), tmp_path / "data")[0].read_bytes() == CONTENT


def test_a_wrong_hash_leaves_nothing_in_place(tmp_path, server, remote):
    server.files = {"/a": b"something else"}
    with pytest.raises(DataError, match=r"a: .*hash"):
        fetch.download(remote(server.address, a=CONTENT), tmp_path / "data")
    assert files_below(tmp_path / "data") == []


def test_a_wrong_hash_does_not_touch_the_file_that_was_there(tmp_path, server, remote):
    server.files = {"/a": b"something else"}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_bytes(b"older")
    with pytest.raises(DataError, match="hash"):
        fetch.download(remote(server.address, a=CONTENT), tmp_path / "data")
    assert (tmp_path / "data" / "a").read_bytes() == b"older"


def test_a_cut_download_is_continued(tmp_path, server, remote):
    server.files, server.cuts = {"/a": CONTENT}, 1
    got = fetch.download(remote(server.address, a=CONTENT), tmp_path / "data")
    assert got[0].read_bytes() == CONTENT
    first, second = [wanted for _, wanted, _ in server.requests]
    assert first is None
    assert len(CONTENT) / 4 < int(second.removeprefix("bytes=").removesuffix("-")) <= len(CONTENT) / 2
    assert files_below(tmp_path / "data") == ["a"]


def test_a_cut_download_starts_again_where_the_server_knows_no_ranges(tmp_path, server, remote):
    server.files, server.cuts, server.ranges = {"/a": CONTENT}, 1, False
    assert fetch.download(remote(server.address, a=CONTENT), tmp_path / "data")[0].read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_a_download_is_continued_by_a_later_call(tmp_path, server, remote):
    server.files, server.cuts = {"/a": CONTENT}, fetch.ATTEMPTS
    wanted = remote(server.address, a=CONTENT)
    with pytest.raises(DataError, match="run the same command again"):
        fetch.download(wanted, tmp_path / "data")
    assert files_below(tmp_path / "data") == ["a.part"]
    kept = (tmp_path / "data" / "a.part").stat().st_size
    assert 0 < kept < len(CONTENT)
    assert fetch.download(wanted, tmp_path / "data")[0].read_bytes() == CONTENT
    assert server.requests[-1][1] == f"bytes={kept}-"
    assert files_below(tmp_path / "data") == ["a"]


def test_a_partial_file_that_is_already_whole_is_taken(tmp_path, server, remote):
    server.files = {"/a": CONTENT}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.part").write_bytes(CONTENT)
    assert fetch.download(remote(server.address, a=CONTENT), tmp_path / "data")[0].read_bytes() == CONTENT
    assert files_below(tmp_path / "data") == ["a"]


def test_a_partial_file_of_something_else_is_thrown_away(tmp_path, server, remote):
    server.files = {"/a": CONTENT}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.part").write_bytes(b"x" * 100)
    wanted = remote(server.address, a=CONTENT)
    with pytest.raises(DataError, match="hash"):
        fetch.download(wanted, tmp_path / "data")
    assert files_below(tmp_path / "data") == []
    assert fetch.download(wanted, tmp_path / "data")[0].read_bytes() == CONTENT


def test_a_range_is_never_asked_of_a_compressed_answer(tmp_path, server, remote):
    server.files, server.cuts = {"/a": CONTENT}, 1
    fetch.download(remote(server.address, a=CONTENT), tmp_path / "data")
    assert {encoding for *_, encoding in server.requests} == {"identity"}


def test_a_server_that_is_busy_for_a_moment_is_asked_again(tmp_path, server, remote):
    server.files, server.errors = {"/a": CONTENT}, 1
    assert fetch.download(remote(server.address, a=CONTENT), tmp_path / "data")[0].read_bytes() == CONTENT


def test_a_server_that_stays_busy_is_given_up(tmp_path, server, remote):
    server.files, server.errors = {"/a": CONTENT}, 99
    with pytest.raises(DataError, match="a: the server answered 503"):
        fetch.download(remote(server.address, a=CONTENT), tmp_path / "data")
    assert len(server.requests) == fetch.ATTEMPTS


def test_a_missing_file_is_named_and_asked_for_once(tmp_path, server, remote):
    server.files = {"/a": CONTENT}
    with pytest.raises(DataError, match=r"1 of 2 files.*\n.*b: the server answered 404") as caught:
        fetch.download(remote(server.address, a=CONTENT, b=b"b"), tmp_path / "data")
    assert len(caught.value.problems) == 1
    assert [path for path, *_ in server.requests].count("/b") == 1
    assert files_below(tmp_path / "data") == ["a"]


def test_a_server_that_is_gone_is_told_in_one_error(tmp_path, server, remote):
    wanted = remote(server.address, a=CONTENT, b=b"b")
    server.shutdown()
    server.server_close()
    with pytest.raises(DataError, match="2 of 2 files") as caught:
        fetch.download(wanted, tmp_path / "data")
    assert all("no answer" in line for line in caught.value.problems)
    assert files_below(tmp_path / "data") == []


@pytest.mark.parametrize(("name", "number"), [("wbc1", 600), ("bccd", 728), ("bloodmnist", 1)])
def test_the_registries_name_the_files_of_their_datasets(tmp_path, name, number):
    source = datasets.SOURCES[name]
    registry = source.remote.files(tmp_path).registry
    wanted = [file for file in registry if source.wanted(file, {})]
    assert len(wanted) >= number
    digests = [registry[file].removeprefix("md5:") for file in wanted]
    assert {len(digest) for digest in digests} <= {32, 64}
    assert all(set(digest) <= set("0123456789abcdef") for digest in digests)
    assert not [file for file in wanted if file.startswith("/") or ".." in file]


# --- archives


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
    written = fetch.unpack(archive, place)
    assert files_below(place) == ["b.txt", "train/a.txt", "train/deeper/ä.txt"]
    assert sorted(written) == sorted(place / name for name in files_below(place))
    assert (place / "train/deeper/ä.txt").read_bytes() == b"2"


def test_files_of_the_same_name_are_replaced_and_others_kept(tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    (place / "a.txt").write_bytes(b"old")
    (place / "mine.txt").write_bytes(b"mine")
    fetch.unpack(make_zip(tmp_path / "a.zip", {"a.txt": b"new"}), place)
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
        fetch.unpack(archive, place)
    assert nothing_left(place)
    assert nothing_left(tmp_path / "below", "place")


def test_a_member_without_a_name_is_refused(tmp_path):
    with pytest.raises(DataError):
        fetch.unpack(make_zip(tmp_path / "bad.zip", {".": b"1"}), tmp_path / "place")
    assert nothing_left(tmp_path / "place")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_link_or_device_in_a_tar_is_refused(tmp_path, kind):
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        info = tarfile.TarInfo("link")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(DataError, match="link or a device"):
        fetch.unpack(tmp_path / "bad.tar", tmp_path / "place")
    assert nothing_left(tmp_path / "place")


def test_a_symbolic_link_in_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("good.txt", b"1")
        info = zipfile.ZipInfo("link")
        info.create_system = 3
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match="link or a device"):
        fetch.unpack(tmp_path / "bad.zip", tmp_path / "place")
    assert nothing_left(tmp_path / "place")


@pytest.mark.parametrize(("make", "name"), [(make_zip, "bomb.zip"), (make_tar, "bomb.tar.gz")])
def test_a_bomb_is_stopped_and_leaves_nothing_behind(tmp_path, make, name):
    archive = make(tmp_path / name, {"a": b"\0" * 2_000_000, "b": b"\0" * 2_000_000})
    assert archive.stat().st_size < 20_000
    with pytest.raises(DataError, match="more than 3,000,000 bytes"):
        fetch.unpack(archive, tmp_path / "place", max_bytes=3_000_000)
    assert nothing_left(tmp_path / "place")
    assert len(fetch.unpack(archive, tmp_path / "place", max_bytes=4_000_000)) == 2


def test_an_archive_of_too_many_members_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "MAX_MEMBERS", 3)
    archive = make_zip(tmp_path / "many.zip", {f"{k}": b"" for k in range(4)})
    with pytest.raises(DataError, match="more than 3 members"):
        fetch.unpack(archive, tmp_path / "place")
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
        fetch.unpack(archive, tmp_path / "place")
    assert nothing_left(tmp_path / "place")


def test_an_archive_with_a_password_is_refused(tmp_path):
    archive = make_zip(tmp_path / "locked.zip", {"a": b"1"})
    content = bytearray(archive.read_bytes())
    content[6] |= 1  # the flag of encryption, in the local header and in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(DataError, match="password"):
        fetch.unpack(archive, tmp_path / "place")
    assert nothing_left(tmp_path / "place")


# --- get


def test_get_fetches_checks_and_loads(tmp_path, server, remote, monkeypatch):
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), "purple").save(stream, "PNG")
    server.files = {"/cells/a.png": stream.getvalue()}
    source = datasets.Source(
        folder.folder, folder.FOLDER_CARD, "tiny", remote(server.address, **{"cells__a.png": stream.getvalue()})
    )
    monkeypatch.setitem(datasets.SOURCES, "tiny", source)
    with pytest.raises(DataError, match="data get tiny"):
        datasets.load("tiny", root=tmp_path / "root")
    dataset = datasets.get("tiny", root=tmp_path / "root")
    assert dataset.frame["label"].tolist() == ["cells"]


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


def test_get_finds_damage_behind_the_header(tmp_path, monkeypatch):
    monkeypatch.setitem(datasets.SOURCES, "tiny", datasets.Source(folder.folder, folder.FOLDER_CARD, "tiny", ask="ask"))
    (tmp_path / "tiny" / "cells").mkdir(parents=True)
    stream = io.BytesIO()
    Image.effect_noise((32, 32), 50).save(stream, "PNG")
    (tmp_path / "tiny" / "cells" / "a.png").write_bytes(stream.getvalue()[:-200])
    with pytest.raises(DataError, match=r"1 of 1 images are damaged.*\n.*a\.png"):
        datasets.get("tiny", root=tmp_path)
