"""Jobs at fal, which answers with a reference, struck wherever its lives may differ from those at Replicate."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kill.lives import lives_of
from tests.kill.parts import FAL, Part
from tests.kill.points import points_at_the_provider
from tests.kill.theater import Points, Scenario


@pytest.mark.parametrize("scenario", lives_of(FAL), ids=lambda scenario: scenario.name)
def test_no_strike_breaks_a_promise(
    scenario: Scenario, survives_with: Callable[[Scenario, Part, Points], None]
) -> None:
    """At whichever call its function dies, or the reply gets lost, the job comes to its end and the books are right."""
    with FAL.playing() as part:
        survives_with(scenario, part, points_at_the_provider)
