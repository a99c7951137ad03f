"""Daily caps: a job reserves its highest possible cost at submit, and the write that ends it settles that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from longplay.domain import changes
from longplay.domain.errors import OverBudget
from longplay.domain.job import Job
from longplay.domain.settings import Caps
from longplay.storage.ends import DEPLOYMENT_BUDGET, MILLION, OWNER_BUDGET, budget_key
from longplay.storage.table import Part, Table, WriteRefused

_NO_CAP = 10**15
_KEPT = 3 * 86_400  # seconds a budget's item is kept: a job lives a day at most
_LOOKED_AGAIN = 30.0  # seconds
_FIRST_MINUTES = 300.0  # seconds after midnight in which a write for yesterday may still come


class Budgets:
    """The caps of each owner and of the deployment. Without a cap nothing is written."""

    def __init__(self, table: Table, *, owner: Caps, deployment: Caps) -> None:
        self._table = table
        self._left_open: dict[str, tuple[float, int]] = {}
        self._caps = {
            name: caps for name, caps in {OWNER_BUDGET: owner, DEPLOYMENT_BUDGET: deployment}.items() if caps != Caps()
        }

    def holding(self, job: Job, *, now: float) -> Job:
        """The job with its reserved amount, the budgets that reserve it, and their day. Unchanged without a cap.

        A follower of version 0.1 has its reserved amount already.
        """
        if not self._caps or job.hold is not None:
            return job
        hold = round(job.max_price_usd * MILLION) * job.max_charges
        return replace(job, hold=hold, held_by=tuple(self._caps), budget_day=day_of(now))

    def hold(self, job: Job, *, now: float) -> list[Part]:
        """The parts that reserve the job's amount. Raises OverBudget if even an empty day is too small."""
        return [self._hold(name, caps, job, now) for name, caps in self._caps.items()]

    def over_budget(self, refused: WriteRefused, job: Job, *, now: float) -> OverBudget | None:
        """The problem to answer with, if a cap refused the write."""
        for name, caps in self._caps.items():
            if name in refused.items:
                return self._problem(name, caps, refused.items[name] or {}, job, now)
        return None

    def _hold(self, name: str, caps: Caps, job: Job, now: float) -> Part:
        hold = job.hold or 0
        room = (_NO_CAP if caps.usd is None else round(caps.usd * MILLION)) - hold
        most_open = _NO_CAP if caps.open_jobs is None else caps.open_jobs - self._open_of_yesterday(name, job, now)
        if room < 0 or most_open <= 0:
            today = self._table.get(budget_key(name, job.owner, str(job.budget_day)))
            raise self._problem(name, caps, today or {}, job, now)
        return self._table.update(
            name,
            budget_key(name, job.owner, str(job.budget_day)),
            changes.HOLD,
            hold=hold,
            room=room,
            zero=0,
            one=1,
            most_jobs=_NO_CAP if caps.jobs is None else caps.jobs,
            most_open=most_open,
            expires_at=int(now) + _KEPT,
        )

    def _problem(self, name: str, caps: Caps, today: dict[str, int], job: Job, now: float) -> OverBudget:
        open_before = 0 if caps.open_jobs is None else self._open_of_yesterday(name, job, now)
        return _problem(name, caps, today, open_before, now)

    def _open_of_yesterday(self, name: str, job: Job, now: float) -> int:
        """The number of jobs submitted yesterday (UTC) and still open. It is read again every 30 s until it is 0.

        In the first minutes after midnight a 0 does not count, because a late submission can still be written.
        """
        key = budget_key(name, job.owner, day_of(now - 86_400))
        fresh_until, left = self._left_open.get(key, (0.0, 0))
        if now >= fresh_until:
            left = (self._table.get(key) or {}).get("waiting", 0)
            settled = not left and now % 86_400 > _FIRST_MINUTES
            self._left_open[key] = (now + (86_400 if settled else _LOOKED_AGAIN), left)
        return left


def day_of(now: float) -> str:
    """The budget day, in UTC."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def _problem(name: str, caps: Caps, today: dict[str, int], open_before: int, now: float) -> OverBudget:
    midnight = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    left = {
        "usd_left": None if caps.usd is None else max(0, round(caps.usd - today.get("used", 0) / MILLION, 6)),
        "jobs_left": None if caps.jobs is None else max(0, caps.jobs - today.get("jobs", 0)),
        "open_jobs_left": None
        if caps.open_jobs is None
        else max(0, caps.open_jobs - open_before - today.get("waiting", 0)),
    }
    return OverBudget(
        f"The {name} for today is too small for this job. Wait for open jobs to end, or until the day ends (UTC), "
        "or ask the operator to raise the cap.",
        retry_after=max(1, round(midnight.timestamp() - now)),
        resets_at=midnight.isoformat().replace("+00:00", "Z"),
        **{name: value for name, value in left.items() if value is not None},
    )
