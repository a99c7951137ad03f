"""Translates our parameters into a model's input: by style, with the model's names and bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.protocol import Call

Styles: TypeAlias = Mapping[str, Callable[[Call], dict[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class VideoLimits:
    """The smallest and largest number of `frames` and frame rate of a video model, and its usual `rate`."""

    frames: tuple[int, int]
    rates: tuple[int, int]
    rate: int

    def length(self, parameters: Mapping[str, Any]) -> dict[str, int]:
        """The frames and frame rate nearest to the requested duration; empty without a duration."""
        if "duration" not in parameters:
            return {}
        frames = within(parameters["duration"] * self.rate, *self.frames)
        return {"num_frames": frames, "frames_per_second": within(frames / parameters["duration"], *self.rates)}


def in_style(call: Call, styles: Styles, *, whose: str) -> dict[str, Any]:
    """The model's input in the route's style; raises ProviderError for a style that `whose` models do not have."""
    build = styles.get(call.style)
    if build is None:
        raise ProviderError(
            FailureKind.NOT_SERVED,
            f"the route to {call.model} in models.toml has the style “{call.style}”, which is not one of {whose}: "
            f"{', '.join(styles)}. Nothing was sent.",
        )
    return build(call)


def given(call: Call, *names: str, **renamed: str) -> dict[str, Any]:
    """The call's parameters of these names, and `renamed` ones: `given(call, steps="num_inference_steps")`."""
    sources = {**{name: name for name in names}, **renamed}
    return {theirs: call.parameters[ours] for theirs, ours in sources.items() if ours in call.parameters}


def within(number: float, least: int, most: int) -> int:
    """The nearest whole number within the bounds."""
    return min(max(round(number), least), most)
