"""A batch: many requests that become jobs one by one, as the line of jobs and the caps have room, within a day.

Every step of a batch is decided here, without I/O. Amounts are in millionths of a dollar, times are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from longplay.domain.errors import InvalidRequest, Problem
from longplay.domain.estimates import seconds_of_a_worker
from longplay.domain.job import Job
from longplay.domain.outbox import Entry
from longplay.domain.request import Submission
from longplay.domain.settings import MILLION

MOST_LINES = 1_000
MOST_OPEN = 20  # batches of an owner that still let lines in
STEP = 25  # lines of a step; they are stored together
UNDONE_AT_ONCE = 50  # jobs of a canceled batch that a step cancels
LONGEST_LINE = 120.0  # seconds to its start that a job of a batch waits in line: others come in between
LONGEST_LOOK, SHORTEST_LOOK = 900.0, 2.0  # seconds between two looks for room


class Reason(StrEnum):
    """The reasons for which the next line of a batch waits, or the batch is not over."""

    LETTING_IN = "letting_in"
    LINE_TOO_LONG = "line_too_long"
    OPEN_JOBS = "too_many_open_jobs"
    BUDGET = "over_daily_budget"
    PAUSED = "paused"
    SERVICE_BUSY = "temporarily_unavailable"
    GENERATING = "generating"


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A valid line that waits: what is asked, the most it may cost, and what it needs of an account and a worker.

    `seconds` is how long it keeps a worker of `queue`, `typical` how long it takes.
    """

    number: int
    submission: Submission
    custom_id: str | None = None
    price: int = 0
    account: str = ""
    queue: str = "calls"
    seconds: float = 0.0
    typical: float = 0.0


class RefusedLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line that does not become a job, and why. `errors` are its faults in RFC 9457's form."""

    number: int
    code: str
    message: str
    errors: Sequence[Mapping[str, str | int | float]] = ()


class Ahead(msgspec.Struct, frozen=True, kw_only=True):
    """The lines that wait for one account: how many, how long they keep a worker of `queue`, and how long one takes."""

    queue: str
    lines: int
    seconds: float
    typical: float


class Batch(Entry, frozen=True, kw_only=True):
    """A batch, without its lines.

    The lines before `let_in` are jobs, or are refused; `refused` counts all of these. `left` is the most that the lines
    behind may cost, and `ahead` has them by account. Room for the next one is expected at `resumes_at`. Nothing is let
    in once `closed_at` is set: all lines are in, the deadline has passed, or its owner has `canceled` it. The jobs
    before `undo` are still to be canceled.
    """

    id: str
    incarnation: str
    created_at: float
    deadline: float
    expires_at: int
    body_hash: str
    total: int
    let_in: int = 0
    refused: int = 0
    left: int = 0
    ahead: dict[str, Ahead] = msgspec.field(default_factory=dict)
    reason: Reason = Reason.LETTING_IN
    resumes_at: float = 0.0
    closed_at: float | None = None
    canceled: bool = False
    undo: int = 0

    @property
    def name(self) -> str:
        """Its name among all batches."""
        return self.id

    @property
    def folder(self) -> str:
        """The name of its folder in the bucket, which no earlier batch has used."""
        return f"{self.id}-{self.incarnation}"

    @property
    def reach(self) -> int:
        """No line from here on can be a job: a step under way may be ahead of `let_in`, within its lines."""
        return min(self.total, (self.let_in // STEP + 1) * STEP)

    def seed(self, number: int) -> str:
        """The seed of the job of a line, so that the line makes one job however often it is let in."""
        return f"line {number} of {self.folder}"


def refused_line(number: int, problem: Problem) -> RefusedLine:
    """The line that this problem keeps from becoming a job."""
    if not isinstance(problem, InvalidRequest):
        return RefusedLine(number=number, code=problem.code, message=problem.detail)
    return RefusedLine(number=number, code=problem.code, message=problem.detail, errors=problem.errors)


def line_of(number: int, submission: Submission, job: Job, *, custom_id: str | None) -> Line:
    """The line of a submission. `job` is what it would be now."""
    return Line(
        number=number,
        submission=submission,
        custom_id=custom_id,
        price=round(max(job.max_price_usd, job.leg.price_usd) * MILLION) * job.max_charges,
        account=job.leg.account,
        queue=job.leg.queue,
        seconds=seconds_of_a_worker(job),
        typical=job.leg.typical_seconds,
    )


def with_lines(batch: Batch, lines: Iterable[Line]) -> Batch:
    """The new batch with the sums of its lines."""
    ahead: dict[str, Ahead] = {}
    left = 0
    for line in lines:
        ahead[line.account] = _added(ahead.get(line.account), line, 1)
        left += line.price
    return replace(batch, left=left, ahead=ahead)


def progressed(batch: Batch, lines: Sequence[Line], *, to: int, refused: Iterable[int], reason: Reason) -> Batch:
    """The batch after a step that has let in `lines`, as far as another step has not said so.

    All lines before `to` are let in or refused; `refused` are those that this step has refused.
    """
    ahead, left = dict(batch.ahead), batch.left
    for line in lines:
        if batch.let_in <= line.number < to:
            ahead[line.account] = _added(ahead.get(line.account), line, -1)
            left -= line.price
    late = sum(1 for number in refused if number >= batch.let_in)
    return replace(
        batch,
        let_in=max(batch.let_in, to),
        refused=batch.refused + late,
        left=max(0, left),
        ahead={account: rest for account, rest in ahead.items() if rest.lines > 0},
        reason=reason,
    )


def next_step(batch: Batch, *, after: float, now: float, resend_after: float) -> Batch:
    """The batch as its next step is made in `after` seconds, and at its deadline at the latest."""
    at = now if not after else now + min(max(after, SHORTEST_LOOK), LONGEST_LOOK, max(0.0, batch.deadline - now))
    return replace(batch, not_before=at, due_at=at + resend_after, resumes_at=now + after)


def closed(batch: Batch, *, now: float) -> Batch:
    """The batch as nothing more is let in. It stays in the outbox until its stored lines are erased."""
    return replace(batch, closed_at=now, left=0, ahead={}, reason=Reason.GENERATING, not_before=now)


def canceled(batch: Batch, *, now: float, resend_after: float) -> Batch:
    """The batch as its owner cancels it; its jobs are canceled by its next steps. One that was canceled stays."""
    if batch.canceled:
        return batch
    ended = closed(batch, now=batch.closed_at or now)
    return replace(ended, canceled=True, undo=batch.reach, not_before=now, due_at=now + resend_after)


def undone(batch: Batch, *, down_to: int) -> Batch:
    """The batch as its jobs from `down_to` on are canceled, the last ones first: these have cost the least."""
    return replace(batch, undo=min(batch.undo, down_to))


def over(batch: Batch) -> Batch:
    """The batch without a next step."""
    return replace(batch, due_at=None)


def _added(rest: Ahead | None, line: Line, sign: int) -> Ahead:
    rest = rest or Ahead(queue=line.queue, lines=0, seconds=0.0, typical=0.0)
    return replace(
        rest,
        lines=rest.lines + sign,
        seconds=round(max(0.0, rest.seconds + sign * line.seconds), 3),
        typical=max(rest.typical, line.typical),
    )
