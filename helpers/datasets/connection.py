"""Answers over HTTP that end: limits on headers, on redirects, on time, and on how slowly bytes may come.

requests waits anew for every byte, so that a server which sends one a second, or headers without end, would hold a
download for ever; and it reads the whole body of every redirect. Here every read from the socket is counted, and a
redirect is closed unread.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import math
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter

READ_TIMEOUT_S = 30  # seconds without a byte after which a connection is cut
WINDOW = 60  # seconds over which the rate is taken
MIN_RATE = 1024  # bytes a second
MAX_SECONDS = 24 * 3600  # for one answer
MAX_HEADER_BYTES = 1 << 20  # of one answer, with all interim answers before it
MAX_LINE = 1 << 16  # bytes of a line between the pieces of an answer that comes in pieces
MAX_REDIRECTS = 5


class StalledError(Exception):
    """An answer that comes too slowly or whose headers do not end; not an ``OSError``, which urllib3 would rewrite."""


class RefusedError(Exception):
    """Why an answer is not taken, and that asking again at once would not help."""


class _Lines(io.BufferedReader):
    """urllib3 reads the lines between pieces of an answer as long as they are."""

    def readline(self, size: int | None = -1) -> bytes:
        return super().readline(MAX_LINE if size is None or size < 0 else size)


class _Watched(io.RawIOBase):
    """What comes from a socket, counted."""

    def __init__(self, raw: io.RawIOBase):
        self._raw, self.room = raw, float(MAX_HEADER_BYTES)
        self._begin = self._since = time.monotonic()
        self._bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        n = self._raw.readinto(buffer)
        self.room -= n or 0
        self._bytes += n or 0
        now = time.monotonic()
        if self.room < 0:
            raise StalledError(f"its headers do not end within {MAX_HEADER_BYTES:,} bytes")
        if now - self._begin > MAX_SECONDS:
            raise StalledError(f"it has not ended after {MAX_SECONDS / 3600:g} hours")
        if now - self._since > WINDOW:
            if self._bytes < MIN_RATE * (now - self._since):
                raise StalledError(f"it sends less than {MIN_RATE:,} bytes a second")
            self._since, self._bytes = now, 0
        return n

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """Reads through :class:`_Watched`."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any):
        super().__init__(sock, *args, **kwargs)
        self._watched = _Watched(self.fp.detach())
        self.fp = _Lines(self._watched)

    def begin(self) -> None:
        super().begin()
        self._watched.room = math.inf


@functools.cache
def _watching(pool: type) -> type:
    """A kind of connection pool of urllib3 whose connections answer with :class:`_Response`."""
    connection = type(pool.ConnectionCls.__name__, (pool.ConnectionCls,), {"response_class": _Response})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


class _Adapter(HTTPAdapter):
    """Gives every manager of connections, with and without a proxy, pools that watch."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._watch(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        return self._watch(super().proxy_manager_for(*args, **kwargs))

    @staticmethod
    def _watch(manager: Any) -> Any:
        kinds = manager.pool_classes_by_scheme
        if not all(issubclass(kind.ConnectionCls.response_class, _Response) for kind in kinds.values()):
            manager.pool_classes_by_scheme = {scheme: _watching(kind) for scheme, kind in kinds.items()}
        return manager


class _Session(requests.Session):
    """Sees no redirects: requests would read their bodies, also where it is told not to follow them."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


@contextlib.contextmanager
def open_url(url: str, headers: dict[str, str]) -> Iterator[requests.Response]:
    """Ask for an address and give the answer, its body unread; follow up to :data:`MAX_REDIRECTS` redirects.

    Args:
        url: the address.
        headers: of the request, and of those that it is redirected to.

    Raises:
        StalledError: the answer passes the limits of this module; also while it is read.
        RefusedError: more redirects, or one to what is not an address.
        requests.RequestException: there is no answer.
    """
    with _Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter())
        for _ in range(MAX_REDIRECTS + 1):
            with _asked(session, url, headers) as response:
                if not response.is_redirect:
                    yield response
                    return
                url = _target(session, response)
    raise RefusedError(f"it is redirected more than {MAX_REDIRECTS} times")


def _asked(session: requests.Session, url: str, headers: dict[str, str]) -> requests.Response:
    try:
        return session.get(url, stream=True, timeout=READ_TIMEOUT_S, headers=headers)
    except ValueError as error:  # of requests, urllib3 or the codec of names, each for other faults
        raise RefusedError(f"{url[:200]!r} cannot be asked ({str(error)[:200]})") from None


def _target(session: requests.Session, response: requests.Response) -> str:
    place = requests.Session.get_redirect_target(session, response) or ""
    try:
        return urljoin(response.url, place)
    except ValueError as error:
        raise RefusedError(f"it is redirected to {place[:200]!r}, which is not an address ({error})") from None
