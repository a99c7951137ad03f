"""A generation at a partner: what was asked for, how far it is, and what becomes of it."""

from dataclasses import dataclass

from local.stand_ins.framework import generations
from local.stand_ins.framework.files import File


@dataclass(frozen=True, kw_only=True)
class Fate(generations.Fate):
    """What will become of a generation: `error` why it fails, `status` the one fal's result then has.

    `unsafe` is that a checker objects.
    """

    error: str | None = None
    status: int = 200
    unsafe: bool = False
    billed: bool = True


@dataclass(kw_only=True)
class Generation(generations.Generation):
    """`model` is the partner's own id."""

    model: str
    fate: Fate
    done: bool = False

    @property
    def over(self) -> bool:
        return self.done

    @property
    def billed(self) -> bool:
        return self.fate.billed

    @property
    def file(self) -> File:
        """The one it has."""
        return self.files[0]

    def begin(self) -> None:
        """How far it is shows in how often it was polled."""

    def end(self) -> None:
        self.done = True
