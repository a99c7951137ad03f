"""Jobs at Hugging Face's partners, struck wherever their lives may differ from those at other providers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kill.life import Life
from tests.kill.lives import ALONE, lives_of, submit
from tests.kill.parts import NSCALE, ROUTED_FAL, ROUTED_REPLICATE, TOGETHER, WAVESPEED, Part, Provider
from tests.kill.points import points_at_the_provider
from tests.kill.theater import Points, Scenario


def an_image_waited_for(life: Life) -> None:
    submit(life, "job")


def an_image_that_fails(life: Life) -> None:
    life.server.fault(life.part.fails, times=1)
    submit(life, "job", max_charges=3)


ON_THE_LINE = [
    Scenario(live=an_image_waited_for, ends={"job": "succeeded"}, settings=ALONE),
    Scenario(live=an_image_that_fails, ends={"job": "succeeded"}, forgotten=1, settings=ALONE),
]
# partners that are polled differ in their words alone: what is canceled, or late, one of them shows for all
CASES = [
    pytest.param(provider, scenario, id=f"{provider.name}, {scenario.name}")
    for provider, scenarios in (
        (ROUTED_FAL, lives_of(ROUTED_FAL)),
        (WAVESPEED, lives_of(WAVESPEED)[:2]),
        (ROUTED_REPLICATE, lives_of(ROUTED_REPLICATE)[:2]),
        (NSCALE, ON_THE_LINE),
        (TOGETHER, ON_THE_LINE),
    )
    for scenario in scenarios
]


@pytest.mark.parametrize(("provider", "scenario"), CASES)
def test_no_strike_breaks_a_promise(
    provider: Provider, scenario: Scenario, survives_with: Callable[[Scenario, Part, Points], None]
) -> None:
    """At whichever call its function dies, or the reply gets lost, the job comes to its end and the books are right."""
    with provider.playing() as part:
        survives_with(scenario, part, points_at_the_provider)
