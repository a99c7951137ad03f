"""The checks before a model: token, cold start, rate limit."""

import math
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from email.message import Message

from local.stand_ins.framework.answers import Answer, says
from local.stand_ins.pipelines.asked import Asked

RATE_LIMITED = (
    "Rate limit reached. You reached free usage limit (reset hourly). "
    "Please subscribe to a plan at https://huggingface.co/pricing to use the API at this rate"
)


@dataclass(frozen=True)
class RateLimit:
    """At most `count` accepted requests within any `seconds`."""

    count: int
    seconds: float


@dataclass(kw_only=True)
class Gates:
    """The checks, each off by default; `cold_start` is in seconds per model."""

    token: str | None = None
    rate_limit: RateLimit | None = None
    cold_start: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _accepted: deque[float] = field(default_factory=deque)
    _first_asked: dict[str, float] = field(default_factory=dict)

    def refuse(self, asked: Asked, headers: Message) -> Answer | None:
        """The refusal of a request, None if it passes."""
        now = time.monotonic()
        with self._lock:
            return self._unauthorized(headers) or self._loading(asked, now) or self._throttled(now)

    def _unauthorized(self, headers: Message) -> Answer | None:
        given = headers.get("Authorization")
        if self.token is None or given == f"Bearer {self.token}":
            return None
        wrong = "Invalid credentials in Authorization header" if given else "Invalid username or password."
        return says(401, {"error": wrong})

    def _loading(self, asked: Asked, now: float) -> Answer | None:
        model = asked.model or asked.task
        left = self._first_asked.setdefault(model, now) + self.cold_start - now
        return loading(model, left) if left > 0 else None

    def _throttled(self, now: float) -> Answer | None:
        if self.rate_limit is None:
            return None
        while self._accepted and self._accepted[0] <= now - self.rate_limit.seconds:
            self._accepted.popleft()
        if len(self._accepted) < self.rate_limit.count:
            self._accepted.append(now)
            return None
        wait = self._accepted[0] + self.rate_limit.seconds - now
        return says(429, {"error": RATE_LIMITED}, **{"Retry-After": str(math.ceil(wait))})


def loading(model: str, seconds: float) -> Answer:
    """The refusal while a model loads."""
    body = {"error": f"Model {model} is currently loading", "estimated_time": round(seconds, 2)}
    return says(503, body)
