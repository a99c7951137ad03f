"""The rules that say when a stand-in fails: in force in order, each as often as it says."""

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Rule(Protocol):
    """Hashable; holds `times` times, null for ever."""

    @property
    def times(self) -> int | None: ...


R = TypeVar("R", bound=Rule)


class Rules(Generic[R]):
    """The rules in force, oldest first; one used up is gone. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[R, int | None] = {}

    def add(self, rule: R) -> None:
        with self._lock:
            self._left[rule] = rule.times

    def clear(self) -> None:
        with self._lock:
            self._left.clear()

    def take(self, fits: Callable[[R], bool]) -> R | None:
        """The first rule that fits, used once."""
        with self._lock:
            taken = next((rule for rule in self._left if fits(rule)), None)
            left = self._left[taken] if taken else None
            if taken and left is not None:
                self._left[taken] = left - 1
                if left == 1:
                    del self._left[taken]
            return taken
