"""The HTTP client for all providers: saves each answer to a file and raises each failure as ProviderError."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import requests
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError, SSLError
from urllib3.exceptions import LocationParseError as UnparsableURL
from urllib3.util import Url, parse_url

from longplay.domain.errors import Case, Charged, FailureKind, ProviderError
from longplay.providers.sent import note_request
from longplay.providers.watchdog import CONNECTIONS, OneCall, Watchdog, WatchingAdapter

CONNECT_SECONDS = 5.0  # for each address of the server
LARGEST_REFUSAL = 64 * 1024  # bytes read of an error response
USER_AGENT = "longplay"

_CHUNK = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A server's response. `headers` ignore case; `body` is a file (for a refusal, its first 64 KB)."""

    status: int
    headers: Mapping[str, str]
    body: Path
    bytes: int

    @property
    def success(self) -> bool:
        """Whether the status is 2xx."""
        return _is_success(self.status)


def has_length(answer: Answer) -> bool:
    """Whether the server said where the body ends; if not, one that breaks off looks complete."""
    return not {"content-length", "transfer-encoding"}.isdisjoint(name.lower() for name in answer.headers)


class CutOff(ProviderError):
    """The connection broke during the body of a successful answer; `answer` has the part that arrived."""

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
    """Send one request and save its answer, with any status; never follows a redirect or retries.

    `timeout` limits the whole exchange in seconds, even if bytes keep arriving slowly; only resolving the name and
    trying its addresses (5 s each) may take longer. After `longest_silence` seconds without a byte, the exchange
    fails. `largest` is in bytes. Raises ProviderError without a complete answer; it is a CutOff if a part arrived.
    """
    host, read_timeout = server_of(url), min(timeout, longest_silence or timeout)
    note_request(method)
    with Watchdog(timeout) as watchdog, _session(watchdog) as session, _named_failures(host, watchdog, read_timeout):
        response = session.request(
            method,
            url,
            headers=dict(headers),
            json=json,
            timeout=(min(CONNECT_SECONDS, timeout), read_timeout),
            stream=True,
            allow_redirects=False,
        )
        with response, _partial_kept(response, save_to), _named_failures(host, watchdog, read_timeout):
            with save_to.open("wb") as file:
                _save(response, file, largest, host)
            _refuse_cut_off(response, watchdog, save_to)
    return _answer(response, save_to)


def server_of(url: str) -> str:
    """The host (and port, if given) that a call to the URL connects to, parsed as urllib3 parses it.

    Raises ProviderError unless the URL is https, or http to this machine, and contains no credentials.
    """
    address = _parsed(url)
    if not address.host or address.auth is not None:
        raise _unusable("it has no host, or contains credentials")
    if address.scheme != "https" and not (address.scheme == "http" and _is_loopback(address.host)):
        raise _unusable("it is not https")
    return address.netloc or address.host


def _session(watchdog: Watchdog) -> OneCall:
    return OneCall(USER_AGENT, dict.fromkeys(CONNECTIONS, WatchingAdapter(watchdog)))


def _answer(response: requests.Response, body: Path) -> Answer:
    return Answer(status=response.status_code, headers=response.headers, body=body, bytes=body.stat().st_size)


@contextmanager
def _partial_kept(response: requests.Response, body: Path) -> Iterator[None]:
    """Raise a failure within as a CutOff with the part of the body that arrived."""
    try:
        yield
    except ProviderError as error:
        if error.kind is FailureKind.BAD_OUTPUT:  # the file is too large
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
                case=Case.LARGE_RESULT,
            )


def _save_refusal(response: requests.Response, file: BinaryIO) -> None:
    with suppress(requests.RequestException):  # the status is known, and matters more than the body
        for chunk in response.iter_content(_CHUNK):
            file.write(chunk[: LARGEST_REFUSAL - file.tell()])
            if file.tell() >= LARGEST_REFUSAL:
                break


def _refuse_cut_off(response: requests.Response, watchdog: Watchdog, body: Path) -> None:
    """Raise a timeout if we closed the connection of a body without a length, which then looks complete."""
    if watchdog.expired and _is_success(response.status_code) and not has_length(_answer(response, body)):
        raise requests.ReadTimeout


def _is_success(status: int) -> bool:
    return 200 <= status < 300


@contextmanager
def _named_failures(host: str, watchdog: Watchdog, read_timeout: float) -> Iterator[None]:
    try:
        yield
    except requests.RequestException as error:
        if not watchdog.connected:
            raise _unreachable(host, error) from error
        if watchdog.expired or isinstance(error, requests.Timeout):
            raise _timed_out(host, watchdog.seconds if watchdog.expired else read_timeout) from error
        raise _broken(host) from error


def _unreachable(host: str, error: requests.RequestException) -> ProviderError:
    cause = getattr(error.args[0], "reason", None) if error.args else None
    why = next((text for kind, text in _WHY_UNREACHABLE if isinstance(cause, kind)), "no connection was made")
    return ProviderError(FailureKind.UNREACHABLE, f"{host} could not be reached: {why}. Nothing was sent.")


_WHY_UNREACHABLE: tuple[tuple[type[Exception], str], ...] = (
    (NameResolutionError, "its name does not resolve; check the server's address in the settings"),
    (NewConnectionError, "the connection was refused"),
    (ConnectTimeoutError, "it did not accept the connection in time"),
    (SSLError, "its TLS certificate or handshake was rejected"),
)


def _timed_out(host: str, timeout: float) -> ProviderError:
    return ProviderError(
        FailureKind.TIMEOUT,
        f"{host} did not answer completely within {timeout:g} s; the call may have run and been billed",
        charged=Charged.UNKNOWN,
    )


def _broken(host: str) -> ProviderError:
    return ProviderError(
        FailureKind.UPSTREAM,
        f"the connection to {host} broke after the request was sent; the call may have run and been billed",
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
