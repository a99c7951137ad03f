"""The use case of the queue of hooks: tell one receiver one thing, and note what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from longplay.domain.catalogue import Catalogue
from longplay.domain.hooks import Delivery, Hook, Target, after_delivery, claimed, dropped, given_up, worn_out
from longplay.domain.job import Job
from longplay.http.webhooks.body import event_body, type_of
from longplay.http.webhooks.sending import Sender
from longplay.storage.bus import Bus
from longplay.storage.hooks import Hooks
from longplay.storage.jobs import JobTable
from longplay.storage.outbox import OutboxQueue
from longplay.storage.webhook_secrets import WebhookSecrets

GIVEN_UP = "given up"  # an alarm counts the lines of the log whose `outcome` begins so


@dataclass(frozen=True, kw_only=True)
class Deliverer:
    """Tells hooks. `clock` gives epoch seconds, `resend_after` is in seconds; `api_url` is known once deployed."""

    hooks: Hooks
    jobs: JobTable
    queue: OutboxQueue
    secrets: WebhookSecrets
    sender: Sender
    bus: Bus
    catalogue: Catalogue
    resend_after: float
    api_url: str | None
    clock: Callable[[], float] = time.time

    def deliver(self, name: str) -> str:
        """Tell the hook of this name, if it is due, and say in a word what came of it."""
        now, seen = self.clock(), self.hooks.find(name)
        if seen is None or seen.due_at is None:
            return "nothing to tell"
        hook = claimed(seen, now=now)
        if hook is None:
            return self._put_off(seen, now)
        job = self._kept(hook)
        if job is None or worn_out(seen):
            self.hooks.next(dropped(hook), seen=seen)
            return f"{GIVEN_UP}: no delivery came to its end" if job else "dropped: the job is not kept any more"
        mine = self.hooks.next(hook, seen=seen)
        return "superseded" if mine is None else self._record(mine, self._tell(mine, job))

    def _put_off(self, hook: Hook, now: float) -> str:
        """A message can come early where this clock is behind: it is sent again. The sweeper looks after a crash."""
        if (hook.lease or 0.0) > now:
            return "being told by another"
        self.queue.send(hook, now=now)
        return "early"

    def _kept(self, hook: Hook) -> Job | None:
        job = self.jobs.find(hook.job)
        kept = job is not None and job.deleted is None and job.expires_at > self.clock()
        return job if kept else None

    def _tell(self, hook: Hook, job: Job) -> Delivery:
        now = self.clock()
        model = self.catalogue.models.get(job.request.model)
        body = event_body(hook, job, model=model, api_url=self.api_url, now=now)
        if hook.target is Target.BUS:
            return self.bus.put(type_of(hook), body, now=now)
        secrets = self.secrets.of(hook.owner, now=now)
        return self.sender.send(job.webhook or "", body, webhook_id=hook.webhook_id, secrets=secrets)

    def _record(self, hook: Hook, delivery: Delivery) -> str:
        after = after_delivery(hook, delivery, resend_after=self.resend_after)
        heard = [self.jobs.heard(hook.job)] if after.heard and hook.target is Target.WEBHOOK else []
        written = self.hooks.next(after, seen=hook, beside=heard)
        if written and written.due_at is not None:
            self.queue.send(written, now=self.clock())
        return f"{GIVEN_UP}: {delivery.outcome}" if given_up(after) else delivery.outcome
