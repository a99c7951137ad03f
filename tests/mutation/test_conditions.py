"""Every condition of every write is needed: without it, its scenario fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from longplay.storage.jobs import Refused
from longplay.storage.table import WriteRefused
from msgspec import ValidationError

from tests.harness.summaries import MUTANT
from tests.mutation import end_scenarios, shared_scenarios, worker_scenarios
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.registry import SCENARIOS
from tests.mutation.storage import Storage

ALL = list(mutants())
REGISTERED = (worker_scenarios, end_scenarios, shared_scenarios)  # importing a module registers its scenarios


def test_every_condition_has_a_scenario_and_every_scenario_a_condition() -> None:
    """Every scenario belongs to a condition that exists."""
    assert {(mutant.change, mutant.condition) for mutant in ALL} == set(SCENARIOS)


@pytest.mark.parametrize("mutant", ALL, ids=str)
def test_a_scenario_fails_without_its_condition(
    mutant: Mutant,
    storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """Each scenario passes with its condition and fails without it."""
    scenario = SCENARIOS[mutant.change, mutant.condition]
    record_property(MUTANT, (mutant.change, mutant.condition, scenario.__name__))
    scenario(storage)
    mutant.put_in(monkeypatch)
    assert _fails(scenario, storage), f"{scenario.__name__} passes without it"


def _fails(scenario: Callable[[Storage], object], storage: Storage) -> bool:
    try:
        scenario(storage)
    except (Refused, WriteRefused, ClientError, AssertionError, ValidationError, pytest.fail.Exception):
        return True
    return False
