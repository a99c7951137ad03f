"""The one HTTP client of all providers: the answer lands in a file, and each failure gets its name."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock, Timer
from types import TracebackType
from typing import Any, BinaryIO

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError, SSLError
from urllib3.exceptions import LocationParseError as UnparsableURL
from urllib3.util import Url, parse_url

from longplay.domain.errors import Charged, FailureKind, ProviderError

CONNECT_SECONDS = 5.0  # for each address of the server
LARGEST_REFUSAL = 64 * 1024  # bytes read of an answer that is no success
USER_AGENT = "longplay"

_CHUNK = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server said: `headers` by any case of letters, the body (64 KB of a refusal) in a file."""

    status: int
    headers: Mapping[str, str]
    body: Path
    bytes: int

    @property
    def success(self) -> bool:
        """Whether the server says that it did what was asked."""
        return _is_success(self.status)


class CutOff(ProviderError):
    """The connection broke in the midst of a successful answer's body; `answer` is what has come of it."""

    def __init__(self, error: ProviderError, answer: Answer) -> None:
        super().__init__(error.kind, error.message, charged=error.charged)
        self.answer = answer


def exchange(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    save_to: Path,
    largest: int,
    timeout: float,
    longest_silence: float | None = None,
    json: Any = None,
) -> Answer:
    """Make one call and save its answer, whatever the status; follows no redirect and repeats nothing.

    `timeout` bounds the whole exchange in seconds, however slowly bytes drip in; only resolving the name and
    trying its addresses (5 s apiece) may outlast it. `longest_silence` are the seconds without a byte after
    which no more is waited for. `largest` is in bytes. Raises ProviderError when no whole answer came, and
    CutOff, which is one, when some of it did.
    """
    host, callback_grace = server_of(url), min(timeout, longest_silence or timeout)
    with _Line(timeout) as line, _session(line) as session, _named_failures(host, line, callback_grace):
        response = session.request(
            method,
            url,
            headers=dict(headers),
            json=json,
            timeout=(min(CONNECT_SECONDS, timeout), callback_grace),
            stream=True,
            allow_redirects=False,
        )
        with response, _keeping(response, save_to), _named_failures(host, line, callback_grace):
            with save_to.open("wb") as file:
                _save(response, file, largest, host)
            _refuse_cut_off(response, line)
    return _answer(response, save_to)


def server_of(url: str) -> str:
    """The host (with its port, if given) that a call to the URL goes to, as the connection itself reads it.

    Raises ProviderError unless it is https, or http to this machine, with no credentials in it.
    """
    address = _parsed(url)
    if not address.host or address.auth is not None:
        raise _unusable("it has no host, or holds credentials")
    if address.scheme != "https" and not (address.scheme == "http" and _is_loopback(address.host)):
        raise _unusable("it is not https")
    return address.netloc or address.host


