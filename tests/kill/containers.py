"""The containers in which functions run: each remembers what it has read, and is gone when its process is killed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import callbacks
import generator
import jobs
import notices
import submit
import sweeper
import wiring

from tests.kill.injector import Killed

_FUNCTIONS = (callbacks, generator, jobs, notices, submit, sweeper)


class OneContainer:
    """All functions share one memory, so that a run takes least time."""

    @contextmanager
    def running(self) -> Iterator[None]:
        """Functions run in it within the block."""
        yield

    @contextmanager
    def entered(self, _function: str) -> Iterator[None]:
        """A function runs in it; if that is killed, the memory is cleared."""
        try:
            yield
        except Killed:
            wiring.dependencies.cache_clear()
            raise


class SeveralContainers(OneContainer):
    """Each invocation comes to one of a few containers of its function, which remembers what it has read before."""

    def __init__(self, seed: int, *, of_each: int = 3) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._of_each = of_each
        self._warm: dict[tuple[str, int], wiring.Dependencies] = {}
        self._current = wiring.Dependencies()

    @contextmanager
    def running(self) -> Iterator[None]:
        """The entry points take their use cases from the container in which they run."""
        with ExitStack() as stack:
            for function in _FUNCTIONS:
                stack.enter_context(patch.object(function, "dependencies", lambda: self._current))
            yield

    @contextmanager
    def entered(self, function: str) -> Iterator[None]:
        """A function runs in one of its containers, which is gone if that is killed."""
        place, outer = (function, self._random.randrange(self._of_each)), self._current
        self._current = self._warm.setdefault(place, wiring.Dependencies())
        try:
            yield
        except Killed:
            del self._warm[place]
            raise
        finally:
            self._current = outer
