"""Decisions: functions from a job and an event to the next change, without I/O.

A decision names the change to write and the job as it will be. The ledger writes it, with everything that belongs
beside it, and sends the job's message. If the write is refused, the ledger reads the job and decides again: a `Decide`
is a function that it can call again. None means that nothing is left to decide. `now` is in epoch seconds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from msgspec.structs import replace

from longplay.domain import changes
from longplay.domain.caller_texts import NO_MORE_CALLS, failure_text, grace_text, wait_text
from longplay.domain.changes import Change
from longplay.domain.errors import Charged, FailureKind, NotAdmitted, ProviderError
from longplay.domain.hooks import Happening
from longplay.domain.job import (
    MOST_CRASHES,
    Attempt,
    Job,
    JobError,
    Leg,
    Output,
    Phase,
    Status,
    Wait,
    WaitReason,
    combined_charge,
    opened,
)
from longplay.domain.phases import STEPS, Event, Step
from longplay.domain.retry import HOPELESS, LONGEST_BACKOFF, goes_on, retry_wait
from longplay.domain.schedule import (
    budget_looked_for_at,
    follower_looks_at,
    given_up,
    next_erasure,
    next_look,
    next_look_after_crash,
    polled_after_crash,
)
from longplay.domain.settings import MILLION, Failover
from longplay.domain.usage import Usage

_COALESCED = "An equal request is being generated, and this job gets a copy of its result."
RESERVED = "The provider's quota: a reserved start."
NUDGES_APART = 5.0  # seconds between two polls of one job, however often its provider calls back
_KEEPS_ITS_SLOT = (FailureKind.THROTTLED, FailureKind.LOADING)
_LEARNS = {
    Step.LEARN_REF: changes.LEARN_REF,
    Step.LEARN_LATE_REF: changes.LEARN_REF_LATE,
    Step.LEARN_ENDED_REF: changes.LEARN_REF_ENDED,
}


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A change, the job as the change leaves it, and a word for the log.

    `send` has the job's message sent once the change is written. `due_at` is the sweeper's next look where it does not
    follow from the message. `seated` is False where the job has no seat among the calls its account allows at once.
    """

    change: Change
    job: Job
    said: str
    send: bool = False
    due_at: float | None = None
    seated: bool = True


Decide: TypeAlias = Callable[[Job, float], Decision | None]


@dataclass(frozen=True, kw_only=True)
class Routes:
    """The routes a job may take after a failure. Each is looked up only if the decision needs it."""

    onward: Callable[[], Leg | None] = lambda: None
    back: Callable[[], Leg | None] = lambda: None


# --- taking a job ---


def take_over(*, lease: float, token: str) -> Decide:
    """The crashed call is closed as unknown and the next one is opened; not before its callback grace has passed."""

    def decide(job: Job, now: float) -> Decision | None:
        if job.phase(now) is not Phase.CRASHED or job.ref is not None or job.grace_ends > now:
            return None
        closed = job.closed(now=now, outcome="crashed")
        attempts = (*closed.attempts, opened(job.leg.route, now=now, token=token))
        return Decision(change=changes.TAKE_OVER, job=replace(job, attempts=attempts, lease=lease), said="taken over")

    return decide


def claim_poll(*, lease: float) -> Decide:
    """A worker holds the job while it polls."""

    def decide(job: Job, now: float) -> Decision | None:
        phase = job.phase(now)
        if job.ref is None or phase is Phase.CALLING:
            return None
        change = changes.CLAIM_POLL_AGAIN if phase is Phase.CRASHED else changes.CLAIM_POLL
        return Decision(change=change, job=replace(job, lease=lease), said="polls")

    return decide


# --- after a call ---


def after_result(paid: Job) -> Decide:
    """The job ends with its result; a job that has ended otherwise keeps the result. None for a deleted job.

    `paid` is the worker's job with its outputs and its attempt closed.
    """

    def decide(job: Job, _now: float) -> Decision | None:
        if job.deleted is not None:
            return None
        if job.status.finished:
            return Decision(change=changes.KEEP_LATE_RESULT, job=paid, said=f"kept for a {job.status} job")
        return Decision(change=changes.SUCCEED, job=_merged(job, paid), said="succeeded")

    return decide


