"""HTTP responses with limits on headers, redirects, duration and data rate.

requests restarts its timeout with every byte, so that a server that sends one byte per second, or endless headers,
would block a download forever; and it reads the whole body of every redirect. This module counts every read from the
socket, and closes a redirect without reading its body.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from urllib3 import HTTPConnectionPool

READ_TIMEOUT_S = 30  # seconds without a byte until the connection is closed
WINDOW = 60  # seconds over which the data rate is averaged
MIN_RATE = 1024  # bytes a second
MAX_SECONDS = 24 * 3600  # per response
MAX_HEADER_BYTES = 1 << 20  # per response, including all interim responses
MAX_LINE = 1 << 16  # bytes of a line between the chunks of a chunked response
MAX_REDIRECTS = 5


class StalledError(Exception):
    """Response that is too slow or has endless headers; not an ``OSError``, which urllib3 would replace."""


class RefusedError(Exception):
    """Response that is rejected, and for which an immediate retry would not help."""


class _Lines(io.BufferedReader):
    """Limit the lines between chunks, which urllib3 reads at any length."""

    def readline(self, size: int | None = -1) -> bytes:
        return super().readline(MAX_LINE if size is None or size < 0 else size)


class _Watched(io.RawIOBase):
    """Count the bytes from a socket and enforce the limits."""

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
    """Read a response through :class:`_Watched`."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any):
        super().__init__(sock, *args, **kwargs)
        self._watched = _Watched(self.fp.detach())
        self.fp = _Lines(self._watched)

    def begin(self) -> None:
        super().begin()
        self._watched.room = math.inf


@functools.cache
def _watching(pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
    """Derive a urllib3 connection pool class whose connections return :class:`_Response`."""
    connection = type(pool.ConnectionCls.__name__, (pool.ConnectionCls,), {"response_class": _Response})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


class _Adapter(HTTPAdapter):
    """Use the pools of :func:`_watching` in every connection manager, with and without a proxy."""

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
    """Hide redirects from requests, which would read their bodies even when it does not follow them."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


@contextlib.contextmanager
def open_url(url: str, headers: dict[str, str]) -> Iterator[requests.Response]:
    """Request a URL and yield the response with its body unread; follow up to :data:`MAX_REDIRECTS` redirects.

    Args:
        url: the URL.
        headers: request headers, also sent to redirect targets.

    Raises:
        StalledError: the response exceeds the limits of this module; also raised while it is read.
        RefusedError: there are more redirects, or the URL or a redirect target is invalid.
        requests.RequestException: there is no response.
    """
    with _Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter())
        for _ in range(MAX_REDIRECTS + 1):
            with _send(session, url, headers) as response:
                if not response.is_redirect:
                    yield response
                    return
                url = _target(session, response)
    raise RefusedError(f"it is redirected more than {MAX_REDIRECTS} times")


def _send(session: requests.Session, url: str, headers: dict[str, str]) -> requests.Response:
    try:
        return session.get(url, stream=True, timeout=READ_TIMEOUT_S, headers=headers)
    except ValueError as error:  # from requests, urllib3 or the host name codec
        raise RefusedError(f"{url[:200]!r} cannot be requested ({str(error)[:200]})") from None


def _target(session: requests.Session, response: requests.Response) -> str:
    location = requests.Session.get_redirect_target(session, response) or ""
    try:
        return urljoin(response.url, location)
    except ValueError as error:
        raise RefusedError(f"it is redirected to {location[:200]!r}, which is not an address ({error})") from None
