"""Sends a signed body to a receiver: once, to a public address, within 15 seconds, and follows no redirect."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter import InvalidIPAddress  # type: ignore[import-untyped]
from requests_hardened.ip_filter_adapter import IPFilterAdapter  # type: ignore[import-untyped]
from standardwebhooks import Webhook
from urllib3.exceptions import NameResolutionError, NewConnectionError

from longplay.domain.errors import InvalidRequest
from longplay.domain.hooks import LONGEST_DELIVERY, Delivery, outcome_of
from longplay.domain.webhook_urls import webhook_url
from longplay.providers.watchdog import OneCall, Watchdog, WatchingAdapter

CONNECT_SECONDS = 5.0
_OLD_IPV4 = ipaddress.ip_network("::/96")  # IPv4 addresses within IPv6 (RFC 4291, 2.5.5.1), which Python calls global
USER_AGENT = "Longplay-Webhook"

_TOO_LATE = f"The receiver did not answer within {LONGEST_DELIVERY:g} s."
_NO_NAME = "The name does not resolve. Nothing was sent."


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Sends webhooks. `private` allows addresses of this machine and its network; `clock` gives epoch seconds."""

    private: bool
    clock: Callable[[], float] = time.time

    def send(self, url: str, body: str, *, webhook_id: str, secrets: Sequence[str]) -> Delivery:
        """Send the body once, with a signature by each secret, and say what came of it."""
        began, now = time.monotonic(), self.clock()
        headers = {"Content-Type": "application/json", **_signed(body, webhook_id, secrets, now)}
        status, outcome = self._answer(url, body.encode(), headers)
        return Delivery(started_at=now, seconds=time.monotonic() - began, outcome=outcome, status=status)

    def _answer(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int | None, str]:
        try:
            webhook_url("webhook", url, private=self.private)  # the rules may be stricter than when it was taken
        except InvalidRequest as error:
            return None, error.detail
        with Watchdog(LONGEST_DELIVERY) as watchdog, self._session(watchdog) as session:
            try:
                status, outcome = _exchange(session, url, body, headers)
            except (requests.RequestException, UnicodeError) as error:
                status, outcome = None, _what_failed(error)
            # headers that we cut off look complete
            return (None, _TOO_LATE) if watchdog.expired else (status, outcome)

    def _session(self, watchdog: Watchdog) -> OneCall:
        return OneCall(USER_AGENT, {scheme: self._adapter(watchdog, scheme) for scheme in ("https", "http")})

    def _adapter(self, watchdog: Watchdog, scheme: str) -> HTTPAdapter:
        return WatchingAdapter(watchdog) if self.private else _PublicOnly(watchdog, is_https_proto=scheme == "https")


class _PublicOnly(WatchingAdapter, IPFilterAdapter):  # type: ignore[misc]
    """Resolves the name once and connects to that very address, if it is public."""

    def build_connection_pool_key_attributes(self, *args: Any, **options: Any) -> Any:
        host, pool = super().build_connection_pool_key_attributes(*args, **options)
        address = ipaddress.ip_address(str(host["host"]).strip("[]"))
        if not address.is_global or address in _OLD_IPV4:
            raise InvalidIPAddress(host["host"])
        return host, pool


def _signed(body: str, webhook_id: str, secrets: Sequence[str], now: float) -> dict[str, str]:
    """The headers of Standard Webhooks, with one signature for each secret."""
    at = datetime.fromtimestamp(int(now), UTC)
    signatures = [Webhook(secret).sign(webhook_id, at, body) for secret in secrets]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": " ".join(signatures),
    }


def _exchange(session: OneCall, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    timeout = (CONNECT_SECONDS, LONGEST_DELIVERY)
    with session.post(url, data=body, headers=headers, timeout=timeout, stream=True, allow_redirects=False) as response:
        status = response.status_code
        return status, outcome_of(status, _printable(response.headers.get("Location")))


def _printable(text: str | None) -> str | None:
    return None if text is None else "".join(character for character in text if character.isprintable())


def _what_failed(error: Exception) -> str:
    """A failure in a sentence for the caller, without the address that the name has."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    for kind, text in _FAILURES:
        if any(isinstance(cause, kind) for cause in (error, error.__cause__, reason)):
            return text
    return "The connection broke before the receiver answered."


_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (InvalidIPAddress, "The name leads to an address that is not public. Nothing was sent."),
    (requests.exceptions.SSLError, "The receiver's TLS certificate or handshake was rejected. Nothing was sent."),
    (requests.ConnectTimeout, "The receiver did not accept a connection in time. Nothing was sent."),
    (requests.ReadTimeout, _TOO_LATE),
    (socket.gaierror, _NO_NAME),
    (NameResolutionError, _NO_NAME),
    (NewConnectionError, "The receiver refused the connection. Nothing was sent."),
    (requests.exceptions.InvalidURL, "The address cannot be used. Nothing was sent."),
    (UnicodeError, "The address cannot be used. Nothing was sent."),
)
