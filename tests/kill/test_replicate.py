"""Jobs at Replicate, struck at every call of their lives: each post, poll, download and callback."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kill.lives import lives_of, lives_of_any
from tests.kill.parts import REPLICATE, Part
from tests.kill.points import points_of
from tests.kill.theater import Points, Scenario


@pytest.mark.parametrize("scenario", [*lives_of_any(), *lives_of(REPLICATE)], ids=lambda scenario: scenario.name)
def test_no_strike_breaks_a_promise(
    scenario: Scenario, survives_with: Callable[[Scenario, Part, Points], None]
) -> None:
    """At whichever call its function dies, or the reply gets lost, the job comes to its end and the books are right."""
    with REPLICATE.playing() as part:
        survives_with(scenario, part, points_of)
