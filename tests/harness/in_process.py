"""An HTTP client on the entry points in this process: each request becomes the event that API Gateway would pass on."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from tests.harness.product import API_KEY, Product

BASE_URL = "http://longplay.test"


class InProcess(BaseAdapter):
    """Sends each request to the function of its path. Every eighth one, the messages that are due are delivered."""

    def __init__(self, product: Product) -> None:
        super().__init__()
        self._product = product
        self._requests = 0

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        """The function's answer."""
        self._requests += 1
        if self._requests % 8 == 0:
            self._product.deliver()
        asked = urlsplit(str(request.url))
        headers = {name: str(value) for name, value in request.headers.items()}
        answer = self._product.send(
            str(request.method), unquote(asked.path), asked.query, _bytes(request.body), headers
        )
        raw = HTTPResponse(
            io.BytesIO(answer.body.encode()), headers=answer.headers, status=answer.status, preload_content=False
        )
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


def session_with(product: Product) -> requests.Session:
    """A session for `BASE_URL` that sends the key, and follows no redirect out of it."""
    session = requests.Session()
    session.mount(BASE_URL, InProcess(product))
    session.headers["x-api-key"] = API_KEY
    return session


def _bytes(body: Any) -> bytes | None:
    return body.encode() if isinstance(body, str) else body
