"""The faults in force at a stand-in: which requests they meet, and how they are applied."""

import threading
import time
from collections.abc import Callable
from typing import Generic

from local.stand_ins.framework.answers import Answer
from local.stand_ins.framework.faults import Fault, FaultTable, Occasion, T


class Faults(Generic[T]):
    """Rules, oldest first; a rule that is used up is removed. Safe to use from many threads."""

    def __init__(self, table: FaultTable[T], closed: threading.Event) -> None:
        self.table = table
        self._closed = closed
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []

    def add(self, fault: Fault) -> None:
        """Put a rule in force."""
        timed = self.table.kinds[fault.fault].timed
        with self._lock:
            self._rules.append(_Rule(fault, fault.seconds if timed else None))

    def clear(self) -> None:
        """Remove every rule."""
        with self._lock:
            self._rules.clear()

    def at(self, operation: str, *, prompt: str = "", model: str = "") -> Fault | None:
        """The fault that a request meets, counted as used."""
        return self._take(lambda fault: fault.at == operation and not self._is_outcome(fault), prompt, model)

    def outcome(self, *, prompt: str = "", model: str = "") -> T | None:
        """The outcome of a new generation, None if it succeeds."""
        fault = self._take(self._is_outcome, prompt, model)
        return self.table.kinds[fault.fault].outcome if fault else None

    def creates(self, fault: Fault | None) -> bool:
        """Whether a request that meets this fault, or none, makes its generation."""
        return fault is None or self.table.creates(fault)

    def apply(self, fault: Fault | None, proper: Callable[..., Answer], *, model: str = "") -> Answer:
        """The answer to a request that meets this fault, or none; raises Refused as `proper` does."""
        effect = self.table.kinds[fault.fault].effect if fault else None
        if fault is None or effect is None:
            return proper()
        return effect(Occasion(fault=fault, proper=proper, closed=self._closed, model=model))

    def _is_outcome(self, fault: Fault) -> bool:
        return self.table.kinds[fault.fault].outcome is not None

    def _take(self, fits: Callable[[Fault], bool], prompt: str, model: str) -> Fault | None:
        with self._lock:
            met = (rule for rule in self._rules if fits(rule.fault) and rule.covers(prompt, model))
            taken = next((rule.fault for rule in met if rule.use()), None)
            self._rules = [rule for rule in self._rules if rule.left != 0]
        return taken


class _Rule:
    """A fault with the uses it has left; with `seconds` it holds that long from its first use instead."""

    def __init__(self, fault: Fault, seconds: float | None) -> None:
        self.fault, self.seconds = fault, seconds
        self.left = fault.times if seconds is None else None
        self.ends_at: float | None = None

    def covers(self, prompt: str, model: str) -> bool:
        return self.fault.prompt in prompt and self.fault.model in model

    def use(self) -> bool:
        """Whether it is still in force; counts one use."""
        if self.seconds is not None:
            self.ends_at = self.ends_at or time.monotonic() + self.seconds
            return time.monotonic() < self.ends_at
        self.left = None if self.left is None else self.left - 1
        return True
