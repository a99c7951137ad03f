"""Routes the processes' network calls through the fault injector: AWS is moto, the provider is a stand-in."""

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

from tests.kill.aws_errors import error_answer
from tests.kill.injector import PROVIDER_PREFIX, FaultInjector

Send = Callable[[], Any]  # the answer has a `status_code`, for either HTTP client

PROVIDER_CALL = "provider POST"
WEBHOOK_PATH = "/hook"  # of a receiver's address; no provider has it
STORES_A_RESULT = "s3 PutObject"
STORES_A_REFERENCE = b"#ref = :ref"
LEARNS_A_REFERENCE = STORES_A_REFERENCE + b", #not_before = :now"

_SEND_TO_AWS, _SEND_BY_HTTP = BotocoreStubber.__call__, HTTPAdapter.send


class Timed(Protocol):
    """A function that lets simulated time pass during a call to a provider."""

    def __call__(self, send: Send, *, starts: bool) -> Any:
        """Send, and return the answer; `starts` says whether the call asks for a generation."""


@contextmanager
def network_behind(injector: FaultInjector, server: Any, *, timed: Timed) -> Iterator[None]:
    """Send every call of the AWS SDK and of requests through the injector.

    Calls that a stand-in makes in its own thread are left out. Each call is one exchange on the wire, so a repetition
    by the SDK is a separate call.
    """
    network = _Network(injector=injector, server=server, timed=timed)

    def by_sdk(stubber: BotocoreStubber, event_name: str, request: Any, **options: Any) -> Any:
        return network.by_sdk(event_name, request, lambda: _SEND_TO_AWS(stubber, event_name, request, **options))

    def by_requests(adapter: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> Any:
        return network.by_requests(request, lambda: _SEND_BY_HTTP(adapter, request, **options))

    with patch.object(BotocoreStubber, "__call__", by_sdk), patch.object(HTTPAdapter, "send", by_requests):
        yield


@dataclass(frozen=True, kw_only=True)
class _Network:
    injector: FaultInjector
    server: Any
    timed: Timed
    main_thread: int = field(default_factory=threading.get_ident)

    def by_requests(self, request: requests.PreparedRequest, send: Send) -> Any:
        lost = requests.ConnectionError("the connection was aborted")
        if urlsplit(request.url).path == WEBHOOK_PATH:
            return self.injector.pass_on("webhook POST", send, lost=lost)
        return self._to_provider(str(request.method), str(request.url), send, lost=lost)

    def by_sdk(self, event_name: str, request: Any, send: Send) -> Any:
        """Moto does not answer for loopback addresses; calls to them are sent here, so that they can fail too."""
        if threading.get_ident() != self.main_thread:
            return send()
        lost = ConnectionClosedError(endpoint_url=request.url)
        if urlsplit(request.url).hostname == "127.0.0.1":
            return self._to_provider(request.method, request.url, lambda: _wire().send(request), lost=lost)
        operation = _operation(event_name, request.url)
        return self.injector.pass_on(
            operation,
            lambda: self._to_aws(operation, _body(request), send),
            lost=lost,
            answer=lambda said: error_answer(said, operation, request),
        )

    def _to_provider(self, method: str, url: str, send: Send, *, lost: Exception) -> Any:
        starts = method == "POST" and not url.endswith("/cancel")
        try:
            return self.injector.pass_on(
                f"provider {method}", lambda: self.timed(lambda: self._counted(send), starts=starts), lost=lost
            )
        except (requests.RequestException, BotoCoreError):
            self.injector.lose_answers()
            raise

    def _counted(self, send: Send) -> Any:
        before = self.server.generations
        try:
            return send()
        finally:
            self.injector.billed(max(0, self.server.generations - before))  # a cancel in time lowers the count

    def _to_aws(self, operation: str, body: bytes, send: Send) -> Any:
        answer = send()
        if operation == STORES_A_RESULT or STORES_A_REFERENCE in body:
            self.injector.recorded()
        if LEARNS_A_REFERENCE in body and answer.status_code == HTTPStatus.OK:
            self.injector.answer_recovered()
        return answer


def _operation(event_name: str, url: str) -> str:
    """The service and operation, with a prefix for requests and answers of SageMaker in the bucket."""
    operation = " ".join(event_name.split(".")[1:])
    return f"{PROVIDER_PREFIX} {operation}" if "/gpu" in urlsplit(url).path else operation


@cache
def _wire() -> URLLib3Session:
    return URLLib3Session()


def _body(request: Any) -> bytes:
    return request.body if isinstance(request.body, bytes) else b""