def after_reference(job: Job, *, ref: str, poll_at: float, wait: Wait | None) -> Decide:
    """The reference is stored and the job let go until the next poll."""
    referred = replace(job, ref=ref, not_before=poll_at, wait=wait)

    def decide(found: Job, _now: float) -> Decision | None:
        if found.fence != job.fence:
            return None
        return Decision(change=changes.STORE_REF, job=referred, said="accepted by the provider", send=True)

    return decide


def after_failure(
    job: Job, error: ProviderError, *, routes: Routes, failover: Failover, paced: bool, now: float
) -> Decision:
    """The job waits, tries again, takes another route, or fails. `job` has its attempt closed.

    A job that keeps its slot was refused for now by a paced account: its line has to move back to `not_before`.
    """
    charges = job.charges - (error.charged is Charged.NO)
    released = replace(job, charges=charges, attempts=_folded(job.attempts))
    again = _again(job, released, error, routes=routes, failover=failover, paced=paced, now=now)
    if again is not None:
        return _released(again)
    return Decision(change=changes.FAIL, job=replace(job, error=_job_error(job, error)), said=f"failed: {error.kind}")


def after_call_off(job: Job, wait: Wait, *, onward: Leg | None, seated: bool, now: float) -> Decision:
    """The call was not made: its attempt is taken back, and the job waits or takes another route."""
    uncalled = replace(job, charges=job.charges - 1, attempts=job.attempts[:-1], wait=wait, not_before=wait.until)
    again = _moved(uncalled, onward, now=now) if onward else uncalled
    return dataclasses.replace(_released(again), seated=seated)


def unless_ended(mine: Job, decision: Decision) -> Decide:
    """The decision, while the job is this worker's; its close where the job ended during the call."""

    def decide(job: Job, now: float) -> Decision | None:
        if job.fence == mine.fence and job.status.finished:
            return after_end(mine, seated=decision.seated)(job, now)
        return decision if job.fence == mine.fence else None

    return decide


def after_end(mine: Job, *, seated: bool = True) -> Decide:
    """The worker lets go of a job that ended while it held it. `mine` has its attempt closed."""

    def decide(job: Job, _now: float) -> Decision | None:
        if job.fence != mine.fence or job.lease is None:
            return None
        return Decision(change=_close(job), job=mine, said="closed", seated=seated)

    return decide


# --- without a call ---


def give_up(job: Job, now: float) -> Decision | None:
    """A job past its deadline fails, and a due one that is allowed no further call."""
    if job.phase(now) is Phase.WAITING and job.deadline <= now:
        return _overdue(job)
    if job.phase(now) is not Phase.WAITING or job.not_before > now or job.may_be_charged():
        return None
    last = job.attempts[-1]
    error = JobError(code=last.outcome, message=NO_MORE_CALLS, retryable=True, charged=combined_charge(job))
    return Decision(change=changes.FAIL, job=replace(job, error=error), said=f"failed: {last.outcome}")


def after_crash(job: Job, now: float) -> Decision | None:
    """A job whose worker crashed is closed or fails, as far as that needs no call. None where a call is due."""
    if job.phase(now) is not Phase.CRASHED or (job.ref is not None and not _polls_in_vain(job, now)):
        return None
    crashed = job.closed(now=now, outcome="crashed")
    if job.ref is not None and not job.status.finished:
        return Decision(
            change=changes.FAIL_CRASHED,
            job=replace(crashed, error=_overdue_error(crashed)),
            said="failed: deadline_passed",
        )
    if job.status.finished:
        return Decision(change=_close(job), job=crashed, said="closed")
    if _may_be_called_again(job, now) or now < min(job.grace_ends, job.deadline):
        return None
    return Decision(
        change=changes.FAIL_CRASHED,
        job=replace(crashed, error=_crash_error(job)),
        said="failed: worker_crashed",
    )


