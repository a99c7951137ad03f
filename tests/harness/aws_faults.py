"""Makes AWS answer the product's calls with an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders


@dataclass
class AwsFault:
    """An error that a client gets for an operation; `times` is how often, None for always. `met` counts its calls."""

    code: str
    status: int = 400
    times: int | None = None
    met: list[str] = field(default_factory=list)

    def __call__(self, model: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
        """The hook of botocore that may answer in the place of AWS."""
        if self.times is not None and len(self.met) >= self.times:
            return None
        self.met.append(model.name)
        response: Any = AWSResponse("", self.status, HTTPHeaders(), None)
        return response, {"Error": {"Code": self.code}, "ResponseMetadata": {"HTTPStatusCode": self.status}}


@contextmanager
def aws_answers(client: Any, operation: str, fault: AwsFault) -> Iterator[AwsFault]:
    """In this block, the client's calls of this operation meet the fault."""
    name = f"before-call.{client.meta.service_model.service_id.hyphenize()}.{operation}"
    client.meta.events.register(name, fault)
    try:
        yield fault
    finally:
        client.meta.events.unregister(name, fault)


@contextmanager
def in_between(client: Any, operation: str, action: Callable[[], object]) -> Iterator[None]:
    """In this block, the action of another process happens just before the client's first call of this operation."""
    name = f"before-call.{client.meta.service_model.service_id.hyphenize()}.{operation}"

    def act(**_: Any) -> None:
        client.meta.events.unregister(name, act)
        action()

    client.meta.events.register(name, act)
    try:
        yield
    finally:
        client.meta.events.unregister(name, act)
