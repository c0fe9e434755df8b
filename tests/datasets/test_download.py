"""Downloads from a server of our own that misbehaves on demand."""

import contextlib
import email.utils
import gzip
import hashlib
import http.server
import io
import subprocess
import sys
import threading
import time
import types
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from helpers import datasets
from helpers.datasets import DatasetError, connection, download, folder

CONTENT = bytes(range(256)) * 2000


class Server(http.server.ThreadingHTTPServer):
    """Serves ``files`` (path to bytes); ``cuts`` first answers stop half-way, ``errors`` first answers are ``status``.

    ``answer``, where it is set, writes whole answers in place of that, given the handler.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}
        self.requests = []
        self.cuts = 0
        self.errors = 0
        self.status = 503
        self.retry_after = None
        self.delay = 0
        self.answer = None
        self.ranges = True

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.requests.append((self.path, wanted, self.headers.get("Accept-Encoding")))
        if server.answer is not None:
            with contextlib.suppress(OSError):  # the other side is gone
                server.answer(self)
            return
        if server.errors:
            server.errors -= 1
            self.send_response(server.status)
            if server.retry_after is not None:
                self.send_header("Retry-After", server.retry_after)
            self.end_headers()
            return
        time.sleep(server.delay)
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
def pauses(monkeypatch):
    """The pauses that fetch made, without their time."""
    made = []
    monkeypatch.setattr(download, "time", types.SimpleNamespace(sleep=made.append))
    return made


@pytest.fixture
def remote(tmp_path, monkeypatch):
    """Make a remote whose registry promises these contents."""

    def make(address, **contents):
        names = {name.replace("__", "/"): content for name, content in contents.items()}
        lines = [f'"{name}" {hashlib.sha256(content).hexdigest()}' for name, content in names.items()]
        (tmp_path / "registry.txt").write_text("\n".join(lines), encoding="utf-8")
        monkeypatch.setattr(download, "REGISTRIES", tmp_path)
        return download.Remote(address, "registry.txt")

    return make


def files_below(place):
    """All but the lock, which stays."""
    found = (p for p in place.rglob("*") if p.is_file() and p.name != download.LOCK)
    return sorted(p.relative_to(place).as_posix() for p in found)


# --- downloads


def test_a_good_file_arrives(tmp_path, server, remote):
    server.files = {"/folder a/cell.bin": CONTENT}
    place = tmp_path / "data"
    got = download.download_files(remote(server.address, **{"folder a__cell.bin": CONTENT}), place)
    assert got == [place / "folder a" / "cell.bin"]
    assert got[0].read_bytes() == CONTENT
    assert files_below(place) == ["folder a/cell.bin"]


def test_only_the_files_that_are_asked_for_are_fetched(tmp_path, server, remote):
    server.files = {"/a": b"a", "/b": b"b"}
    download.download_files(remote(server.address, a=b"a", b=b"b"), tmp_path / "data", only=("b",))
    assert files_below(tmp_path / "data") == ["b"]
    assert [path for path, *_ in server.requests] == ["/b"]


def test_a_good_file_that_is_there_is_not_fetched_again(tmp_path, server, remote):
    server.files = {"/a": CONTENT}
    wanted = remote(server.address, a=CONTENT)
    download.download_files(wanted, tmp_path / "data")
    download.download_files(wanted, tmp_path / "data")
    assert len(server.requests) == 1


def test_a_changed_file_that_is_there_is_replaced(tmp_path, server, remote):
    server.files = {"/a": CONTENT}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_bytes(b"damaged")
    assert download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")[0].read_bytes() == CONTENT


def test_a_wrong_hash_leaves_nothing_in_place(tmp_path, server, remote):
    server.files = {"/a": b"something else"}
    with pytest.raises(DatasetError, match=r"a: .*hash"):
        download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    assert files_below(tmp_path / "data") == []


def test_a_wrong_hash_does_not_touch_the_file_that_was_there(tmp_path, server, remote):
    server.files = {"/a": b"something else"}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_bytes(b"older")
    with pytest.raises(DatasetError, match="hash"):
        download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    assert (tmp_path / "data" / "a").read_bytes() == b"older"


def test_a_cut_download_is_continued(tmp_path, server, remote):
    server.files, server.cuts = {"/a": CONTENT}, 1
    got = download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    assert got[0].read_bytes() == CONTENT
    first, second = [wanted for _, wanted, _ in server.requests]
    assert first is None
    assert len(CONTENT) / 4 < int(second.removeprefix("bytes=").removesuffix("-")) <= len(CONTENT) / 2
    assert files_below(tmp_path / "data") == ["a"]


def test_a_cut_download_starts_again_where_the_server_knows_no_ranges(tmp_path, server, remote):
    server.files, server.cuts, server.ranges = {"/a": CONTENT}, 1, False
    assert download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")[0].read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_a_download_is_continued_by_a_later_call(tmp_path, server, remote):
    server.files, server.cuts = {"/a": CONTENT}, download.ATTEMPTS
    wanted = remote(server.address, a=CONTENT)
    with pytest.raises(DatasetError, match="run the same command again"):
        download.download_files(wanted, tmp_path / "data")
    assert files_below(tmp_path / "data") == ["a.part"]
    kept = (tmp_path / "data" / "a.part").stat().st_size
    assert 0 < kept < len(CONTENT)
    assert download.download_files(wanted, tmp_path / "data")[0].read_bytes() == CONTENT
    assert server.requests[-1][1] == f"bytes={kept}-"
    assert files_below(tmp_path / "data") == ["a"]


def test_a_partial_file_that_is_already_whole_is_taken(tmp_path, server, remote):
    server.files = {"/a": CONTENT}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.part").write_bytes(CONTENT)
    assert download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")[0].read_bytes() == CONTENT
    assert files_below(tmp_path / "data") == ["a"]


def test_a_partial_file_of_something_else_is_thrown_away(tmp_path, server, remote):
    server.files = {"/a": CONTENT}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.part").write_bytes(b"x" * 100)
    wanted = remote(server.address, a=CONTENT)
    with pytest.raises(DatasetError, match="hash"):
        download.download_files(wanted, tmp_path / "data")
    assert files_below(tmp_path / "data") == []
    assert download.download_files(wanted, tmp_path / "data")[0].read_bytes() == CONTENT


def test_a_range_is_never_asked_of_a_compressed_answer(tmp_path, server, remote):
    server.files, server.cuts = {"/a": CONTENT}, 1
    download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    assert {encoding for *_, encoding in server.requests} == {"identity"}


def test_a_server_that_is_busy_for_a_moment_is_asked_again(tmp_path, server, remote):
    server.files, server.errors = {"/a": CONTENT}, 1
    assert download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")[0].read_bytes() == CONTENT


def test_a_server_that_stays_busy_is_given_up(tmp_path, server, remote):
    server.files, server.errors = {"/a": CONTENT}, 99
    with pytest.raises(DatasetError, match="a: the server answered 503"):
        download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    assert len(server.requests) == download.ATTEMPTS


def test_a_missing_file_is_named_and_asked_for_once(tmp_path, server, remote):
    server.files = {"/a": CONTENT}
    with pytest.raises(DatasetError, match=r"1 of 2 files.*\n.*b: the server answered 404") as caught:
        download.download_files(remote(server.address, a=CONTENT, b=b"b"), tmp_path / "data")
    assert len(caught.value.problems) == 1
    assert [path for path, *_ in server.requests].count("/b") == 1
    assert files_below(tmp_path / "data") == ["a"]


def test_a_server_that_is_gone_is_told_in_one_error(tmp_path, server, remote):
    wanted = remote(server.address, a=CONTENT, b=b"b")
    server.shutdown()
    server.server_close()
    with pytest.raises(DatasetError, match="2 of 2 files") as caught:
        download.download_files(wanted, tmp_path / "data")
    assert all("no answer" in line for line in caught.value.problems)
    assert files_below(tmp_path / "data") == []


def test_a_wrong_hash_is_told_in_one_line_with_what_to_do(tmp_path, server, remote):
    server.files = {"/a": b"something else"}
    with pytest.raises(DatasetError) as caught:
        download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    (line,) = caught.value.problems
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert line == (
        f"a: the response is rejected: its hash is not {digest}; it was deleted, so run the same command again; if "
        "that changes nothing, the owner has changed the file: please open an issue"
    )


# --- servers that ask for a pause


def http_date(seconds):
    return email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [("7", 7, 7), ("0", 0, 0), (100, 30, 100), (-100, 0, 0), ("soon", 1, 1), (None, 1, 1)],
    ids=["seconds", "none", "date", "past date", "word", "not said"],
)
def test_a_server_that_asks_for_a_pause_gets_it(tmp_path, server, remote, pauses, status, asked, least, most):
    server.retry_after = http_date(asked) if isinstance(asked, int) else asked
    server.files, server.errors, server.status = {"/a": CONTENT}, 1, status
    download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    assert files_below(tmp_path / "data") == ["a"]
    assert len(pauses) == 1
    assert least <= pauses[0] <= most


@pytest.mark.parametrize("asked", ["3600", http_date(36_000), "9" * 400], ids=["seconds", "date", "digits"])
def test_a_server_that_asks_for_a_long_pause_is_not_asked_again(tmp_path, server, remote, pauses, asked):
    server.files, server.errors, server.status, server.retry_after = {"/a": CONTENT}, 9, 429, asked
    with pytest.raises(
        DatasetError, match=r"a: .*answered 429 and asks for a pause of [\d,]+ seconds; run the same command"
    ):
        download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    assert len(server.requests) == 1
    assert pauses == []


def test_a_server_that_stays_busy_for_us_is_given_up(tmp_path, server, remote):
    server.files, server.errors, server.status = {"/a": CONTENT}, 99, 429
    with pytest.raises(DatasetError, match="a: the server answered 429"):
        download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    assert len(server.requests) == download.ATTEMPTS


# --- answers without an end


def begin(handler, *headers):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"".join(header + b"\r\n" for header in headers) + b"\r\n")


def digits_announced(handler):
    begin(handler, b"Content-Length: " + b"9" * 5000)


def large_announced(handler):
    begin(handler, b"Content-Length: 99999999999999")


def endless(handler):
    begin(handler)
    while True:
        handler.wfile.write(CONTENT)


def endless_chunks(handler):
    begin(handler, b"Transfer-Encoding: chunked")
    while True:
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(CONTENT), CONTENT))


def bomb(handler):
    content = gzip.compress(bytes(20_000_000))
    begin(handler, b"Content-Encoding: gzip", b"Content-Length: %d" % len(content))
    handler.wfile.write(content)


@pytest.mark.parametrize("answer", [digits_announced, large_announced, endless, endless_chunks, bomb])
def test_a_file_that_is_too_large_is_given_up_and_leaves_nothing(tmp_path, server, remote, monkeypatch, answer):
    monkeypatch.setattr(download, "MAX_FILE_BYTES", 10_000_000)
    server.answer = answer
    with pytest.raises(DatasetError, match="a: the response is rejected: it has more than 10,000,000 bytes"):
        download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    assert files_below(tmp_path / "data") == []
    assert len(server.requests) == 1


def redirect(handler, place, *headers):
    lines = b"".join(header + b"\r\n" for header in headers)
    handler.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: " + place + b"\r\n" + lines + b"\r\n")


def test_a_redirect_is_followed_and_its_body_is_not_read(tmp_path, server, remote):
    sent = []

    def answer(handler):
        if handler.path != "/b":
            redirect(handler, b"/b", b"Content-Length: 99999999999999")
            for _ in range(1000):
                handler.wfile.write(bytes(2**20))
                sent.append(2**20)
        else:
            begin(handler, b"Content-Length: %d" % len(CONTENT))
            handler.wfile.write(CONTENT)

    server.answer = answer
    download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    assert (tmp_path / "data" / "a").read_bytes() == CONTENT
    assert [path for path, *_ in server.requests] == ["/a", "/b"]
    assert {encoding for *_, encoding in server.requests} == {"identity"}
    assert sum(sent) < 50 * 2**20  # what the buffers of the system hold


def test_redirects_without_end_are_given_up(tmp_path, server, remote):
    server.answer = lambda handler: redirect(handler, b"/a", b"Content-Length: 0")
    with pytest.raises(DatasetError, match="a: the response is rejected: it is redirected more than 5 times"):
        download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (b"http://[", "it is redirected to 'http://[', which is not an address (Invalid IPv6 URL)"),
        (b"http://" + b"a" * 64 + b".org/", f"'http://{'a' * 64}.org/' cannot be requested ("),
        (b"http://" + "ä".encode() * 64 + b".org/", "cannot be requested ("),
        (b"http://a:999999/", "'http://a:999999/' cannot be requested ("),
        (b"file:///etc/passwd", "'file:///etc/passwd' cannot be requested (No connection adapters were found for"),
    ],
)
def test_a_redirect_to_what_is_no_address_is_refused_in_a_line(tmp_path, server, remote, place, said):
    server.answer = lambda handler: redirect(handler, place, b"Content-Length: 0")
    with pytest.raises(DatasetError) as caught:
        download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    (problem,) = caught.value.problems
    assert problem.startswith("a: the response is rejected: ")
    assert said in problem
    assert len(server.requests) == 1


def test_lines_between_the_pieces_of_an_answer_end(tmp_path, server, remote):
    sent = []

    def answer(handler):
        begin(handler, b"Transfer-Encoding: chunked")
        for _ in range(1000):
            handler.wfile.write(b"x" * 2**20)
            sent.append(2**20)

    server.answer = answer
    with pytest.raises(DatasetError, match="a: no answer"):
        download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    assert len(server.requests) == download.ATTEMPTS
    assert sum(sent) < 150 * 2**20  # what the buffers of the system hold, three times


def byte_by_byte(handler):
    begin(handler, b"Content-Length: %d" % len(CONTENT))
    for byte in CONTENT:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.01)


def headers_byte_by_byte(handler):
    for _ in range(10_000):
        handler.wfile.write(b"H")
        time.sleep(0.01)


@pytest.mark.parametrize("answer", [byte_by_byte, headers_byte_by_byte])
def test_an_answer_that_drips_is_given_up(tmp_path, server, remote, monkeypatch, answer):
    monkeypatch.setattr(connection, "WINDOW", 0.2)
    server.answer = answer
    begun = time.monotonic()
    with pytest.raises(DatasetError, match="a: the response is rejected: it sends less than 1,024 bytes a second"):
        download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    assert time.monotonic() - begun < 10
    assert len(server.requests) == download.ATTEMPTS


def test_an_answer_that_takes_too_long_is_given_up(tmp_path, server, remote, monkeypatch):
    monkeypatch.setattr(connection, "MAX_SECONDS", 0.2)
    server.answer = endless
    with pytest.raises(DatasetError, match="a: the response is rejected: it has not ended after"):
        download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")


def endless_line(handler):
    while True:
        handler.wfile.write(b"H" * 60_000)


def endless_interim_answers(handler):
    while True:
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\n" * 1000)


def endless_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        handler.wfile.write(b"A: b\r\n" * 1000)


@pytest.mark.parametrize("answer", [endless_line, endless_headers, endless_interim_answers])
def test_headers_without_an_end_are_given_up(tmp_path, server, remote, answer):
    server.answer = answer
    begun = time.monotonic()
    with pytest.raises(DatasetError, match=r"1 of 1 files.*\n.*a: "):
        download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    assert time.monotonic() - begun < 10
    assert files_below(tmp_path / "data") == []


# --- several processes, and the disk

DOWNLOAD = """
import sys
from pathlib import Path
from helpers.datasets import download
download.REGISTRIES = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
download.download_files(download.Remote(sys.argv[2], "registry.txt"), Path(sys.argv[3]))
"""


def test_two_processes_fetch_a_file_once_and_both_succeed(tmp_path, server, remote):
    server.files, server.delay = {"/a": CONTENT, "/b": CONTENT}, 3
    remote(server.address, a=CONTENT, b=CONTENT)
    command = [sys.executable, "-c", DOWNLOAD, str(tmp_path), server.address, str(tmp_path / "data")]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    both = [subprocess.Popen(command, text=True, **pipes) for _ in range(2)]
    assert [process.stdout.readline() for process in both] == ["ready\n", "ready\n"]
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sorted(path for path, *_ in server.requests) == ["/a", "/b"]
    assert sum("another process works here; waiting for it" in text for text in said) == 1
    assert files_below(tmp_path / "data") == ["a", "b"]


def test_files_that_are_there_need_no_lock(tmp_path, server, remote):
    """A folder of data that nobody may write to."""
    server.files = {"/a": CONTENT}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_bytes(CONTENT)
    download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")
    assert [p.name for p in (tmp_path / "data").iterdir()] == ["a"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_is_told_as_such(tmp_path, server, remote):
    server.files = {"/a": CONTENT}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.part").symlink_to("/dev/full")
    with pytest.raises(DatasetError, match=r"a: cannot be written \(No space left on device\); make room"):
        download.download_files(remote(server.address, a=CONTENT), tmp_path / "data")


@pytest.mark.parametrize(("name", "number"), [("wbc1", 600), ("bccd", 728), ("bloodmnist", 1)])
def test_the_registries_name_the_files_of_their_datasets(tmp_path, name, number):
    source = datasets.SOURCES[name]
    registry = source.remote.files(tmp_path).registry
    wanted = [file for file in registry if source.file_filter(file, {})]
    assert len(wanted) >= number
    digests = [registry[file].removeprefix("md5:") for file in wanted]
    assert {len(digest) for digest in digests} <= {32, 64}
    assert all(set(digest) <= set("0123456789abcdef") for digest in digests)
    assert not [file for file in wanted if file.startswith("/") or ".." in file]


# --- get


def test_get_fetches_checks_and_loads(tmp_path, server, remote, monkeypatch):
    stream = io.BytesIO()
    Image.linear_gradient("L").save(stream, "PNG")
    server.files = {"/cells/a.png": stream.getvalue()}
    source = datasets.DatasetSpec(
        folder.load_folder, folder.FOLDER_CARD, "tiny", remote(server.address, **{"cells__a.png": stream.getvalue()})
    )
    monkeypatch.setitem(datasets.SOURCES, "tiny", source)
    with pytest.raises(DatasetError, match="data get tiny"):
        datasets.load("tiny", root=tmp_path / "root")
    dataset = datasets.fetch("tiny", root=tmp_path / "root")
    assert dataset.frame["label"].tolist() == ["cells"]


def test_get_refuses_an_option_that_the_dataset_has_not_before_it_fetches(tmp_path, server, remote, monkeypatch):
    source = datasets.DatasetSpec(folder.load_folder, folder.FOLDER_CARD, "tiny", remote(server.address, a=CONTENT))
    monkeypatch.setitem(datasets.SOURCES, "tiny", source)
    with pytest.raises(DatasetError, match="tiny: no option nonsense; it has "):
        datasets.fetch("tiny", root=tmp_path / "root", nonsense=1)
    assert server.requests == []
    assert not (tmp_path / "root").exists()


def test_get_finds_damage_behind_the_header(tmp_path, monkeypatch):
    monkeypatch.setitem(
        datasets.SOURCES,
        "tiny",
        datasets.DatasetSpec(folder.load_folder, folder.FOLDER_CARD, "tiny", instructions="ask"),
    )
    (tmp_path / "tiny" / "cells").mkdir(parents=True)
    stream = io.BytesIO()
    Image.effect_noise((32, 32), 50).save(stream, "PNG")
    (tmp_path / "tiny" / "cells" / "a.png").write_bytes(stream.getvalue()[:-200])
    with pytest.raises(DatasetError, match=r"1 of 1 images are damaged.*\n.*a\.png"):
        datasets.fetch("tiny", root=tmp_path)