def when_due(due_at: float, *, resend_after: float, sends: bool = True) -> Decide:
    """The sweeper's look: an overdue job fails, any other is moved along the index and its message is sent.

    With `sends` False it is only moved a little, because this run has sent enough messages.
    """

    def decide(job: Job, now: float) -> Decision | None:
        if job.due_at != due_at or STEPS[job.phase(now)][Event.DUE] is not Step.SEND_AGAIN:
            return None
        if job.deadline <= now and not job.status.finished:
            return _overdue(job)
        look = next_look(job, now=now, resend_after=resend_after) if sends else due_at + resend_after
        return Decision(change=changes.MOVE, job=job, said="moved", send=sends, due_at=look)

    return decide


def watch(due_at: float) -> Decide:
    """The sweeper looks again when the lease of a live worker ends."""

    def decide(job: Job, now: float) -> Decision | None:
        if job.due_at != due_at or job.phase(now) is not Phase.CALLING:
            return None
        return Decision(change=changes.MOVE, job=job, said="moved", due_at=job.lease)

    return decide


def call_due_after_crash(due_at: float, *, resend_after: float) -> Decide:
    """The sweeper has a crashed job called or polled again: it is moved along the index and its message is sent."""

    def decide(job: Job, now: float) -> Decision | None:
        if job.due_at != due_at:
            return None
        if now < (again := polled_after_crash(job)):
            return Decision(change=changes.MOVE, job=job, said="moved", due_at=again)
        look = next_look_after_crash(job, now=now, resend_after=resend_after)
        return Decision(change=changes.MOVE, job=job, said="moved", send=True, due_at=look)

    return decide


def when_canceled(job: Job, now: float) -> Decision | None:
    """The caller cancels the job. None for one that has ended."""
    if job.status.finished:
        return None
    match STEPS[job.phase(now)][Event.CANCEL]:
        case Step.CANCEL:
            return Decision(change=changes.CANCEL_WAITING, job=job, said="canceled")
        case Step.CANCEL_RUNNING:
            return Decision(change=changes.CANCEL_RUNNING, job=job, said="canceled")
        case Step.CANCEL_AT_PROVIDER:
            at_once = replace(job, not_before=now)
            return Decision(change=changes.CANCEL_AT_PROVIDER, job=at_once, said="canceled", send=True, due_at=now)
        case _:
            return None


def when_there_is_room(job: Job, now: float) -> Decision | None:
    """There is room for the call of a job that waits for it. None where it waits for something else, or has ended."""
    if job.phase(now) is not Phase.WAITING or job.wait is None or job.wait.reason is not WaitReason.CONCURRENCY:
        return None
    return Decision(change=changes.START_NOW, job=replace(job, not_before=now), said="told of room", send=True)


def when_deleted(*, resend_after: float) -> Decide:
    """The owner deletes the job. None for one that has not ended."""

    def decide(job: Job, now: float) -> Decision | None:
        if not job.status.finished:
            return None
        request = replace(job.request, prompt="", parameters={}, image_sha256=None)
        blank = replace(job, request=request)
        return Decision(change=changes.ERASE, job=blank, said="deleted", due_at=now + resend_after)

    return decide


def erase_again(due_at: float, *, resend_after: float) -> Decide:
    """The sweeper erases the files of a deleted job: it is moved along the index first."""

    def decide(job: Job, now: float) -> Decision | None:
        if job.due_at != due_at or job.deleted is None:
            return None
        look = next_erasure(job.deleted, now=now, resend_after=resend_after)
        return Decision(change=changes.MOVE, job=job, said="erasing", due_at=look)

    return decide


def after_erasure(erased: Job) -> Decide:
    """The job leaves the index, unless a worker or a callback has come since its files were erased."""

    def decide(job: Job, now: float) -> Decision | None:
        if job.token != erased.token or job.phase(now) is not Phase.ERASING:
            return None
        return Decision(change=changes.ERASED, job=job, said="erased")

    return decide


