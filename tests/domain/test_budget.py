"""Which cap refuses a job, as a table of what is used."""

from __future__ import annotations

from typing import Any

import pytest
from longplay.domain.budget import Usage, refusal
from longplay.domain.settings import Caps

from tests.domain.jobs import NOW, job

DOLLAR = 1_000_000
CAPS = Caps(usd=10, jobs=5, open_jobs=3)


@pytest.mark.parametrize(
    ("used", "code"),
    [
        ({}, None),
        ({"jobs": 4, "waiting": 2, "used": 9 * DOLLAR}, None),  # the last place of each
        ({"jobs": 5}, "over_daily_budget"),
        ({"waiting": 3}, "too_many_open_jobs"),
        ({"jobs": 4, "waiting": 3}, "too_many_open_jobs"),
        ({"used": 9 * DOLLAR + 1}, "over_daily_budget"),
        ({"used": 9 * DOLLAR + 1, "held": 9 * DOLLAR + 1}, "over_daily_budget"),
    ],
)
def test_the_cap_that_has_no_room_refuses(used: dict[str, Any], code: str | None) -> None:
    """A job that reserves a dollar, by what its owner has used today."""
    refused = refusal("budget", CAPS, job(hold=DOLLAR), today=Usage(**used), yesterday=Usage(), now=NOW)
    assert (refused and refused.code) == code


def test_open_jobs_of_yesterday_count() -> None:
    """They are open still."""
    full = Usage(waiting=1), Usage(waiting=2)
    refused = refusal("budget", CAPS, job(hold=DOLLAR), today=full[0], yesterday=full[1], now=NOW)
    assert refused is not None
    assert refused.code == "too_many_open_jobs"
