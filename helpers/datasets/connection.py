"""A session of HTTP whose answers end: limits on headers, on time, and on how slowly bytes may come.

requests waits anew for every byte, so that a server which sends one a second, or headers without end, would hold a
download for ever. Here every read from the socket is counted.
"""

from __future__ import annotations

import functools
import http.client
import io
import math
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter

SILENCE = 30  # seconds without a byte after which a connection is cut
WINDOW = 60  # seconds over which the rate is taken
MIN_RATE = 1024  # bytes a second
MAX_SECONDS = 24 * 3600  # for one answer
MAX_HEADER_BYTES = 1 << 20  # of one answer, with all interim answers before it


class StalledError(Exception):
    """An answer that comes too slowly or whose headers do not end; not an ``OSError``, which urllib3 would rewrite."""


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
        self.fp = io.BufferedReader(self._watched)

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


def session() -> requests.Session:
    """Open a session whose answers raise :class:`StalledError` beyond the limits of this module."""
    made = requests.Session()
    for scheme in ("http://", "https://"):
        made.mount(scheme, _Adapter())
    return made
