"""What the server remembers: every request it was sent, and how many generations it would have billed."""

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
    """One request; times are Unix seconds, `status` is None until it is answered, `lost` if the caller had gone."""

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
    """Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._exchanges: deque[Exchange] = deque(maxlen=REMEMBERED)

    @property
    def exchanges(self) -> list[Exchange]:
        with self._lock:
            return list(self._exchanges)

    @property
    def generations(self) -> int:
        """Of the exchanges remembered: one begun before a `clear` and billed after it counts for nobody."""
        return sum(exchange.billed for exchange in self.exchanges)

    def open(self, method: str, path: str, headers: Mapping[str, str]) -> Exchange:
        exchange = Exchange(method=method, path=path, headers=_public(headers), started_at=time.time())
        with self._lock:
            self._exchanges.append(exchange)
        return exchange

    def bill(self, exchange: Exchange) -> None:
        """Called before the first byte is sent, so that a caller who has its answer finds it counted."""
        with self._lock:
            exchange.billed = True

    def clear(self) -> None:
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
