"""Our parameters in the words of somebody else's models: by style, under their names, within their bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.protocol import Call

Styles: TypeAlias = Mapping[str, Callable[[Call], dict[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class Footage:
    """What a model of videos can make: how many `frames` and at what `rates` a second, and its usual `rate`."""

    frames: tuple[int, int]
    rates: tuple[int, int]
    rate: int

    def length(self, parameters: Mapping[str, Any]) -> dict[str, int]:
        """The nearest to the duration that was asked for, none if none was."""
        if "duration" not in parameters:
            return {}
        frames = within(parameters["duration"] * self.rate, *self.frames)
        return {"num_frames": frames, "frames_per_second": within(frames / parameters["duration"], *self.rates)}


def in_style(call: Call, styles: Styles, *, whose: str) -> dict[str, Any]:
    """What is asked of the model; raises ProviderError for a style that is not one of `whose`."""
    build = styles.get(call.style)
    if build is None:
        raise ProviderError(
            FailureKind.NOT_SERVED,
            f"the route to {call.model} names no style of {whose} in models.toml: it says “{call.style}”, "
            f"there are {', '.join(styles)}. Nothing was sent.",
        )
    return build(call)


def given(call: Call, *names: str, **renamed: str) -> dict[str, Any]:
    """The parameters that were given, those of `renamed` under the model's own name."""
    wanted = {**{name: name for name in names}, **renamed}
    return {theirs: call.parameters[ours] for theirs, ours in wanted.items() if ours in call.parameters}


def within(number: float, least: int, most: int) -> int:
    """The nearest whole number that is taken."""
    return min(max(round(number), least), most)
