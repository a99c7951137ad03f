"""The network as our processes meet it: AWS as moto answers for it, and the provider's HTTP, both behind the edge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from unittest.mock import patch

import requests
from botocore.exceptions import ConnectionClosedError
from moto.core.botocore_stubber import BotocoreStubber
from requests.adapters import HTTPAdapter

from tests.kill.edge import Edge

Send = Callable[[], requests.Response]

PROVIDER_CALL = "provider POST"
STORES_A_RESULT = "s3 PutObject"
STORES_A_REFERENCE = b"#ref = :ref"
LEARNS_A_REFERENCE = STORES_A_REFERENCE + b", #not_before = :now"


@contextmanager
def network_behind(edge: Edge, server: Any, *, timed: Callable[[Send], requests.Response]) -> Iterator[None]:
    """Every call of the SDK and of requests goes through the edge; `timed` has a call to a provider take its time.

    Each call is one exchange on the wire, so that a repetition by the SDK is a call of its own.
    """
    aws, http = BotocoreStubber.__call__, HTTPAdapter.send

    def to_aws(stubber: BotocoreStubber, event_name: str, request: Any, **options: Any) -> Any:
        operation = " ".join(event_name.split(".")[1:])

        def send() -> Any:
            answer = aws(stubber, event_name, request, **options)
            if operation == STORES_A_RESULT or STORES_A_REFERENCE in _body(request):
                edge.recorded()
            if LEARNS_A_REFERENCE in _body(request) and answer.status_code == HTTPStatus.OK:
                edge.found()
            return answer

        return edge.pass_on(operation, send, lost=ConnectionClosedError(endpoint_url=request.url))

    def to_provider(adapter: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> Any:
        def send() -> requests.Response:
            before = server.generations
            try:
                return http(adapter, request, **options)
            finally:
                edge.billed(max(0, server.generations - before))  # one that is cancelled in time is taken back

        lost = requests.ConnectionError("the connection was aborted")
        try:
            return edge.pass_on(f"provider {request.method}", lambda: timed(send), lost=lost)
        except requests.RequestException:
            edge.lose()
            raise

    with patch.object(BotocoreStubber, "__call__", to_aws), patch.object(HTTPAdapter, "send", to_provider):
        yield


def _body(request: Any) -> bytes:
    return request.body if isinstance(request.body, bytes) else b""
