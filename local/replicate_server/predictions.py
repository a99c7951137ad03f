"""A prediction: what was asked for, how far it is, and how Replicate's API shows it."""

import secrets
import string
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.model_server.hosted import File

ENDS = ("succeeded", "failed", "canceled", "aborted")
_LETTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What will become of a prediction: its last status, and what is wrong with it if anything is."""

    status: str = "succeeded"
    error: str | None = None
    erased: bool = False
    output: tuple[str, ...] | None = None


@dataclass(kw_only=True)
class Prediction:
    """Times are Unix seconds. `started` once the model has begun, which is when it begins to cost money."""

    model: str
    version: str
    input: dict[str, Any]
    webhook: str | None
    fate: Fate
    files: list[File]
    single: bool
    id: str = field(default_factory=lambda: "".join(secrets.choice(_LETTERS) for _ in range(26)))
    status: str = "starting"
    created_at: float = field(default_factory=time.time)
    started_at: float | None = None
    completed_at: float | None = None
    polls: int = 0

    @property
    def billed(self) -> bool:
        """Whether it costs something: any but one that was given up before it started, for the rest will run."""
        return not (self.status in ("canceled", "aborted") and self.started_at is None)

    def polled(self, *, polls: int, seconds: float) -> None:
        """Take it further: over after as many polls and seconds, processing until then."""
        if self.status in ENDS:
            return
        over = self.polls >= polls and time.time() >= self.created_at + seconds
        self.polls += 1
        if over:
            self.end()
        elif self.fate.status != "aborted":
            self._start()

    def end(self) -> None:
        """Let what was to become of it happen now."""
        if self.status not in ENDS:
            if self.fate.status != "aborted":
                self._start()
            self.status, self.completed_at = self.fate.status, time.time()

    def cancel(self) -> None:
        if self.status not in ENDS:
            self.status, self.completed_at = "canceled", time.time()

    def shown(self, url: str) -> dict[str, Any]:
        """The object as the API at `url` shows it."""
        erased = self.fate.erased and self.status in ENDS
        shown: dict[str, Any] = {
            "id": self.id,
            "model": self.model,
            "version": self.version,
            "input": {} if erased else self.input,
            "logs": "",
            "output": None if erased else self._output(url),
            "data_removed": erased,
            "error": self.fate.error if self.status == "failed" else None,
            "source": "api",
            "status": self.status,
            "created_at": _written(self.created_at),
            "started_at": _written(self.started_at),
            "completed_at": _written(self.completed_at),
            "urls": {
                "get": f"{url}/v1/predictions/{self.id}",
                "cancel": f"{url}/v1/predictions/{self.id}/cancel",
                "web": f"https://replicate.com/p/{self.id}",
            },
        }
        if self.started_at and self.completed_at:
            shown["metrics"] = {"predict_time": self.completed_at - self.started_at}
        return shown

    def _start(self) -> None:
        self.status, self.started_at = "processing", self.started_at or time.time()

    def _output(self, url: str) -> Any:
        if self.status != "succeeded":
            return None
        if self.fate.output is not None:
            return list(self.fate.output)
        named = [f"{url}/delivery/{self.id}/{file.name}" for file in self.files]
        return named[0] if self.single else named


def _written(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
