"""A prediction, and the object that Replicate's API shows of it."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.stand_ins.framework import generations

ENDS = ("succeeded", "failed", "canceled", "aborted")


@dataclass(frozen=True, kw_only=True)
class Outcome(generations.Outcome):
    """How a prediction will end: its last status, and its error if it failed."""

    status: str = "succeeded"
    error: str | None = None


@dataclass(kw_only=True)
class Prediction(generations.Generation):
    """Times are Unix seconds; it costs money from `started_at` on. A `single` model returns one URL, not a list."""

    version: str
    input: dict[str, Any]
    outcome: Outcome
    single: bool
    status: str = "starting"
    started_at: float | None = None
    completed_at: float | None = None

    @property
    def over(self) -> bool:
        return self.status in ENDS

    @property
    def canceled(self) -> bool:
        """Whether it was canceled."""
        return self.status == "canceled"

    @property
    def billed(self) -> bool:
        """All but those that ended before the model started."""
        return not (self.status in ("canceled", "aborted") and self.started_at is None)

    def begin(self) -> None:
        if self.outcome.status != "aborted":
            self.status, self.started_at = "processing", self.started_at or time.time()

    def end(self) -> None:
        if not self.over:
            self.begin()
            self.status, self.completed_at = self.outcome.status, time.time()

    def cancel(self) -> None:
        """Cancel it, unless it has ended."""
        if not self.over:
            self.status, self.completed_at = "canceled", time.time()

    def shown(self, url: str) -> dict[str, Any]:
        """The object as the API at `url` shows it."""
        erased = self.outcome.erased and self.over
        shown: dict[str, Any] = {
            "id": self.id,
            "model": self.model,
            "version": self.version,
            "input": {} if erased else self.input,
            "logs": "",
            "output": None if erased else self._output(url),
            "data_removed": erased,
            "error": self.outcome.error if self.status == "failed" else None,
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

    def _output(self, url: str) -> Any:
        if self.status != "succeeded":
            return None
        named = self.addresses(url)
        return named[0] if self.single and self.outcome.output is None else named


def _written(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
