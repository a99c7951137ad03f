"""When a job is looked at next: by its message, by the sweeper, or by a follower at its leader."""

from __future__ import annotations

from longplay.domain.job import Job

LONGEST_DELAY = 900  # seconds, the longest SQS can delay a message
LONGEST_STEP = 1_800  # seconds between two looks of the sweeper at a job that waits
EARLY = 1.0  # seconds by which a message comes before its job's slot, so that it may be late by as much
LONGEST_WAIT = 3.0  # seconds a worker waits for a slot: `EARLY`, the rounding of the delay, and clocks that differ
_LATE_LOOK = 600.0  # seconds by which the look at a job that merely waits may be late
_SENT_EARLY = 300  # seconds before a far start at which the sweeper sends its message
_AFTER_CRASH = 60.0  # seconds, and twice as long after each further crash
_FIRST_LOOK, _LONGEST_LOOK = 15.0, 600.0  # seconds between two looks of a follower at its leader
_GIVE_UP = 3_600.0  # seconds past its deadline for which an ended job is still polled
_LONGEST_BUDGET_WAIT, _BUDGET_LOOKS = 300.0, 4  # seconds between two looks for a budget whose room is late


def first_look(job: Job, *, now: float, resend_after: float) -> float:
    """When the sweeper first looks at a job: `resend_after` seconds past its message, or past its expected start.

    A start further away than a message can be delayed has no message yet, and the sweeper sends it. A start past the
    deadline never comes, and the sweeper ends the job.
    """
    start = job.not_before
    waits_until = max(start, 0.0 if job.attempts else job.start_expected or 0.0)
    look = waits_until + resend_after if start - now <= LONGEST_DELAY else start - _SENT_EARLY
    return look if job.status.finished else min(look, job.deadline)


def is_urgent(job: Job, *, now: float) -> bool:
    """Whether the sweeper's look must not be late: at a lease, a deadline, a first message, or what a provider is told.

    Any other job has been sent its message and waits for it; the look is there because a message can be lost.
    """
    is_sent = job.not_before - now <= LONGEST_DELAY
    near_the_end = job.due_at is not None and job.due_at + _LATE_LOOK > job.deadline
    return job.lease is not None or job.status.finished or not is_sent or near_the_end


def next_look(job: Job, *, now: float, resend_after: float) -> float:
    """When the sweeper looks again: a step that doubles with the time the job has waited, up to its deadline."""
    waited = now - job.not_before
    if waited < 0:
        return first_look(job, now=now, resend_after=resend_after)
    step = now + min(max(waited, resend_after), LONGEST_STEP)
    return step if job.status.finished else min(job.deadline, step)


def next_look_after_crash(job: Job, *, now: float, resend_after: float) -> float:
    """When the sweeper looks again at a crashed call: past its callback grace, and never past the deadline."""
    look = now + resend_after
    grace = max(look, job.grace_ends) if job.ref is None else look
    return min(grace, job.deadline) if now < job.deadline else look


def polled_after_crash(job: Job) -> float:
    """When a provider is polled again whose last polls killed their worker: the wait doubles up to half an hour.

    It ends at the deadline: the job then has an end to be told.
    """
    if job.ref is None or job.lease is None or not job.crashes:
        return 0.0
    return min(job.lease + min(_AFTER_CRASH * 2.0 ** (job.crashes - 1), LONGEST_STEP), max(job.deadline, job.lease))


def given_up(job: Job, *, now: float) -> bool:
    """Whether the job ended so long ago that its provider is not polled any more."""
    return job.status.finished and now > job.deadline + _GIVE_UP


def next_erasure(deleted: float, *, now: float, resend_after: float) -> float:
    """When the files of a job deleted at `deleted` are erased again: a step that doubles while S3 refuses."""
    return now + min(max(now - deleted, resend_after), LONGEST_STEP)


def budget_looked_for_at(job: Job, *, now: float, expected: float) -> float:
    """When a follower without budget looks again: `expected` seconds from now, and less often the longer it waits."""
    return now + max(expected, min(_LONGEST_BUDGET_WAIT, (now - job.created_at) / _BUDGET_LOOKS))


def follower_looks_at(job: Job, *, now: float) -> float:
    """When a follower looks at its leader, in case it is not told of its end: the step doubles up to ten minutes."""
    return now + min(max(now - job.created_at, _FIRST_LOOK), _LONGEST_LOOK)
