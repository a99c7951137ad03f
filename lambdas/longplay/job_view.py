"""A job as its caller sees it: plain JSON, with a reason and an ETA for every wait and an answer to what it cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from longplay.catalogue import Model
from longplay.errors import Charged
from longplay.job import Attempt, Job, Output, Status, WaitReason

SHORTEST_POLL, LONGEST_POLL = 1, 30  # seconds a caller is asked to wait before looking again


def job_view(
    job: Job, model: Model | None, *, now: float, url: Callable[[Output], str], url_seconds: int
) -> dict[str, Any]:
    """The job's JSON document; `url` presigns an output for `url_seconds`. Members without a value are left out."""
    return _present(
        id=job.id,
        status=job.status,
        kind=job.request.kind,
        model=job.request.model,
        prompt=job.request.prompt,
        parameters=job.request.parameters,
        created_at=timestamp(job.created_at),
        started_at=timestamp(job.started_at),
        completed_at=timestamp(job.completed_at),
        deadline=timestamp(job.deadline),
        expires_at=timestamp(job.expires_at),
        wait=None if job.status.finished else _wait(job, model, now),
        attempts=[_attempt(attempt) for attempt in job.attempts],
        cost=_cost(job),
        served_by=job.route if job.status is Status.SUCCEEDED else None,
        outputs=[_output(job, n, url(output), now + url_seconds) for n, output in enumerate(job.outputs)],
        error=_error(job),
        tags=job.tags,
        licence=_licence(model),
    )


def retry_after(job: Job, model: Model | None, *, now: float) -> int:
    """After how many seconds it is worth looking again."""
    return round(min(LONGEST_POLL, max(SHORTEST_POLL, _eta(job, model, now))))


def timestamp(seconds: float | None) -> str | None:
    """Epoch seconds as RFC 3339, in UTC and to the millisecond."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _wait(job: Job, model: Model | None, now: float) -> dict[str, Any]:
    return _present(
        reason=_reason(job),
        slot_at=timestamp(job.not_before),
        eta_seconds=round(_eta(job, model, now), 1),
        basis=_basis(job, model),
    )


def _reason(job: Job) -> WaitReason:
    if job.status is Status.RUNNING:
        return WaitReason.PROVIDER_WORKING
    return job.wait.reason if job.wait else WaitReason.CONCURRENCY


def _eta(job: Job, model: Model | None, now: float) -> float:
    """Seconds until the result, as far as the slot and the route's typical duration tell."""
    begins = job.attempts[-1].started_at if job.status is Status.RUNNING else max(job.not_before, now)
    return max(0.0, begins + _typical_seconds(job, model) - now)


def _basis(job: Job, model: Model | None) -> str:
    typical = f"about {_typical_seconds(job, model):g} s by the catalogue's figure for this route"
    return f"{job.wait.basis} Then {typical}." if job.wait else f"{typical[0].upper()}{typical[1:]}."


def _typical_seconds(job: Job, model: Model | None) -> float:
    route = model.route(job.route) if model else None
    return route.typical_seconds if route else 0.0


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return _present(
        route=attempt.route,
        started_at=timestamp(attempt.started_at),
        ended_at=timestamp(attempt.ended_at),
        outcome=attempt.outcome,
        charged=attempt.charged,
        usd=attempt.usd,
        tries=attempt.tries,
        request_id=attempt.request_id,
    )


def _cost(job: Job) -> dict[str, float]:
    """Estimates by the catalogue's prices: one generation, the most this job can come to, what is known to be due."""
    return {
        "estimated_usd": job.price_usd,
        "possible_usd": _possible_usd(job),
        "charged_usd": round(_usd(job, Charged.YES), 6),
    }


def _possible_usd(job: Job) -> float:
    if not job.status.finished:
        return round(job.price_usd * job.max_charges, 6)
    return round(_usd(job, Charged.YES) + _usd(job, Charged.UNKNOWN), 6)


def _usd(job: Job, charged: Charged) -> float:
    return sum(attempt.usd or job.price_usd for attempt in job.attempts if attempt.charged is charged)


def _output(job: Job, n: int, url: str, url_expires_at: float) -> dict[str, Any]:
    output = job.outputs[n]
    return _present(
        url=url,
        url_expires_at=timestamp(url_expires_at),
        href=f"jobs/{job.id}/outputs/{n}",
        content_type=output.content_type,
        bytes=output.bytes,
        sha256=output.sha256,
        duration_seconds=output.duration_seconds,
        width=output.width,
        height=output.height,
    )


def _error(job: Job) -> dict[str, Any] | None:
    if job.error is None:
        return None
    error = job.error
    return {
        "code": error.code,
        "message": error.message,
        "retryable": error.retryable,
        "charged": error.charged,
    }


def _licence(model: Model | None) -> dict[str, Any] | None:
    return _present(name=model.licence, notice=model.licence_notice) if model else None


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
