"""Connections with an end: a call is cut off when its time is up, even if bytes keep arriving slowly."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from http.client import HTTPResponse
from threading import Lock, Timer
from types import TracebackType
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool

_INFORMATIONAL = range(102, 200)


class Watchdog:
    """Closes a call's connection when its time is up, during handshake, headers or body."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.connected = False
        self.expired = False
        self._sockets: list[socket.socket] = []
        self._lock = Lock()
        self._timer = Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Watchdog:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()
        with self._lock:
            while self._sockets:
                self._sockets.pop().close()

    def watch(self, connection: socket.socket) -> None:
        """Also close this connection on expiry; at once if the time is already up."""
        with self._lock:
            # TLS takes over the descriptor, and closing frees it; a duplicate stays valid until the end
            self._sockets.append(connection.dup())
            if self.expired:
                self._cut()

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            self._cut()

    def _cut(self) -> None:
        for connection in self._sockets:
            with suppress(OSError):  # the server has already closed it
                connection.shutdown(socket.SHUT_RDWR)


class _FinalResponse(HTTPResponse):
    """Skips 102 and 103, which may come before the answer (RFC 9110, 15.2); http.client skips only 100."""

    def begin(self) -> None:
        super().begin()
        while self.status in _INFORMATIONAL:
            self.headers = None  # type: ignore[assignment] # as at the start, or nothing more is read
            super().begin()


class _WatchedConnection(HTTPConnection):
    response_class = _FinalResponse

    def __init__(self, *args: Any, watchdog: Watchdog, **options: Any) -> None:
        super().__init__(*args, **options)
        self._watchdog = watchdog

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self._watchdog.watch(connection)
        return connection

    def connect(self) -> None:
        super().connect()
        self._watchdog.connected = True


class _WatchedTLSConnection(_WatchedConnection, HTTPSConnection):
    pass


CONNECTIONS = {"http": _WatchedConnection, "https": _WatchedTLSConnection}


class OneCall(requests.Session):
    """A session for one call; no header, cookie or connection is kept for the next.

    A redirect is an answer like any other. requests parses its address even where it does not follow it, and fails at
    one that is no URL.
    """

    def __init__(self, user_agent: str, adapters: Mapping[str, HTTPAdapter]) -> None:
        super().__init__()
        self.trust_env = False  # a .netrc would replace our token, and a proxy would see it
        self.headers = requests.structures.CaseInsensitiveDict({"User-Agent": user_agent})
        for scheme, adapter in adapters.items():
            self.mount(f"{scheme}://", adapter)

    def get_redirect_target(self, _response: requests.Response) -> None:
        """There is none."""


class WatchingAdapter(HTTPAdapter):
    """Has every connection of a session watched."""

    def __init__(self, watchdog: Watchdog, **options: Any) -> None:
        super().__init__(**options)
        self._watchdog = watchdog

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> HTTPConnectionPool:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = partial(CONNECTIONS[pool.scheme], watchdog=self._watchdog)
        return pool  # type: ignore[no-any-return]
