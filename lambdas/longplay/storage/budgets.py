"""The items of daily caps: a job reserves its highest possible cost, and the write that ends it settles that."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from longplay.domain import changes
from longplay.domain.budget import Usage, refusal, room
from longplay.domain.errors import NotAdmitted, Room
from longplay.domain.job import Job
from longplay.domain.settings import DAY, MILLION, Caps
from longplay.storage.ends import BUDGET_KEPT, DEPLOYMENT_BUDGET, OWNER_BUDGET, budget_key
from longplay.storage.returned import as_it_stands, collected
from longplay.storage.table import Item, Part, Table, WriteRefused

_NO_CAP = 10**15
_LOOKED_AGAIN = 30.0  # seconds
_FIRST_MINUTES = 300.0  # seconds after midnight in which a write for yesterday may still come


class Budgets:
    """The caps of each owner and of the deployment. Without a cap nothing is written."""

    def __init__(self, table: Table, *, owner: Caps, deployment: Caps) -> None:
        self._table = table
        self._yesterdays: dict[str, tuple[float, Usage]] = {}
        self._caps = {
            name: caps for name, caps in {OWNER_BUDGET: owner, DEPLOYMENT_BUDGET: deployment}.items() if caps != Caps()
        }

    def holding(self, job: Job, *, now: float) -> Job:
        """The job with its reserved amount, the budgets that reserve it, their day, and when it is expected to end.

        Unchanged without a cap, and for a follower of version 0.1, which has its reserved amount already.
        """
        if not self._caps or job.hold is not None:
            return job
        hold = round(job.max_price_usd * MILLION) * job.max_charges
        expected = round(max(job.not_before, now) + job.leg.typical_seconds)
        return replace(job, hold=hold, held_by=tuple(self._caps), budget_day=day_of(now), expected_at=expected)

    def hold(self, job: Job, *, now: float) -> list[Part]:
        """The parts that reserve the job's amount.

        Raises NotAdmitted where an empty day is too small for it, or where jobs of yesterday take all the room: the
        write's conditions do not see that.
        """
        full = [name for name in self._caps if min(self._dollars(name, job), self._places(name, job, now) - 1) < 0]
        if full:
            self._refuse(full, job, now)
        return [self._hold(name, job, now) for name in self._caps]

    def refuse(self, refused: WriteRefused, job: Job, *, now: float) -> None:
        """Raises NotAdmitted if a cap refused the write that has the parts of `hold`, and refuses it still.

        It does not where ended jobs have given back enough.
        """
        self._refuse([name for name in refused.items if name in self._caps], job, now)

    def never_admits(self, job: Job, *, now: float) -> NotAdmitted | None:
        """The problem of a cap that is too small for the job even on an empty day; None without one."""
        held = self.holding(job, now=now)
        problems = (
            refusal(name, caps, held, today=Usage(), yesterday=Usage(), now=now) for name, caps in self._caps.items()
        )
        return next((problem for problem in problems if problem and not problem.retryable), None)

    def room(self, owner: str, *, now: float) -> Room | None:
        """The rest of the owner's caps today; None if an owner has no cap."""
        caps = self._caps.get(OWNER_BUDGET)
        if caps is None:
            return None
        days = (budget_key(OWNER_BUDGET, owner, day_of(at)) for at in (now, now - DAY))
        today, yesterday = (_usage(as_it_stands(self._table, key)) for key in days)
        return room(caps, today, yesterday)

    def _refuse(self, names: Iterable[str], job: Job, now: float) -> None:
        """Raises the problem that lasts longest."""
        todays = {name: _usage(collected(self._table, _key(name, job))) for name in names}
        problems = [problem for name, today in todays.items() if (problem := self._problem(name, today, job, now))]
        if problems:
            raise max(problems, key=lambda problem: (not problem.retryable, problem.retry_after or 0))

    def _problem(self, name: str, today: Usage, job: Job, now: float) -> NotAdmitted | None:
        yesterday = self._yesterday(name, job, now)
        return refusal(name, self._caps[name], job, today=today, yesterday=yesterday, now=now)

    def _hold(self, name: str, job: Job, now: float) -> Part:
        caps = self._caps[name]
        return self._table.update(
            name,
            _key(name, job),
            changes.HOLD,
            hold=job.hold or 0,
            ends=job.expected_at or 0,
            room=self._dollars(name, job),
            zero=0,
            one=1,
            most_jobs=_NO_CAP if caps.jobs is None else caps.jobs,
            most_open=self._places(name, job, now),
            expires_at=int(now) + BUDGET_KEPT,
        )

    def _dollars(self, name: str, job: Job) -> int:
        """The amount that may be used beside the job, in millionths of a dollar."""
        cap = self._caps[name].usd
        return (_NO_CAP if cap is None else round(cap * MILLION)) - (job.hold or 0)

    def _places(self, name: str, job: Job, now: float) -> int:
        """How many jobs of today may be open, the job included."""
        cap = self._caps[name].open_jobs
        return _NO_CAP if cap is None else cap - self._yesterday(name, job, now).waiting

    def _yesterday(self, name: str, job: Job, now: float) -> Usage:
        """The jobs of yesterday (UTC) that are still open, for a cap on open jobs. Read again every 30 s until it is 0.

        In the first minutes after midnight a 0 does not count, because a late submission can still be written.
        """
        if self._caps[name].open_jobs is None:
            return Usage()
        key = budget_key(name, job.owner, day_of(now - DAY))
        fresh_until, usage = self._yesterdays.get(key, (0.0, Usage()))
        if now >= fresh_until:
            usage = _usage(collected(self._table, key))
            settled = not usage.waiting and now % DAY > _FIRST_MINUTES
            self._yesterdays[key] = (now + (DAY if settled else _LOOKED_AGAIN), usage)
        return usage


def day_of(now: float) -> str:
    """The budget day, in UTC."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def _key(name: str, job: Job) -> str:
    return budget_key(name, job.owner, str(job.budget_day))


def _usage(item: Item | None) -> Usage:
    return msgspec.convert(item or {}, Usage, strict=False)
