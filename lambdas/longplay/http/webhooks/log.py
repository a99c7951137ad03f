"""The use cases of a caller that asks what its webhook was told, or wants it told again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from longplay.domain.errors import NothingToTell
from longplay.domain.hooks import Delivery, Hook, Target, told_again
from longplay.domain.job import Job
from longplay.http import documents
from longplay.http.documents import given, timestamp, timestamp_if
from longplay.http.webhooks.body import type_of
from longplay.storage.hooks import Hooks
from longplay.storage.outbox import OutboxQueue


@dataclass(frozen=True, kw_only=True)
class HookLog:
    """The deliveries of webhooks. `clock` gives epoch seconds."""

    hooks: Hooks
    queue: OutboxQueue
    resend_after: float
    clock: Callable[[], float] = time.time

    def of(self, job: Job) -> documents.Deliveries:
        """All that the job's webhook was told, or is to be told."""
        return _shown(self.hooks.of_job(job.id, Target.WEBHOOK))

    def tell_again(self, job: Job) -> documents.Deliveries:
        """Tell the job's webhook again, by a new schedule that begins now; raises NothingToTell."""
        hooks = self.hooks.of_job(job.id, Target.WEBHOOK)
        if not hooks:
            why = "has not ended yet" if job.webhook else "was submitted without a `webhook`"
            raise NothingToTell(f"The job {why}, so there is nothing to tell again.")
        return _shown([self._again(hook) for hook in hooks])

    def _again(self, seen: Hook) -> Hook:
        """The hook as it goes on. One that is being delivered, or that another step has changed, stays as it is."""
        now = self.clock()
        again = told_again(seen, now=now, resend_after=self.resend_after)
        if again is None:
            return seen
        written = self.hooks.next(again, seen=seen)
        if written is None:
            return self.hooks.find(seen.name) or seen
        self.queue.send(written, now=now)
        return written


def _shown(hooks: Sequence[Hook]) -> documents.Deliveries:
    return documents.Deliveries(hooks=tuple(map(_hook, hooks)))


def _hook(hook: Hook) -> documents.HookDeliveries:
    return documents.HookDeliveries(
        type=type_of(hook),
        webhook_id=hook.webhook_id,
        delivered=hook.heard,
        deliveries=tuple(map(delivery_view, hook.deliveries)),
        next_at=timestamp_if(hook.not_before if hook.due_at is not None else None),
    )


def delivery_view(delivery: Delivery) -> documents.Delivery:
    """One try as its caller reads it."""
    return documents.Delivery(
        started_at=timestamp(delivery.started_at),
        seconds=round(delivery.seconds, 3),
        outcome=delivery.outcome,
        status=given(delivery.status),
    )
