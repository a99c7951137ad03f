"""When the sweeper looks at a job again."""

from __future__ import annotations

from typing import Any

import pytest
from longplay.domain.job import Status
from longplay.domain.schedule import first_look, is_urgent, next_look

from tests.domain.jobs import LEASE, NOW, job


@pytest.mark.parametrize(
    ("waited", "status", "deadline", "look"),
    [
        (30, Status.QUEUED, 3_600, 60),
        (300, Status.QUEUED, 3_600, 300),
        (300, Status.QUEUED, 100, 100),
        (300, Status.CANCELED, 100, 300),  # its provider is still asked what it cost
        (86_400, Status.QUEUED, 86_400, 1_800),
    ],
)
def test_a_look_comes_later_the_longer_a_job_waits(waited: float, status: Status, deadline: float, look: float) -> None:
    """Its step doubles up to half an hour; a job that is not over is looked at by its deadline, in seconds from now."""
    found = job(not_before=NOW - waited, status=status, deadline=NOW + deadline)
    assert next_look(found, now=NOW, resend_after=60) - NOW == look


@pytest.mark.parametrize(
    ("values", "urgent"),
    [
        ({}, False),
        ({"lease": LEASE}, True),
        ({"status": Status.CANCELED}, True),
        ({"not_before": NOW + 1_200}, True),
        ({"deadline": NOW + 600}, True),
        ({"deadline": NOW + 600, "due_at": None}, False),
        ({"deadline": NOW + 660.5}, False),  # its look is in a minute
        ({"deadline": NOW + 659.5}, True),
    ],
    ids=[
        *("it waits", "a worker has it", "it is over", "its message is to be sent", "its deadline is near", "no look"),
        *("its deadline is ten minutes after the look", "its deadline is less than that after the look"),
    ],
)
def test_a_look_that_must_not_be_late_is_told_from_one_that_may_be(values: dict[str, Any], urgent: bool) -> None:
    """A job that has its message and merely waits must not delay a lease, a deadline or a first message."""
    assert is_urgent(job(**{"deadline": NOW + 3_600, **values}), now=NOW) is urgent


@pytest.mark.parametrize(("ahead", "look"), [(0, 60), (900, 960), (901, 601)])
def test_a_start_further_ahead_than_a_message_can_be_is_looked_at_before(ahead: float, look: float) -> None:
    """SQS delays a message by 15 minutes at most: the sweeper sends that of a later start five minutes before it."""
    found = job(not_before=NOW + ahead, deadline=NOW + 3_600)
    assert first_look(found, now=NOW, resend_after=60) - NOW == look
