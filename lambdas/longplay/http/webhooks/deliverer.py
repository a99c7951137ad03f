"""The use case of the queue of hooks: tell one receiver one thing, and note what came of it."""

from __future__ import annotations

import secrets as random
import time
from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from longplay.domain.catalogue import Catalogue
from longplay.domain.hooks import Delivery, Hook, Target, after_delivery, claimed, dropped
from longplay.domain.job import Job
from longplay.http.webhooks.body import event_body, type_of
from longplay.http.webhooks.sending import Sender
from longplay.storage.bus import Bus
from longplay.storage.hooks import Hooks
from longplay.storage.jobs import JobTable
from longplay.storage.queue import HookQueue
from longplay.storage.webhook_secrets import WebhookSecrets


@dataclass(frozen=True, kw_only=True)
class Deliverer:
    """Tells hooks. `clock` gives epoch seconds, `resend_after` is in seconds; `api_url` is known once deployed."""

    hooks: Hooks
    jobs: JobTable
    queue: HookQueue
    secrets: WebhookSecrets
    sender: Sender
    bus: Bus
    catalogue: Catalogue
    resend_after: float
    api_url: str | None
    clock: Callable[[], float] = time.time

    def deliver(self, name: str) -> str:
        """Tell the hook of this name, if it is due, and say in a word what came of it."""
        seen = self.hooks.find(name)
        hook = claimed(seen, now=self.clock()) if seen else None
        if seen is None or hook is None:
            return "nothing due"
        job = self._kept(hook)
        if job is None:
            self._write(dropped(hook), seen=seen)
            return "dropped: the job is not kept any more"
        mine = self._write(hook, seen=seen)
        return "superseded" if mine is None else self._record(mine, self._tell(mine, job))

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
        heard = [self.hooks.heard(hook.job)] if after.heard and hook.target is Target.WEBHOOK else []
        written = replace(after, token=random.token_hex(8))
        if self.hooks.next(written, seen=hook, beside=heard) and written.due_at is not None:
            self.queue.send(written, now=self.clock())
        return delivery.outcome

    def _write(self, hook: Hook, *, seen: Hook) -> Hook | None:
        written = replace(hook, token=random.token_hex(8))
        return written if self.hooks.next(written, seen=seen) else None
