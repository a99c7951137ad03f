"""A generation that is asked for by its reference: how far it is, where its files lie, and what becomes of it."""

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
class Fate:
    """What will become of a generation, as far as every provider has it.

    `output` replaces the addresses of its files, and `erased` takes its result away once it is over.
    """

    output: tuple[str, ...] | None = None
    erased: bool = False


@dataclass(kw_only=True)
class Generation(ABC):
    """`created_at` is in Unix seconds, `polls` how often it was asked for, `webhook` where to call back if anywhere."""

    prompt: str
    fate: Fate
    files: list[File]
    webhook: str | None = None
    id: str = field(default_factory=new_id)
    created_at: float = field(default_factory=time.time)
    polls: int = 0

    @property
    @abstractmethod
    def over(self) -> bool:
        """Whether nothing will change any more."""

    @property
    @abstractmethod
    def billed(self) -> bool:
        """Whether it costs something."""

    @abstractmethod
    def begin(self) -> None:
        """Let the model begin on it, if it has not."""

    @abstractmethod
    def end(self) -> None:
        """Let what was to become of it happen now."""

    def polled(self, *, polls: int, seconds: float) -> None:
        """Take it further: over after as many polls and seconds, begun until then."""
        due = self.polls >= polls and time.time() >= self.created_at + seconds
        self.polls += 1
        if not self.over:
            self.end() if due else self.begin()

    def addresses(self, url: str) -> list[str]:
        """Where its files lie, on a server at `url`."""
        if self.fate.output is not None:
            return list(self.fate.output)
        return [f"{url}/delivery/{self.id}/{file.name}" for file in self.files]
