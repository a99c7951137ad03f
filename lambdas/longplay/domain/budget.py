"""Daily caps: which of them refuses a job, and when there is room for it again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from longplay.domain.errors import ExceedsBudget, NotAdmitted, OverDailyBudget, Room, TooManyOpenJobs
from longplay.domain.job import Job
from longplay.domain.settings import HOUR, MILLION, Caps

_SOON = 5.0  # seconds; not sooner than this where many jobs are open, or where they are late


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """A budget on one day. Amounts are in millionths of a dollar.

    `used` is what is spent or reserved, `held` the part of it that open jobs reserve. `waiting` counts the open jobs,
    and `ends` is the sum of their expected ends (epoch seconds).
    """

    used: int = 0
    held: int = 0
    jobs: int = 0
    waiting: int = 0
    ends: int = 0


def refusal(budget: str, caps: Caps, job: Job, *, today: Usage, yesterday: Usage, now: float) -> NotAdmitted | None:
    """The problem of the cap that refuses the job; None if all have room.

    A cap that no wait helps with comes first, then one that resets at midnight (UTC), then those that have room as
    soon as open jobs end. `yesterday` counts jobs that were submitted yesterday and are still open.
    """
    left = room(caps, today, yesterday)
    if _dollars_over(caps, job, used=0):
        return ExceedsBudget(_no_day(budget, caps, job), needs_usd=(job.hold or 0) / MILLION)
    if _over(caps.jobs, today.jobs + 1) or _dollars_over(caps, job, used=max(0, today.used - max(0, today.held))):
        return _until_midnight(budget, left, now)
    if _over(caps.open_jobs, today.waiting + yesterday.waiting + 1):
        wait = next_end(today, yesterday, now=now)
        return TooManyOpenJobs(_TOO_MANY_OPEN.format(budget=budget, wait=wait), retry_after=wait, room=left)
    if _dollars_over(caps, job, used=today.used):
        wait = next_end(today, now=now)
        detail = _RESERVED.format(budget=budget, wait=wait)
        return OverDailyBudget(detail, retry_after=wait, resets_at=_midnight(now), room=left)
    return None


def room(caps: Caps, today: Usage, yesterday: Usage) -> Room:
    """The rest of the caps, given what is used of them."""
    dollars, jobs, open_jobs = caps.usd, caps.jobs, caps.open_jobs
    return Room(
        usd_left=None if dollars is None else max(0.0, round(dollars - today.used / MILLION, 6)),
        held_usd=None if dollars is None else max(0, today.held) / MILLION,
        jobs_left=None if jobs is None else max(0, jobs - today.jobs),
        open_jobs_left=None if open_jobs is None else max(0, open_jobs - today.waiting - yesterday.waiting),
    )


def next_end(*days: Usage, now: float) -> int:
    """The seconds until one of the open jobs is expected to end.

    Their ends are taken as spread evenly around the mean of what was expected at their submits.
    """
    jobs = sum(day.waiting for day in days)
    mean = sum(day.ends for day in days) / max(1, jobs) - now
    first = max(min(mean, _SOON), 2 * mean / (jobs + 1)) if mean > 0 else _SOON
    return round(min(HOUR, max(1.0, first)))


def _over(cap: int | None, count: int) -> bool:
    return cap is not None and count > cap


def _dollars_over(caps: Caps, job: Job, *, used: int) -> bool:
    return caps.usd is not None and used + (job.hold or 0) > round(caps.usd * MILLION)


def _until_midnight(budget: str, left: Room, now: float) -> OverDailyBudget:
    resets_at = _midnight(now)
    detail = _USED_UP.format(budget=budget, resets_at=resets_at)
    return OverDailyBudget(detail, retry_after=_until(resets_at, now), resets_at=resets_at, room=left)


def _midnight(now: float) -> str:
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1)).isoformat().replace("+00:00", "Z")


def _until(moment: str, now: float) -> int:
    return max(1, round(datetime.fromisoformat(moment).timestamp() - now))


def _no_day(budget: str, caps: Caps, job: Job) -> str:
    one = (job.hold or 0) / job.max_charges / MILLION
    cheaper = caps.usd is not None and job.max_charges > 1 and one <= caps.usd
    advice = "Send it with `max_charges: 1`" if cheaper else "Ask for something shorter or another model"
    return (
        f"This job may cost {job.max_charges} x ${one:g}, which is more than the {budget} for a whole day, so no wait "
        f"helps. {advice}, or ask the operator to raise the cap. Nothing was created or charged."
    )


_USED_UP = (
    "The {budget} for today has no room for this job. Send it again after {resets_at}, or ask the operator to raise "
    "the cap. Nothing was created or charged."
)
_RESERVED = (
    "Open jobs reserve the rest of the {budget} for today. What they do not spend is free again when they end, "
    "the first in about {wait} s. Send it again then. Nothing was created or charged."
)
_TOO_MANY_OPEN = (
    "As many jobs are open as the {budget} allows. One of them is expected to end in about {wait} s. Send it again "
    "then. Nothing was created or charged."
)
