"""A request in fal's queue: what was asked for, how far it is, and how fal's API shows it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.stand_ins.framework import generations

ELSEWHERE = "https://queue.elsewhere.invalid"


@dataclass(frozen=True, kw_only=True)
class Fate(generations.Fate):
    """What will become of a request: the status and the body its result will have, an empty body for the true one.

    `error` and `error_type` are what its own status says then. `unsafe` is what its checker finds, and `elsewhere` has
    fal name another server's addresses.
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
    """`place` is where its result names the files."""

    app: str
    endpoint: str
    input: dict[str, Any]
    fate: Fate
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
        """What has begun or will, but for fal's own faults."""
        return self.fate.status < 500 and not (self.canceled and not self.started)

    def begin(self) -> None:
        self.status, self.started = "IN_PROGRESS", True

    def end(self) -> None:
        if not self.over:
            self.status, self.started = "COMPLETED", True

    def cancel(self) -> bool:
        """Whether there was anything left to cancel."""
        if self.over:
            return False
        self.status, self.canceled, self.fate = "COMPLETED", True, CANCELED
        return True

    def shown(self, url: str) -> dict[str, Any]:
        """Its status as the API at `url` shows it."""
        address = f"{ELSEWHERE if self.fate.elsewhere else url}/{self.app}/requests/{self.id}"
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
        """Its result's body, with files at `url`."""
        if self.fate.body:
            return dict(self.fate.body)
        files = [{"url": address, **self._described()} for address in self.addresses(url)]
        if self.place == "images":
            return {"images": files, "has_nsfw_concepts": [self.fate.unsafe], "seed": 7, "prompt": self.input["prompt"]}
        return {self.place: files[0] if files else None}

    def _failure(self) -> dict[str, Any]:
        told = {"error": self.fate.error, "error_type": self.fate.error_type}
        return {name: value for name, value in told.items() if value is not None}

    def _described(self) -> dict[str, Any]:
        return {"content_type": self.files[0].content_type, "file_name": self.files[0].name} if self.files else {}


CANCELED = Fate(
    status=499,
    body={"detail": "Request cancelled", "error_type": "client_cancelled"},
    headers={"X-Fal-Error-Type": "client_cancelled"},
    error="Request cancelled",
    error_type="client_cancelled",
)
