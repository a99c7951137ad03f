"""A generation at a partner."""

from dataclasses import dataclass

from local.stand_ins.framework import generations
from local.stand_ins.framework.files import File


@dataclass(frozen=True, kw_only=True)
class Outcome(generations.Outcome):
    """How a generation will end: `error` if it fails, then with fal's `status`; `unsafe` if a checker objects."""

    error: str | None = None
    status: int = 200
    unsafe: bool = False
    billed: bool = True


@dataclass(kw_only=True)
class Generation(generations.Generation):
    """`model` is the partner's id of it."""

    outcome: Outcome
    done: bool = False

    @property
    def over(self) -> bool:
        return self.done

    @property
    def billed(self) -> bool:
        return self.outcome.billed

    @property
    def file(self) -> File:
        """Its only file."""
        return self.files[0]

    def begin(self) -> None:
        """Nothing to do: the partners show only whether it was polled."""

    def end(self) -> None:
        self.done = True
