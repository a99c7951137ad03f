"""Every phase has a step for every event, and docs/engine.md shows the same table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from longplay.domain.job import Phase, Status
from longplay.domain.phases import STEPS, Event, Step

from tests.domain.jobs import LEASE, NOW, job

DOCUMENT = Path(__file__).parents[2] / "docs/engine.md"

PHASES: dict[str, tuple[dict[str, Any], Phase]] = {
    "queued": ({}, Phase.WAITING),
    "queued behind a leader": ({"follows": "leader"}, Phase.FOLLOWING),
    "with a live lease": ({"status": Status.RUNNING, "lease": LEASE}, Phase.CALLING),
    "canceled with a live lease": ({"status": Status.CANCELED, "lease": LEASE}, Phase.CALLING),
    "polled": ({"status": Status.RUNNING, "lease": LEASE, "ref": "r"}, Phase.CALLING),
    "with a lapsed lease": ({"status": Status.RUNNING, "lease": NOW}, Phase.CRASHED),
    "canceled with a lapsed lease": ({"status": Status.CANCELED, "lease": NOW}, Phase.CRASHED),
    "with a reference": ({"status": Status.RUNNING, "ref": "r"}, Phase.AT_PROVIDER),
    "canceled with a reference": ({"status": Status.CANCELED, "ref": "r"}, Phase.LINGERING),
    "deleted": ({"status": Status.CANCELED, "deleted": NOW}, Phase.ERASING),
    "deleted with a live lease": ({"status": Status.CANCELED, "deleted": NOW, "lease": LEASE}, Phase.CALLING),
    "deleted with a reference": ({"status": Status.CANCELED, "deleted": NOW, "ref": "r"}, Phase.LINGERING),
    "deleted and erased": ({"status": Status.CANCELED, "deleted": NOW, "due_at": None}, Phase.OVER),
    "closed": ({"status": Status.SUCCEEDED, "due_at": None}, Phase.OVER),
}


@pytest.mark.parametrize("state", PHASES)
def test_each_state_has_one_phase(state: str) -> None:
    """The phase follows from status, lease, reference, leader and place in the index."""
    values, phase = PHASES[state]
    assert job(**values).phase(NOW) is phase


def test_every_phase_is_reached_and_has_a_step_for_every_event() -> None:
    """The table is complete, and no step in it is unused."""
    assert {phase for _, phase in PHASES.values()} == set(Phase) == set(STEPS)
    assert all(set(steps) == set(Event) for steps in STEPS.values())
    assert {step for steps in STEPS.values() for step in steps.values()} == set(Step)


def test_the_document_shows_the_table() -> None:
    """A row of docs/engine.md for each phase, a column for each event."""
    rows = {
        cells[0]: cells[1:]
        for line in DOCUMENT.read_text().splitlines()
        if len(cells := [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]) == len(Event) + 1
    }
    assert {phase: rows.get(phase) for phase in Phase} == {
        phase: [STEPS[phase][event].value for event in Event] for phase in Phase
    }