def after_callback(attempts: int, read_ref: Callable[[], str | None]) -> Decide:
    """A callback about the last of so many attempts: the job is polled soon, or its reference is stored first."""

    def decide(job: Job, now: float) -> Decision | None:
        if len(job.attempts) != attempts:
            return None
        step = STEPS[job.phase(now)][Event.CALLBACK]
        if step in (Step.NUDGE, Step.LEARN_REF) and job.ref is not None:
            soon = max(now, (job.polled_at or 0) + NUDGES_APART)
            return Decision(change=changes.NUDGE, job=replace(job, not_before=soon), said="asking", send=True)
        learn = _LEARNS.get(step)
        if step is Step.LEARN_ENDED_REF and (given_up(job, now=now) or not job.attempts[-1].answer_lost):
            return None
        ref = read_ref() if learn else None
        if learn is None or ref is None:
            return None
        return Decision(change=learn, job=replace(job, ref=ref, not_before=now), said="asking", send=True)

    return decide


# --- followers ---


def following(job: Job, leader: str, *, now: float) -> Job:
    """The job as one that waits for another job's result."""
    until = follower_looks_at(job, now=now)
    wait = Wait(reason=WaitReason.COALESCED, until=until, basis=_COALESCED)
    return replace(job, follows=leader, not_before=until, wait=wait, slot=None)


def follow_on(job: Job, leader: str, *, now: float) -> Decision:
    """The follower waits on."""
    waiting = following(job, leader, now=now)
    return Decision(change=changes.FOLLOW_ON, job=waiting, said="waits: coalesced", send=True)


def copy_result(outputs: tuple[Output, ...]) -> Decide:
    """The follower ends with its copies of the leader's files."""

    def decide(job: Job, _now: float) -> Decision | None:
        if job.follows is None:
            return None
        copied = replace(job, outputs=outputs)
        return Decision(change=changes.FOLLOWER_SUCCEED, job=copied, said="succeeded from the cache")

    return decide


def without_budget(refused: NotAdmitted) -> Decide:
    """A follower would take the lead and has no budget: it waits for the room it may get in time, or fails."""

    def decide(job: Job, now: float) -> Decision | None:
        if job.follows is None:
            return None
        until = budget_looked_for_at(job, now=now, expected=refused.retry_after or 0)
        if refused.retryable and until < job.deadline:
            wait = Wait(reason=WaitReason.BUDGET, until=until, basis=refused.detail)
            waiting = replace(job, wait=wait, not_before=until)
            return Decision(change=changes.FOLLOW_ON, job=waiting, said="waits: budget", send=True)
        failed = replace(job, error=_no_budget_error(refused))
        return Decision(change=changes.FOLLOWER_FAIL, job=failed, said=f"failed: {refused.code}")

    return decide


def slotted(job: Job, slot: float, start: float, *, now: float) -> Job:
    """The job with a reserved start."""
    wait = Wait(reason=WaitReason.PROVIDER_QUOTA, until=start, basis=RESERVED)
    return replace(job, slot=slot, not_before=start, wait=wait if start > now else None)


def take_the_lead(job: Job) -> Decision:
    """The follower becomes a job like any other. `job` has its slot and no leader."""
    return Decision(change=changes.TAKE_THE_LEAD, job=job, said="takes the lead", send=True)


def asks_for_a_wait(error: ProviderError) -> bool:
    """Whether the provider says how long it takes no call."""
    return error.kind in _KEEPS_ITS_SLOT and error.retry_after is not None


# --- parts of the above ---


def waiting_until(decision: Decision, until: float) -> Decision:
    """The decision with the job's wait ending at `until`."""
    job = decision.job
    wait = replace(job.wait, until=until) if job.wait else None
    return dataclasses.replace(decision, job=replace(job, wait=wait, not_before=until))


