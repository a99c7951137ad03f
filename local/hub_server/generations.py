"""A generation at a partner: what was asked for, how far it is, and what becomes of it."""

import secrets
import string
import time
from dataclasses import dataclass, field

from local.model_server.hosted import File

_LETTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What will become of a generation: `error` why it fails, `status` the one fal's result then has.

    `address` replaces the one of its file, an empty one means that there is none; `unsafe` that a checker objects.
    """

    error: str | None = None
    status: int = 200
    address: str | None = None
    unsafe: bool = False
    billed: bool = True


@dataclass(kw_only=True)
class Generation:
    """`model` is the partner's own id; `created_at` is in Unix seconds."""

    model: str
    file: File
    fate: Fate
    id: str = field(default_factory=lambda: "".join(secrets.choice(_LETTERS) for _ in range(26)))
    created_at: float = field(default_factory=time.time)
    polls: int = 0
    over: bool = False

    def polled(self, *, polls: int, seconds: float) -> None:
        """Take it further: over after as many polls and seconds."""
        self.over = self.over or (self.polls >= polls and time.time() >= self.created_at + seconds)
        self.polls += 1

    def addresses(self, url: str) -> list[str]:
        """Where its files lie, on a server at `url`."""
        if self.fate.address is not None:
            return [self.fate.address] if self.fate.address else []
        return [f"{url}/delivery/{self.id}/{self.file.name}"]
