"""The memory of a stand-in: its requests, and which of them a provider would have billed."""

import hashlib
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.stand_ins.framework.answers import decode_image

REMEMBERED = 50_000


@dataclass(kw_only=True)
class Exchange:
    """One request. Times are Unix seconds; `status` is None until it is answered; `lost` if the caller had gone."""

    method: str
    path: str
    headers: dict[str, str]
    started_at: float
    model: str | None = None
    task: str | None = None
    inputs: Any = None
    parameters: Any = None
    fault: str | None = None
    status: int | None = None
    finished_at: float | None = None
    billed: bool = False
    lost: bool = False


class Memory:
    """The last requests; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._exchanges: deque[Exchange] = deque(maxlen=REMEMBERED)

    @property
    def exchanges(self) -> list[Exchange]:
        """The requests, in order of arrival."""
        with self._lock:
            return list(self._exchanges)

    @property
    def generations(self) -> int:
        """How many of them were billed; a request that began before `clear` is not counted, even if billed after it."""
        return sum(exchange.billed for exchange in self.exchanges)

    def open(self, method: str, path: str, headers: Mapping[str, str]) -> Exchange:
        """Remember a request that has arrived."""
        exchange = Exchange(method=method, path=path, headers=_public(headers), started_at=time.time())
        with self._lock:
            self._exchanges.append(exchange)
        return exchange

    def bill(self, exchange: Exchange) -> None:
        """Count a request as billed, before its first byte is sent: a caller that has its answer finds it counted."""
        with self._lock:
            exchange.billed = True

    def clear(self) -> None:
        """Forget every request."""
        with self._lock:
            self._exchanges.clear()


def without_images(value: Any) -> Any:
    """The value with every encoded image replaced by its size and SHA-256."""
    if isinstance(value, dict):
        return {name: without_images(part) for name, part in value.items()}
    if isinstance(value, list):
        return [without_images(part) for part in value]
    if isinstance(value, str) and len(value) > 64 and (image := decode_image(value)):
        return {"bytes": len(image), "sha256": hashlib.sha256(image).hexdigest()}
    return value


def _public(headers: Mapping[str, str]) -> dict[str, str]:
    scheme = headers.get("Authorization", "").partition(" ")[0]
    shown = {name.lower(): value for name, value in headers.items()}
    return shown | ({"authorization": f"{scheme} (hidden)"} if "authorization" in shown else {})