def as_known(job: Job, error: ProviderError) -> ProviderError:
    """The error, with an unknown charge where the polled reference came in a callback.

    Such a reference may belong to another generation, so its failure does not say what this attempt has cost.
    """
    if error.charged is Charged.NO and job.attempts[-1].ref_from_callback:
        return ProviderError(
            error.kind,
            error.message,
            charged=Charged.UNKNOWN,
            request_id=error.request_id,
            case=error.case,
            detail=error.detail,
        )
    return error


def _again(
    job: Job,
    released: Job,
    error: ProviderError,
    *,
    routes: Routes,
    failover: Failover,
    paced: bool,
    now: float,
) -> Job | None:
    """The job as it is queued again; None if it is not to be tried again."""
    if _may_call_back(job, error, now=now):
        return _in_grace(released, error)
    if goes_on(released, error, failover) and (leg := routes.onward()):
        return _moved(released, leg, now=now)
    if wait := retry_wait(released, error, now=now):
        keeps_slot = paced and error.kind in _KEEPS_ITS_SLOT
        return replace(released, wait=wait, not_before=wait.until, slot=released.slot if keeps_slot else None)
    leg = routes.back() if error.kind in HOPELESS and released.may_be_charged() else None
    return _back(released, leg, error, now=now) if leg else None


def _released(job: Job) -> Decision:
    said = f"waits: {job.wait.reason}" if job.wait else f"goes on by {job.leg.route}"
    return Decision(change=changes.RELEASE, job=job, said=said, send=True)


def _in_grace(job: Job, error: ProviderError) -> Job:
    """The answer is lost, and the provider may still call back."""
    wait = Wait(reason=WaitReason.PROVIDER_ERROR, until=min(job.grace_ends, job.deadline), basis=grace_text(error))
    return replace(job, wait=wait, not_before=wait.until, slot=None)


def _moved(job: Job, leg: Leg, *, now: float) -> Job:
    return replace(job, leg=leg, not_before=now, slot=None, wait=None)


def _back(job: Job, leg: Leg, error: ProviderError, *, now: float) -> Job:
    """A route the job left because it was busy or refused, since the present one serves it never."""
    wait = Wait(reason=WaitReason.PROVIDER_ERROR, until=now + LONGEST_BACKOFF, basis=wait_text(error))
    return replace(_moved(job, leg, now=now), wait=wait, not_before=wait.until)


def _may_call_back(job: Job, error: ProviderError, *, now: float) -> bool:
    """Whether the provider may have taken a call whose answer is lost, and calls back when it is done."""
    lost = error.charged is Charged.UNKNOWN and job.ref is None
    return lost and job.leg.callback_grace > 0 and now < job.grace_ends


def _polls_in_vain(job: Job, now: float) -> bool:
    """Whether the deadline has passed and every poll kills its worker: its outcome stays unknown."""
    return now >= job.deadline and job.crashes + 1 >= MOST_CRASHES


def _may_be_called_again(job: Job, now: float) -> bool:
    return job.crashes + 1 < MOST_CRASHES and job.may_be_charged() and now < job.deadline


def _merged(found: Job, paid: Job) -> Job:
    """The job as it stands, with this worker's result and this worker's entry in the ledger."""
    mine = len(paid.attempts) - 1
    attempts: tuple[Attempt, ...] = (*found.attempts[:mine], paid.attempts[mine], *found.attempts[mine + 1 :])
    return replace(found, attempts=attempts, outputs=paid.outputs)


