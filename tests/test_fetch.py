"""Downloads from a server of our own that misbehaves on demand."""

import hashlib
import http.server
import io
import threading

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
    """All but the lock, which stays."""
    found = (p for p in place.rglob("*") if p.is_file() and p.name != fetch.LOCK)
    return sorted(p.relative_to(place).as_posix() for p in found)


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


def test_get_finds_damage_behind_the_header(tmp_path, monkeypatch):
    monkeypatch.setitem(datasets.SOURCES, "tiny", datasets.Source(folder.folder, folder.FOLDER_CARD, "tiny", ask="ask"))
    (tmp_path / "tiny" / "cells").mkdir(parents=True)
    stream = io.BytesIO()
    Image.effect_noise((32, 32), 50).save(stream, "PNG")
    (tmp_path / "tiny" / "cells" / "a.png").write_bytes(stream.getvalue()[:-200])
    with pytest.raises(DataError, match=r"1 of 1 images are damaged.*\n.*a\.png"):
        datasets.get("tiny", root=tmp_path)
