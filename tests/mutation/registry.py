"""The scenarios by change and condition: each fails when its condition is removed."""

from __future__ import annotations

from collections.abc import Callable

from tests.mutation.storage import Storage

Scenario = Callable[[Storage], object]
SCENARIOS: dict[tuple[str, str], Scenario] = {}

UNFINISHED = "#status IN (:queued, :running)"
MINE = "#fence = :fence"
CRASHED_LEASE = "#lease <= :now"
NO_LEASE, A_LEASE = "attribute_not_exists(#lease)", "attribute_exists(#lease)"
NO_REF, A_REF = "attribute_not_exists(#ref)", "attribute_exists(#ref)"
AS_SEEN = "#token = :seen"
NO_LEADER = "attribute_not_exists(#leader)"


def guards(change: str, condition: str) -> Callable[[Scenario], Scenario]:
    """Registers a scenario that fails without this condition, or without this side of an OR."""

    def register(scenario: Scenario) -> Scenario:
        assert (change, condition) not in SCENARIOS
        SCENARIOS[change, condition] = scenario
        return scenario

    return register
