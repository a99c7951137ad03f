"""Which scenario notices that a condition is gone: they are entered here, by change and condition."""

from __future__ import annotations

from collections.abc import Callable

from tests.mutation.bench import Bench

Scenario = Callable[[Bench], object]
SCENARIOS: dict[tuple[str, str], Scenario] = {}

UNFINISHED = "#status IN (:queued, :running)"
MINE = "#fence = :fence"
CRASHED_LEASE = "#lease <= :now"
NO_LEASE, A_LEASE = "attribute_not_exists(#lease)", "attribute_exists(#lease)"
NO_REF, A_REF = "attribute_not_exists(#ref)", "attribute_exists(#ref)"
AS_SEEN = "#token = :seen"
NO_LEADER = "attribute_not_exists(#leader)"


def guards(change: str, condition: str) -> Callable[[Scenario], Scenario]:
    """The scenario notices when this condition, or this side of an OR, is gone."""

    def enter(scenario: Scenario) -> Scenario:
        assert (change, condition) not in SCENARIOS
        SCENARIOS[change, condition] = scenario
        return scenario

    return enter
