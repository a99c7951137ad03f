"""A prediction: what was asked for, how far it is, and how Replicate's API shows it."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.stand_ins.framework import generations

ENDS = ("succeeded", "failed", "canceled", "aborted")


@dataclass(frozen=True, kw_only=True)
class Fate(generations.Fate):
    """What will become of a prediction: its last status, and what is wrong with it if anything is."""

    status: str = "succeeded"
    error: str | None = None


@dataclass(kw_only=True)
class Prediction(generations.Generation):
    """Times are Unix seconds. `started` once the model has begun, which is when it begins to cost money."""

    model: str
    version: str
    input: dict[str, Any]
    fate: Fate
    single: bool
    status: str = "starting"
    started_at: float | None = None
    completed_at: float | None = None

    @property
    def over(self) -> bool:
        return self.status in ENDS

    @property
    def canceled(self) -> bool:
        return self.status == "canceled"

    @property
    def billed(self) -> bool:
        """Any but one that was given up before it started, for the rest will run."""
        return not (self.status in ("canceled", "aborted") and self.started_at is None)

    def begin(self) -> None:
        if self.fate.status != "aborted":
            self.status, self.started_at = "processing", self.started_at or time.time()

    def end(self) -> None:
        if not self.over:
            self.begin()
            self.status, self.completed_at = self.fate.status, time.time()

    def cancel(self) -> None:
        if not self.over:
            self.status, self.completed_at = "canceled", time.time()

    def shown(self, url: str) -> dict[str, Any]:
        """The object as the API at `url` shows it."""
        erased = self.fate.erased and self.over
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

    def _output(self, url: str) -> Any:
        if self.status != "succeeded":
            return None
        named = self.addresses(url)
        return named[0] if self.single and self.fate.output is None else named


def _written(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