def _folded(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """The ledger, with uncharged repeats on one route as one entry."""
    if len(attempts) < 2:
        return attempts
    *earlier, before, last = attempts
    if (before.route, before.charged, last.charged) != (last.route, Charged.NO, Charged.NO):
        return attempts
    kinds = {kind: before.tries_of(kind) for kind in (*before.kinds, before.outcome)}
    kinds[last.outcome] = kinds.get(last.outcome, 0) + 1
    folded = replace(last, started_at=before.started_at, tries=before.tries + last.tries)
    return (*earlier, replace(folded, kinds=kinds if len(kinds) > 1 else {}))


def _close(job: Job) -> Change:
    return changes.CLOSE if job.deleted is None else changes.CLOSE_DELETED


def _overdue(job: Job) -> Decision:
    change = changes.FAIL_OVERDUE if job.ref is None else changes.FAIL_OVERDUE_AT_PROVIDER
    return Decision(change=change, job=replace(job, error=_overdue_error(job)), said="failed: deadline_passed")


def _overdue_error(job: Job) -> JobError:
    waited = f" It was last waiting for this: {job.wait.basis}" if job.wait else ""
    return JobError(
        code="deadline_passed",
        message=f"The job's deadline passed before a result came.{waited} Retry it, with a longer "
        "`deadline_seconds` if the provider is slow.",
        retryable=True,
        charged=combined_charge(job),
    )


def _no_budget_error(refused: NotAdmitted) -> JobError:
    return JobError(
        code=refused.code,
        message=f"The job that was generating the same ended without a result, and this one could not take its place. "
        f"{refused.detail}",
        retryable=refused.retryable,
        charged=Charged.NO,
    )


def _crash_error(job: Job) -> JobError:
    return JobError(
        code="worker_crashed",
        message=f"The worker crashed {job.crashes + 1} times during this job; its calls may have been charged "
        f"({job.charges} of the {job.max_charges} allowed). Ask the operator to look at the generator's log, "
        "then retry it.",
        retryable=True,
        charged=Charged.UNKNOWN,
    )


def _job_error(job: Job, error: ProviderError) -> JobError:
    charged = combined_charge(job)
    return JobError(
        code=error.kind,
        message=failure_text(error, charged),
        retryable=error.kind not in (FailureKind.BAD_INPUT, FailureKind.MODERATED),
        charged=charged,
    )


# --- what an owner's usage has of a job ---


def counted(decision: Decision, seen: Job) -> tuple[Decision, Usage]:
    """The decision with all amounts that are counted of its job, and the usage that it adds.

    `seen` is the job before the change. A job counts when it is over, and a charge that becomes known after that when
    it is known.
    """
    change = decision.change
    if not change.ends and seen.counted is None:
        return decision, Usage()
    now, before = amounts_of(_with_attempts(decision, seen)), seen.counted or (0, 0)
    charged, unknown = (after - earlier for after, earlier in zip(now, before, strict=True))
    cached = "#cached = :true" in change.update
    usage = Usage(charged=charged, unknown=unknown)
    if seen.counted is None:
        usage = replace(ended_as(_status_after(decision, seen), cached=cached), charged=charged, unknown=unknown)
    return dataclasses.replace(decision, job=replace(decision.job, counted=now)), usage


def happening(decision: Decision, seen: Job) -> Happening | None:
    """The thing that this change has to tell about the job; None if there is nothing."""
    if decision.change is changes.KEEP_LATE_RESULT:
        return Happening.LATE_RESULT
    status = _status_after(decision, seen)
    return Happening(status.value) if status.finished and not seen.status.finished else None


def ended_as(status: Status, *, cached: bool) -> Usage:
    """One job that is over, without amounts."""
    return Usage(
        jobs=1,
        succeeded=int(status is Status.SUCCEEDED),
        failed=int(status is Status.FAILED),
        canceled=int(status is Status.CANCELED),
        cached=int(cached),
    )


def amounts_of(job: Job) -> tuple[int, int]:
    """The sure and the possible charge of a job, in millionths of a dollar."""
    return round(job.usd(Charged.YES) * MILLION), round(job.usd(Charged.UNKNOWN) * MILLION)


def _status_after(decision: Decision, seen: Job) -> Status:
    return next((status for status in Status if f"#status = :{status}" in decision.change.update), seen.status)


def _with_attempts(decision: Decision, seen: Job) -> Job:
    """The job with its attempts after the change, which writes all of them, its last, or none."""
    mine, update = decision.job.attempts, decision.change.update
    if "#attempts = :attempts" in update:
        return decision.job
    if "#attempts[i] = :attempt" not in update:
        return seen
    at = len(mine) - 1
    return replace(seen, attempts=(*seen.attempts[:at], mine[at], *seen.attempts[at + 1 :]))
