"""A request in fal's queue, and what fal's API shows of it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.stand_ins.framework import generations

ELSEWHERE = "https://queue.elsewhere.invalid"


@dataclass(frozen=True, kw_only=True)
class Outcome(generations.Outcome):
    """How a request will end: the status and body of its result, an empty body meaning the rendered one.

    `error` and `error_type` are in its status then. `unsafe` is its checker's finding. With `elsewhere`, fal gives
    URLs of another server.
    """

    status: int = 200
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    error_type: str | None = None
    unsafe: bool = False
    elsewhere: bool = False


@dataclass(kw_only=True)
class Request(generations.Generation):
    """`place` is the field of its result that lists the files; `model` is the endpoint's id."""

    app: str
    input: dict[str, Any]
    outcome: Outcome
    place: str
    deadline: str | None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "IN_QUEUE"
    started: bool = False
    canceled: bool = False

    @property
    def over(self) -> bool:
        return self.status == "COMPLETED"

    @property
    def billed(self) -> bool:
        """All but those that fal itself failed, and those canceled before they started."""
        return self.outcome.status < 500 and not (self.canceled and not self.started)

    def begin(self) -> None:
        self.status, self.started = "IN_PROGRESS", True

    def end(self) -> None:
        if not self.over:
            self.status, self.started = "COMPLETED", True

    def cancel(self) -> bool:
        """Cancel it; returns whether it was still running or waiting."""
        if self.over:
            return False
        self.status, self.canceled, self.outcome = "COMPLETED", True, CANCELED
        return True

    def shown(self, url: str) -> dict[str, Any]:
        """Its status, as the API at `url` shows it."""
        address = f"{ELSEWHERE if self.outcome.elsewhere else url}/{self.app}/requests/{self.id}"
        shown = {
            "status": self.status,
            "request_id": self.id,
            "response_url": address,
            "status_url": f"{address}/status",
            "cancel_url": f"{address}/cancel",
        }
        if self.status == "IN_QUEUE":
            return {**shown, "queue_position": 0}
        if self.status == "IN_PROGRESS":
            return {**shown, "logs": None}
        return {**shown, "logs": None, "metrics": {"inference_time": 0.5}, **self._failure()}

    def result(self, url: str) -> dict[str, Any]:
        """The body of its result, with files at `url`."""
        if self.outcome.body:
            return dict(self.outcome.body)
        files = [{"url": address, **self._described()} for address in self.addresses(url)]
        if self.place == "images":
            return {
                "images": files,
                "has_nsfw_concepts": [self.outcome.unsafe],
                "seed": 7,
                "prompt": self.input["prompt"],
            }
        return {self.place: files[0] if files else None}

    def _failure(self) -> dict[str, Any]:
        given = {"error": self.outcome.error, "error_type": self.outcome.error_type}
        return {name: value for name, value in given.items() if value is not None}

    def _described(self) -> dict[str, Any]:
        return {"content_type": self.files[0].content_type, "file_name": self.files[0].name} if self.files else {}


CANCELED = Outcome(
    status=499,
    body={"detail": "Request cancelled", "error_type": "client_cancelled"},
    headers={"X-Fal-Error-Type": "client_cancelled"},
    error="Request cancelled",
    error_type="client_cancelled",
)
