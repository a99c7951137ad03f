"""A request in fal's queue: what was asked for, how far it is, and how fal's API shows it."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.model_server.hosted import File

ELSEWHERE = "https://queue.elsewhere.invalid"


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What will become of a request: the status and the body its result will have, an empty body for the true one.

    `error` and `error_type` are what its own status says then. `unsafe` is what its checker finds, `output` replaces
    the addresses of its files, `erased` takes its result away, and `elsewhere` has fal name another server's addresses.
    """

    status: int = 200
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    error_type: str | None = None
    unsafe: bool = False
    output: tuple[str, ...] | None = None
    erased: bool = False
    elsewhere: bool = False


@dataclass(kw_only=True)
class Request:
    """`place` is where its result names the files. `created_at` is in Unix seconds."""

    app: str
    endpoint: str
    input: dict[str, Any]
    webhook: str | None
    fate: Fate
    files: list[File]
    place: str
    deadline: str | None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "IN_QUEUE"
    created_at: float = field(default_factory=time.time)
    started: bool = False
    canceled: bool = False
    polls: int = 0

    @property
    def billed(self) -> bool:
        """Whether it costs something: what has begun or will, but for fal's own faults."""
        return self.fate.status < 500 and not (self.canceled and not self.started)

    def polled(self, *, polls: int, seconds: float) -> None:
        """Take it further: over after as many polls and seconds, in progress until then."""
        if self.status == "COMPLETED":
            return
        over = self.polls >= polls and time.time() >= self.created_at + seconds
        self.polls += 1
        self.started = True
        self.status = "COMPLETED" if over else "IN_PROGRESS"

    def end(self) -> None:
        """Let what was to become of it happen now."""
        if self.status != "COMPLETED":
            self.status, self.started = "COMPLETED", True

    def cancel(self) -> bool:
        """Whether there was anything left to cancel."""
        if self.status == "COMPLETED":
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
        files = [{"url": address, **self._described()} for address in self._addresses(url)]
        if self.place == "images":
            return {"images": files, "has_nsfw_concepts": [self.fate.unsafe], "seed": 7, "prompt": self.input["prompt"]}
        return {self.place: files[0] if files else None}

    def _failure(self) -> dict[str, Any]:
        told = {"error": self.fate.error, "error_type": self.fate.error_type}
        return {name: value for name, value in told.items() if value is not None}

    def _addresses(self, url: str) -> list[str]:
        if self.fate.output is not None:
            return list(self.fate.output)
        return [f"{url}/files/{self.id}/{file.name}" for file in self.files]

    def _described(self) -> dict[str, Any]:
        return {"content_type": self.files[0].content_type, "file_name": self.files[0].name} if self.files else {}


CANCELED = Fate(
    status=499,
    body={"detail": "Request cancelled", "error_type": "client_cancelled"},
    headers={"X-Fal-Error-Type": "client_cancelled"},
    error="Request cancelled",
    error_type="client_cancelled",
)
