"""Requests to the API: each is repeated where a repeat can help, a POST with one Idempotency-Key."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
import msgspec

from longplay.documents import Batch, Job, Model
from longplay.errors import Unreachable, refusal
from longplay.repeats import MOST_TRIES, again_after, pause

T = TypeVar("T", Job, Model, Batch)
TIMEOUT = httpx2.Timeout(35.0, connect=10.0)  # seconds; API Gateway answers within 29


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer that is no refusal."""

    headers: Mapping[str, str]
    content: bytes

    @property
    def document(self) -> dict[str, Any]:
        """Its JSON document; {} for an answer without one. Raises Unreachable for what no API of Longplay answers."""
        try:
            return msgspec.json.decode(self.content, type=dict[str, Any]) if self.content else {}
        except msgspec.DecodeError as error:
            raise Unreachable("What answers at this address is not Longplay: look at the address.") from error


@dataclass(frozen=True, kw_only=True)
class Api:
    """The API at an address, for one key. `sleep` waits so many seconds."""

    url: str
    key: str
    http: httpx2.Client
    sleep: Callable[[float], None] = time.sleep

    def get(self, path: str, **query: Any) -> Answer:
        """The answer to GET; raises Refused or Unreachable."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._sent("GET", path, params=given)

    def post(self, path: str, body: bytes = b"", *, idempotency_key: str | None = None, **query: Any) -> Answer:
        """The answer to POST, which makes a thing once however often it is sent; raises Refused or Unreachable."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4()), "Content-Type": "application/json"}
        return self._sent("POST", path, content=body, headers=headers, params=query)

    def delete(self, path: str) -> Answer:
        """The answer to DELETE; raises Refused or Unreachable."""
        return self._sent("DELETE", path)

    def address(self, path: str) -> str:
        """The whole address of a path relative to the API."""
        return f"{self.url.rstrip('/')}/{path}"

    def _sent(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any) -> Answer:
        sent = {"x-api-key": self.key, "Accept": "application/json", **(headers or {})}
        for tries in range(1, MOST_TRIES + 1):
            try:
                response = self.http.request(method, self.address(path), headers=sent, **options)
            except httpx2.InvalidURL as error:
                raise Unreachable(f"{self.url} is no address of an API ({error}).") from error
            except httpx2.TransportError as error:
                self._rest(pause(tries), error, tries)
                continue
            if response.is_success:
                return Answer(headers=response.headers, content=response.content)
            document = _problem(response)
            wait = again_after(response.status_code, response.headers, document, tries)
            if wait is None:
                raise refusal(response.status_code, document)
            self.sleep(wait)
        raise AssertionError("unreachable")  # the last try has raised

    def _rest(self, seconds: float, error: Exception, tries: int) -> None:
        if tries == MOST_TRIES:
            raise Unreachable(
                f"{self.url} does not answer ({error}). Look at the address and your connection; a request that "
                "arrived goes on there, and is not made twice."
            ) from error
        self.sleep(seconds)


def read(document: dict[str, Any], kind: type[T]) -> T:
    """The document as this kind; raises Unreachable for another one."""
    try:
        return msgspec.structs.replace(msgspec.convert(document, kind), document=document)
    except msgspec.ValidationError as error:
        raise Unreachable(f"What answers at this address is not Longplay ({error}): look at the address.") from error


def _problem(response: httpx2.Response) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return {}
    return document if isinstance(document, dict) else {}
