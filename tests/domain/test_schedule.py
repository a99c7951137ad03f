"""When the sweeper looks at a job again."""

from __future__ import annotations

import pytest
from longplay.domain.job import Status
from longplay.domain.schedule import next_look

from tests.domain.jobs import NOW, job


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
