"""Everything that can go wrong where generations are asked for by reference, and the rules that say when it does."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast

from local.stand_ins.framework.answers import Answer
from local.stand_ins.framework.rules import Rules

SLOW = "slow"


class Stage(StrEnum):
    """Where a request can be refused; not every provider has every one."""

    MAPPING = "mapping"
    CREATE = "create"
    POLL = "poll"
    RESULT = "result"
    CANCEL = "cancel"
    FILE = "file"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A rule: what is asked of generations whose prompt holds `prompt` goes wrong, `times` times, null for ever.

    `at` is where requests are refused (a fate befalls the generation itself). `created` says whether an order had made
    its generation nonetheless, `seconds` how slow it is, `retry_after` when to come back, null what is usual, `bytes`
    how large a file is, and `after` how many of them come before the connection is cut.
    """

    fault: str
    at: str = Stage.CREATE
    prompt: str = ""
    times: int | None = 1
    created: bool | None = None
    seconds: float = 1.0
    retry_after: float | None = None
    location: str = "https://elsewhere.invalid/"
    bytes: int = 20_000_000
    after: int = 30


Refusal = Callable[[Fault], Answer]
Spoiling = Callable[[Fault, Answer], Answer]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Mishaps(Generic[T]):
    """What can go wrong at one provider, by name.

    `refusals` befall requests at `stages`, `created` names those after which there is a generation nonetheless,
    `fates` befall generations, and `files` are done to the sound answer with a file.
    """

    stages: Set[Stage]
    refusals: Mapping[str, Refusal]
    created: Set[str]
    fates: Mapping[str, T]
    files: Mapping[str, Spoiling] = field(default_factory=dict)

    def rule(self, fault: str, details: Mapping[str, Any]) -> Fault:
        """A rule in these words; raises ValueError where there is no such fault, or no such stage."""
        if fault not in {*self.refusals, *self.fates, *self.files, SLOW}:
            raise ValueError(f"no fault is called {fault!r}")
        where: dict[str, Any] = {"at": Stage.FILE} if fault in self.files else {}
        rule = Fault(fault=fault, **{**where, **details})
        if Stage(rule.at) not in self.stages:
            raise ValueError(f"nothing can be refused at {rule.at!r}")
        return rule

    def creates(self, rule: Fault) -> bool:
        """Whether an order that goes wrong by this rule has made its generation."""
        return (rule.fault in {*self.created, SLOW}) if rule.created is None else rule.created


class Faults(Rules[Fault], Generic[T]):
    """What befalls generations and requests."""

    def __init__(self, mishaps: Mishaps[T]) -> None:
        super().__init__()
        self.mishaps = mishaps

    def fate(self, prompt: str) -> T | None:
        """What becomes of a generation asked for now, None where all goes well."""
        fault = self.take(lambda rule: rule.fault in self.mishaps.fates and rule.prompt in prompt)
        return self.mishaps.fates[fault.fault] if fault else None

    def at(self, stage: Stage, prompt: str) -> Fault | None:
        """What happens to a request at this stage."""
        return self.take(
            lambda rule: rule.fault not in self.mishaps.fates and rule.at == stage and rule.prompt in prompt
        )


def cut(fault: Fault, sound: Answer) -> Answer:
    """A file of which the connection brings but a part."""
    whole = cast(bytes, sound.body)
    return replace(sound, body=whole[: fault.after], length=len(whole))


def large(fault: Fault, sound: Answer) -> Answer:
    """An answer of as many bytes as the fault says."""
    return replace(sound, body=(b" " * (1 << 16) for _ in range(fault.bytes >> 16)), length=fault.bytes >> 16 << 16)
