"""The network as our processes meet it: AWS as moto answers for it, and the provider's HTTP, both behind the edge."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any, Protocol
from unittest.mock import patch
from urllib.parse import urlsplit

import requests
from botocore.exceptions import BotoCoreError, ConnectionClosedError
from botocore.httpsession import URLLib3Session
from moto.core.botocore_stubber import BotocoreStubber
from requests.adapters import HTTPAdapter

from tests.kill.edge import AT_THE_PROVIDER, Edge

Send = Callable[[], Any]  # the answer has a `status_code`, whichever client asks

PROVIDER_CALL = "provider POST"
STORES_A_RESULT = "s3 PutObject"
STORES_A_REFERENCE = b"#ref = :ref"
LEARNS_A_REFERENCE = STORES_A_REFERENCE + b", #not_before = :now"

_AWS, _HTTP = BotocoreStubber.__call__, HTTPAdapter.send


class Timed(Protocol):
    """Has a call to a provider take its time."""

    def __call__(self, send: Send, *, starts: bool) -> Any:
        """Send, and return the answer; `starts` is whether a generation is asked for."""


@contextmanager
def network_behind(edge: Edge, server: Any, *, timed: Timed) -> Iterator[None]:
    """Every call of the SDK and of requests goes through the edge, but for those a stand-in makes in its own thread.

    Each call is one exchange on the wire, so that a repetition by the SDK is a call of its own.
    """
    network = _Network(edge=edge, server=server, timed=timed)

    def by_sdk(stubber: BotocoreStubber, event_name: str, request: Any, **options: Any) -> Any:
        return network.by_sdk(event_name, request, lambda: _AWS(stubber, event_name, request, **options))

    def by_requests(adapter: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> Any:
        return network.by_requests(request, lambda: _HTTP(adapter, request, **options))

    with patch.object(BotocoreStubber, "__call__", by_sdk), patch.object(HTTPAdapter, "send", by_requests):
        yield


@dataclass(frozen=True, kw_only=True)
class _Network:
    edge: Edge
    server: Any
    timed: Timed
    ours: int = field(default_factory=threading.get_ident)

    def by_requests(self, request: requests.PreparedRequest, send: Send) -> Any:
        lost = requests.ConnectionError("the connection was aborted")
        return self._to_provider(str(request.method), str(request.url), send, lost=lost)

    def by_sdk(self, event_name: str, request: Any, send: Send) -> Any:
        """Moto leaves loopback alone; what goes there is sent here, so that it can be struck on both its sides."""
        if threading.get_ident() != self.ours:
            return send()
        lost = ConnectionClosedError(endpoint_url=request.url)
        if urlsplit(request.url).hostname == "127.0.0.1":
            return self._to_provider(request.method, request.url, lambda: _wire().send(request), lost=lost)
        operation = _operation(event_name, request.url)
        return self.edge.pass_on(operation, lambda: self._to_aws(operation, _body(request), send), lost=lost)

    def _to_provider(self, method: str, url: str, send: Send, *, lost: Exception) -> Any:
        starts = method == "POST" and not url.endswith("/cancel")
        try:
            return self.edge.pass_on(
                f"provider {method}", lambda: self.timed(lambda: self._counted(send), starts=starts), lost=lost
            )
        except (requests.RequestException, BotoCoreError):
            self.edge.lose()
            raise

    def _counted(self, send: Send) -> Any:
        before = self.server.generations
        try:
            return send()
        finally:
            self.edge.billed(max(0, self.server.generations - before))  # one that is canceled in time is taken back

    def _to_aws(self, operation: str, body: bytes, send: Send) -> Any:
        answer = send()
        if operation == STORES_A_RESULT or STORES_A_REFERENCE in body:
            self.edge.recorded()
        if LEARNS_A_REFERENCE in body and answer.status_code == HTTPStatus.OK:
            self.edge.found()
        return answer


def _operation(event_name: str, url: str) -> str:
    """Service and operation; those on SageMaker's requests and answers, which lie in our bucket, are told apart."""
    operation = " ".join(event_name.split(".")[1:])
    return f"{AT_THE_PROVIDER} {operation}" if "/gpu" in urlsplit(url).path else operation


@cache
def _wire() -> URLLib3Session:
    return URLLib3Session()


def _body(request: Any) -> bytes:
    return request.body if isinstance(request.body, bytes) else b""
