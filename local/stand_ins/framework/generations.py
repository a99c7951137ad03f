"""A generation that callers ask about by its id: its progress, its files, its outcome."""

import secrets
import string
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from local.stand_ins.framework.files import File

_LETTERS = string.ascii_lowercase + string.digits


def new_id() -> str:
    """An id of 26 letters and digits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(26))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a generation will end, in what all providers share.

    `output` replaces the URLs of its files; `erased` deletes its result as soon as it has ended.
    """

    output: tuple[str, ...] | None = None
    erased: bool = False


@dataclass(kw_only=True)
class Generation(ABC):
    """`created_at` is in Unix seconds, `polls` counts polls, `webhook` is the URL to call back, if any."""

    prompt: str
    model: str
    outcome: Outcome
    files: list[File]
    webhook: str | None = None
    id: str = field(default_factory=new_id)
    created_at: float = field(default_factory=time.time)
    polls: int = 0

    @property
    @abstractmethod
    def over(self) -> bool:
        """Whether it has ended."""

    @property
    @abstractmethod
    def billed(self) -> bool:
        """Whether the provider bills it."""

    @abstractmethod
    def begin(self) -> None:
        """Start the model, unless it has started."""

    @abstractmethod
    def end(self) -> None:
        """End with its outcome now."""

    def polled(self, *, polls: int, seconds: float) -> None:
        """Count a poll: ends once it has had `polls` and is `seconds` old, and runs until then."""
        due = self.polls >= polls and time.time() >= self.created_at + seconds
        self.polls += 1
        if not self.over:
            self.end() if due else self.begin()

    def addresses(self, url: str) -> list[str]:
        """The URLs of its files, on a server at `url`."""
        if self.outcome.output is not None:
            return list(self.outcome.output)
        return [f"{url}/delivery/{self.id}/{file.name}" for file in self.files]
