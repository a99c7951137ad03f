"""A hook: something that happened to a job, to be told to its webhook or to the account's event bus until it is heard.

Its webhook is told at least once. A delivery that fails is made again by a schedule that ends after a day.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec
from msgspec.structs import replace

from longplay.domain.job import Job
from longplay.domain.outbox import Entry

#: Seconds from one delivery to the next (Standard Webhooks 1.0.0 advises such a schedule).
WAITS = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 36_000.0)
MOST_LOGGED = 20  # deliveries that are kept of a hook
LONGEST_DELIVERY = 15.0  # seconds a receiver has to answer
DELIVERY_LEASE = 40.0  # seconds after which a delivery that has not been recorded is made again
_OK, _REDIRECTS, _GONE = range(200, 300), range(300, 400), 410
_LOST = "The delivery was cut off, and it is unknown whether the receiver took it."


class Happening(StrEnum):
    """The things that are told of a job."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    LATE_RESULT = "late_result"


class Target(StrEnum):
    """The receivers: the webhook that the caller named, or the event bus of the operator's account."""

    WEBHOOK = "webhook"
    BUS = "bus"


class Delivery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One try. `started_at` is in epoch seconds; `status` is the receiver's, None without an answer."""

    started_at: float
    seconds: float
    outcome: str
    status: int | None = None

    @property
    def heard(self) -> bool:
        """Whether the receiver has taken it."""
        return self.status in _OK


class Hook(Entry, frozen=True, kw_only=True):
    """One thing to tell one receiver. Times are epoch seconds.

    `tries` counts the deliveries of the present schedule, and `lease` is set while a delivery is under way. `heard` is
    True once a receiver has taken it.
    """

    job: str
    happening: Happening
    target: Target
    happened_at: float
    expires_at: int
    lease: float | None = None
    tries: int = 0
    heard: bool = False
    deliveries: tuple[Delivery, ...] = ()

    @property
    def name(self) -> str:
        """Its name among all hooks."""
        return hook_name(self.job, self.happening, self.target)

    @property
    def webhook_id(self) -> str:
        """The id by which a receiver recognizes a repeat."""
        return f"{self.job}.{self.happening}"


def hook_name(job_id: str, happening: Happening, target: Target) -> str:
    """The name of a hook."""
    return f"{job_id}#{happening}#{target}"


def targets_of(job: Job, *, bus: bool) -> list[Target]:
    """The receivers that are told of a job."""
    return [*([Target.WEBHOOK] if job.webhook else []), *([Target.BUS] if bus else [])]


def new_hook(job: Job, happening: Happening, target: Target, *, now: float, resend_after: float, token: str) -> Hook:
    """A hook that is told at once. The sweeper looks `resend_after` seconds later, since its message can be lost."""
    return Hook(
        job=job.id,
        happening=happening,
        target=target,
        owner=job.owner,
        happened_at=now,
        expires_at=job.expires_at,
        token=token,
        not_before=now,
        due_at=now + resend_after,
    )


def claimed(hook: Hook, *, now: float) -> Hook | None:
    """The hook as a delivery takes it; None if it is over, not due, or being delivered by another."""
    if hook.due_at is None or hook.not_before > now or (hook.lease or 0.0) > now:
        return None
    lost = Delivery(started_at=hook.not_before, seconds=0.0, outcome=_LOST)
    deliveries = hook.deliveries if hook.lease is None else (*hook.deliveries, lost)
    lease = now + DELIVERY_LEASE
    return replace(hook, lease=lease, due_at=lease, tries=hook.tries + 1, deliveries=deliveries)


def after_delivery(hook: Hook, delivery: Delivery, *, resend_after: float) -> Hook:
    """The hook with one more delivery: it is over if that was heard, refused for good, or the last of the schedule."""
    tried = replace(hook, lease=None, deliveries=(*hook.deliveries, delivery)[-MOST_LOGGED:])
    if delivery.heard:
        return replace(tried, due_at=None, heard=True)
    if delivery.status == _GONE or hook.tries > len(WAITS):
        return replace(tried, due_at=None)
    again = delivery.started_at + delivery.seconds + WAITS[hook.tries - 1]
    return replace(tried, not_before=again, due_at=again + resend_after)


def told_again(hook: Hook, *, now: float, resend_after: float) -> Hook | None:
    """The hook with a new schedule that begins now; None while it is being delivered."""
    if (hook.lease or 0.0) > now:
        return None
    return replace(hook, tries=0, lease=None, not_before=now, due_at=now + resend_after)


def given_up(hook: Hook) -> bool:
    """Whether the last delivery of the schedule has failed; a receiver that is gone for good has said so."""
    return hook.due_at is None and not hook.heard and hook.deliveries[-1].status != _GONE


def worn_out(hook: Hook) -> bool:
    """Whether every delivery of the schedule was begun, and the last ones crashed or were never recorded."""
    return hook.tries > len(WAITS)


def dropped(hook: Hook) -> Hook:
    """The hook as it is told no more: its job is not kept, or no delivery has come to its end."""
    return replace(hook, lease=None, due_at=None)


def outcome_of(status: int, location: str | None = None) -> str:
    """A receiver's answer in a sentence for the caller."""
    if status in _OK:
        return f"The receiver took it ({status})."
    if status in _REDIRECTS:
        place = f" to {location[:200]}" if location else ""
        return f"The receiver redirects{place} ({status}). Redirects are not followed: name that address as `webhook`."
    if status == _GONE:
        return "The receiver says that it is gone (410), so it is not told again."
    return f"The receiver answered {status}; only 2xx counts as heard."
