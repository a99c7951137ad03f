"""Faults: their kinds, the table of kinds that each stand-in declares, and the parser of `fault` requests."""

import threading
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from local.stand_ins.framework.answers import Answer

ALWAYS_TAKEN = {"at", "prompt", "model", "times", "created"}


class Operation(StrEnum):
    """A request that can go wrong; each stand-in has some of these."""

    MAPPING = "mapping"
    CREATE = "create"
    POLL = "poll"
    RESULT = "result"
    CANCEL = "cancel"
    FILE = "file"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A rule: the fault `fault` meets the next `times` requests, None for all, whose prompt and model contain these.

    `at` is the operation that goes wrong; an outcome meets the generation itself instead. `created` overrides whether
    the generation is made, and billed, all the same. The others are details that some faults take: `seconds` to wait
    or to load, `retry_after` for throttling, `form` a variant, `bytes` and `depth` sizes, `after` the bytes before the
    connection is cut, `location` a redirect's target, `status` and `body` (base64) any answer.
    """

    fault: str
    at: str = Operation.CREATE
    prompt: str = ""
    model: str = ""
    times: int | None = 1
    created: bool | None = None
    seconds: float | None = None
    retry_after: float | None = None
    form: str = ""
    bytes: int = 20_000_000
    depth: int = 3
    after: int = 30
    location: str = "https://elsewhere.invalid/"
    status: int = 200
    body: str = ""


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """A request that a fault meets.

    `proper` makes the answer it would get without the fault; some stand-ins take keywords there that vary the answer.
    """

    fault: Fault
    proper: Callable[..., Answer]
    closed: threading.Event
    model: str = ""


Effect = Callable[[Occasion], Answer]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[T]):
    """One row of a fault table: either an `effect` on a request, or an `outcome` of a generation.

    `takes` names the details it understands, `created` says whether the generation is made all the same, `at` is its
    usual operation. One that is `timed` ends after its `seconds`, if given, rather than after `times` requests.
    """

    effect: Effect | None = None
    outcome: T | None = None
    takes: Set[str] = frozenset()
    created: bool = False
    at: Operation = Operation.CREATE
    timed: bool = False


@dataclass(frozen=True, kw_only=True)
class FaultTable(Generic[T]):
    """Everything that can go wrong at one stand-in: kinds of faults by name, at these operations."""

    kinds: Mapping[str, Kind[T]]
    operations: Set[Operation] = frozenset({Operation.CREATE})

    def __iter__(self) -> Iterator[str]:
        return iter(self.kinds)

    @property
    def details(self) -> Set[str]:
        """The details that its faults take."""
        return ALWAYS_TAKEN.union(*(kind.takes for kind in self.kinds.values()))

    def parse(self, fault: str, details: Mapping[str, Any]) -> Fault:
        """The rule that a `fault` request asks for.

        Raises ValueError for an unknown fault or operation, TypeError for a detail that no fault of the table takes.
        """
        if fault not in self.kinds:
            raise ValueError(f"no fault is called {fault!r}; there are: {', '.join(self)}")
        if unknown := sorted(details.keys() - self.details):
            raise TypeError(f"no fault here takes {', '.join(unknown)}; there are: {', '.join(sorted(self.details))}")
        rule = Fault(fault=fault, **{"at": self.kinds[fault].at, **details})
        if rule.at not in self.operations:
            raise ValueError(f"nothing can go wrong at {rule.at!r}; there are: {', '.join(sorted(self.operations))}")
        return rule

    def creates(self, fault: Fault) -> bool:
        """Whether a request that meets this fault still makes its generation."""
        return self.kinds[fault.fault].created if fault.created is None else fault.created


def answers(answer: Answer | Effect, *takes: str, created: bool = False) -> Kind[Any]:
    """A kind of fault that replaces the answer. `takes` are the details it understands; `created`: it is billed."""
    effect = (lambda _: answer) if isinstance(answer, Answer) else answer
    return Kind(effect=effect, takes=set(takes), created=created)


def spoils_file(effect: Effect, *takes: str) -> Kind[Any]:
    """A kind that changes the answer with a result's file."""
    return Kind(effect=effect, takes=set(takes), at=Operation.FILE)


def ends(outcome: T) -> Kind[T]:
    """A kind that decides how a generation ends."""
    return Kind(outcome=outcome)
