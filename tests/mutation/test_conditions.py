"""Every condition of every write is load-bearing: take one out, and its scenario notices."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from longplay.storage.jobs import Refused
from longplay.storage.table import WriteRefused
from msgspec import ValidationError

from tests.harness.summaries import MUTANT
from tests.mutation import end_scenarios, shared_scenarios, worker_scenarios
from tests.mutation.bench import Bench
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.registry import SCENARIOS

ALL = list(mutants())
ENTERED = (worker_scenarios, end_scenarios, shared_scenarios)  # by being imported


def test_every_condition_has_a_scenario_and_every_scenario_a_condition() -> None:
    """A condition that is added needs one; one that is removed leaves none behind."""
    assert {(mutant.change, mutant.condition) for mutant in ALL} == set(SCENARIOS)


@pytest.mark.parametrize("mutant", ALL, ids=str)
def test_its_absence_is_noticed(
    mutant: Mutant,
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """The scenario passes with the condition, and fails without it."""
    scenario = SCENARIOS[mutant.change, mutant.condition]
    record_property(MUTANT, (mutant.change, mutant.condition, scenario.__name__))
    scenario(bench)
    mutant.put_in(monkeypatch)
    assert _notices(scenario, bench), f"{scenario.__name__} passes without it"


def _notices(scenario: Callable[[Bench], object], bench: Bench) -> bool:
    try:
        scenario(bench)
    except (Refused, WriteRefused, ClientError, AssertionError, ValidationError, pytest.fail.Exception):
        return True
    return False
