"""The body of a webhook: a happening, and the job as it stands when it is told."""

from __future__ import annotations

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from longplay.domain.catalogue import Model
from longplay.domain.hooks import Hook, Target
from longplay.domain.job import Job
from longplay.http import documents
from longplay.http.documents import given, timestamp
from longplay.http.job_view import told_view

LARGEST_BODY = 20_000  # bytes; some receivers take no more


def event_body(hook: Hook, job: Job, *, model: Model | None, api_url: str | None, now: float) -> str:
    """The body as JSON text, without presigned URLs: they would end before a late delivery."""
    whole = documents.Event(
        type=type_of(hook),
        timestamp=timestamp(hook.happened_at),
        owner=hook.owner if hook.target is Target.BUS else UNSET,
        api_url=given(api_url),
        data=told_view(job, model, now=now),
    )
    body = _text(whole)
    return body if len(body.encode()) <= LARGEST_BODY else _text(_short(whole))


def type_of(hook: Hook) -> str:
    """The word for what happened: `job.succeeded`, `job.failed`, `job.canceled` or `job.late_result`."""
    return f"job.{hook.happening}"


def _short(event: documents.Event) -> documents.Event:
    return replace(event, data=replace(event.data, prompt=UNSET, parameters=UNSET, tags=UNSET))


def _text(event: documents.Event) -> str:
    return msgspec.json.encode(event).decode()