class _Line:
    """One call's connection, cut when its time is up, be it in its handshake, its headers or its body."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.connected = False
        self.expired = False
        self._sockets: list[socket.socket] = []
        self._lock = Lock()
        self._timer = Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> _Line:
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
        """Cut this connection too, at once if it is late."""
        with self._lock:
            # TLS takes the descriptor over and closing frees it; a duplicate stays ours until the end
            self._sockets.append(connection.dup())
            if self.expired:
                self._cut()

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            self._cut()

    def _cut(self) -> None:
        for connection in self._sockets:
            with suppress(OSError):  # the server was faster
                connection.shutdown(socket.SHUT_RDWR)


class _WatchedConnection(HTTPConnection):
    def __init__(self, *args: Any, line: _Line, **options: Any) -> None:
        super().__init__(*args, **options)
        self._line = line

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self._line.watch(connection)
        return connection

    def connect(self) -> None:
        super().connect()
        self._line.connected = True


class _WatchedTLSConnection(_WatchedConnection, HTTPSConnection):
    pass


_CONNECTIONS = {"http": _WatchedConnection, "https": _WatchedTLSConnection}


class _WatchingAdapter(HTTPAdapter):
    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line = line

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> HTTPConnectionPool:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = partial(_CONNECTIONS[pool.scheme], line=self._line)
        return pool  # type: ignore[no-any-return]


def _session(line: _Line) -> requests.Session:
    """A session for one call, so that no header, cookie or connection outlives it."""
    session = requests.Session()
    session.trust_env = False  # a .netrc would replace our token, a proxy would see it
    session.headers = requests.structures.CaseInsensitiveDict({"User-Agent": USER_AGENT})
    for scheme in _CONNECTIONS:
        session.mount(f"{scheme}://", _WatchingAdapter(line))
    return session


def _answer(response: requests.Response, body: Path) -> Answer:
    return Answer(status=response.status_code, headers=response.headers, body=body, bytes=body.stat().st_size)


@contextmanager
def _keeping(response: requests.Response, body: Path) -> Iterator[None]:
    """What has come of a body that breaks is told with the failure."""
    try:
        yield
    except ProviderError as error:
        if error.kind is FailureKind.BAD_OUTPUT:  # larger than is taken
            raise
        raise CutOff(error, _answer(response, body)) from error


def _save(response: requests.Response, file: BinaryIO, largest: int, host: str) -> None:
    if not _is_success(response.status_code):
        _save_refusal(response, file)
        return
    for chunk in response.iter_content(_CHUNK):
        file.write(chunk)
        if file.tell() > largest:
            raise ProviderError(
                FailureKind.BAD_OUTPUT,
                f"{host} answered with more than {largest:,} bytes: ask for something shorter or smaller",
                charged=Charged.YES,
            )


def _save_refusal(response: requests.Response, file: BinaryIO) -> None:
    with suppress(requests.RequestException):  # the status is known already, and says more than a broken body
        for chunk in response.iter_content(_CHUNK):
            file.write(chunk[: LARGEST_REFUSAL - file.tell()])
            if file.tell() >= LARGEST_REFUSAL:
                break


def _refuse_cut_off(response: requests.Response, line: _Line) -> None:
    """A body that ends with the connection looks whole when we cut it."""
    framed = {"content-length", "transfer-encoding"} & {name.lower() for name in response.headers}
    if line.expired and not framed and _is_success(response.status_code):
        raise requests.ReadTimeout


def _is_success(status: int) -> bool:
    return 200 <= status < 300


@contextmanager
def _named_failures(host: str, line: _Line, callback_grace: float) -> Iterator[None]:
    try:
        yield
    except requests.RequestException as error:
        if not line.connected:
            raise _unreachable(host, error) from error
        if line.expired or isinstance(error, requests.Timeout):
            raise _timed_out(host, line.seconds if line.expired else callback_grace) from error
        raise _broken(host) from error


def _unreachable(host: str, error: requests.RequestException) -> ProviderError:
    cause = getattr(error.args[0], "reason", None) if error.args else None
    why = next((text for kind, text in _WHY_UNREACHABLE if isinstance(cause, kind)), "no connection was made")
    return ProviderError(FailureKind.UNREACHABLE, f"{host} could not be reached: {why}. Nothing was sent.")


_WHY_UNREACHABLE: tuple[tuple[type[Exception], str], ...] = (
    (NameResolutionError, "its name does not resolve; check the server's address in the settings"),
    (NewConnectionError, "the connection was refused"),
    (ConnectTimeoutError, "it did not take the connection in time"),
    (SSLError, "its TLS certificate or handshake was not acceptable"),
)


def _timed_out(host: str, timeout: float) -> ProviderError:
    return ProviderError(
        FailureKind.TIMEOUT,
        f"{host} gave no whole answer within {timeout:g} s; the call may have run and been billed",
        charged=Charged.UNKNOWN,
    )


def _broken(host: str) -> ProviderError:
    return ProviderError(
        FailureKind.UPSTREAM,
        f"the connection to {host} broke after the request had been sent: the call may have run and been billed",
        charged=Charged.UNKNOWN,
    )


def _parsed(url: str) -> Url:
    try:
        return parse_url(url)
    except UnparsableURL as error:
        raise _unusable("it cannot be read") from error


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return host == "localhost"


def _unusable(why: str) -> ProviderError:
    return ProviderError(
        FailureKind.NOT_SERVED,
        f"the server's address in the settings cannot be used: {why}. Nothing was sent.",
    )
