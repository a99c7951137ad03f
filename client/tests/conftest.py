"""An API that answers as a test says, behind the real HTTP client."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from longplay import Longplay

CONTENT = bytes(range(256)) * 40
OUTPUT = {
    "content_type": "audio/wav",
    "bytes": len(CONTENT),
    "sha256": hashlib.sha256(CONTENT).hexdigest(),
    "link": "files/a/token/0",
}
JOB = {"id": "a" * 26, "status": "running", "kind": "music", "model": "m", "wait": {"reason": "provider_working"}}
DONE = JOB | {"status": "succeeded", "outputs": [OUTPUT], "cost": {"charged_usd": 0.005}, "wait": None}

Answers = Callable[[httpx2.Request], httpx2.Response]


def problem(status: int, code: str, *, after: int | None = None, **members: Any) -> httpx2.Response:
    """A refusal as the API writes it."""
    document = {"code": code, "detail": f"It is {code}.", "retryable": after is not None, "charged": "no", **members}
    return httpx2.Response(status, json=document, headers={"Retry-After": str(after)} if after is not None else {})


@dataclass
class Deployment:
    """The answers of the API in turn, the requests it got, and the waits of the client in seconds."""

    answers: list[httpx2.Response | Exception | Answers] = field(default_factory=list)
    asked: list[httpx2.Request] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        """The next answer; the last one stays."""
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx2.Response) else answer(request)


@pytest.fixture
def deployment() -> Deployment:
    """An API without answers yet."""
    return Deployment()


@pytest.fixture
def longplay(deployment: Deployment) -> Iterator[Longplay]:
    """A client of that API, which does not really sleep."""
    http = httpx2.Client(transport=httpx2.MockTransport(deployment.answer))
    with Longplay("https://api.test/prod", "lp_alice_key", http=http, sleep=deployment.slept.append) as client:
        yield client
