"""A job as its caller sees it: plain JSON, with a reason and an ETA for every wait and an answer to what it cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from longplay.domain.catalogue import Model
from longplay.domain.errors import Charged
from longplay.domain.job import Attempt, Job, Output, Status, WaitReason

SHORTEST_POLL, LONGEST_POLL = 1, 30  # seconds a caller is asked to wait before looking again


@dataclass(frozen=True, kw_only=True)
class Viewpoint:
    """From where a job is seen: the time (epoch seconds), its model, its place in line, and how to presign a file."""

    now: float
    model: Model | None
    place: int | None
    url: Callable[[Output], str]
    url_seconds: int


def job_view(job: Job, seen: Viewpoint) -> dict[str, Any]:
    """The job's JSON document. Members without a value are left out."""
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
        wait=None if job.status.finished else _wait(job, seen),
        attempts=[_attempt(attempt, job) for attempt in job.attempts],
        cost=_cost(job),
        served_by=job.leg.route if job.attempts and job.status is Status.SUCCEEDED else None,
        cached=job.cached,
        outputs=[_output(job, n, seen) for n in range(len(job.outputs))],
        error=_error(job),
        retry_of=job.retry_of,
        tags=job.tags,
        license=_license(seen.model),
        not_honored=_not_honored(job, seen.model),
    )


def retry_after(job: Job, *, now: float) -> int:
    """After how many seconds it is worth looking again."""
    return round(min(LONGEST_POLL, max(SHORTEST_POLL, _eta(job, now))))


def timestamp(seconds: float | None) -> str | None:
    """Epoch seconds as RFC 3339, in UTC and to the millisecond."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _wait(job: Job, seen: Viewpoint) -> dict[str, Any]:
    return _present(
        reason=_reason(job),
        slot_at=timestamp(job.not_before),
        eta_seconds=round(_eta(job, seen.now), 1),
        position=seen.place,
        basis=_basis(job, seen.now),
    )


def _reason(job: Job) -> WaitReason:
    usual = WaitReason.PROVIDER_WORKING if job.status is Status.RUNNING else WaitReason.CONCURRENCY
    return job.wait.reason if job.wait else usual


def _eta(job: Job, now: float) -> float:
    """Seconds until the result, as far as the slot and the route's usual duration tell.

    What takes longer than usual is expected to take a quarter longer than it has.
    """
    if job.status is Status.RUNNING:
        under_way = _under_way(job, now)
        return max(job.leg.typical_seconds - under_way, under_way / 4)
    return max(job.not_before - now, 0.0) + job.leg.typical_seconds


def _under_way(job: Job, now: float) -> float:
    return max(0.0, now - job.attempts[-1].started_at)


def _basis(job: Job, now: float) -> str:
    usual = f"A generation takes about {job.leg.typical_seconds:g} s: {job.leg.typical_basis}."
    if job.wait:
        return f"{job.wait.basis} {usual}"
    late = job.status is Status.RUNNING and _under_way(job, now) > job.leg.typical_seconds
    return f"This one takes longer than usual. {usual}" if late else usual


def _attempt(attempt: Attempt, job: Job) -> dict[str, Any]:
    return _present(
        route=attempt.route,
        started_at=timestamp(attempt.started_at),
        ended_at=timestamp(attempt.ended_at),
        outcome=attempt.outcome,
        charged=attempt.charged,
        usd=job.price_of(attempt),
        tries=attempt.tries,
        request_id=attempt.request_id,
    )


def _cost(job: Job) -> dict[str, float]:
    """Estimates by the catalogue's prices: one generation, the most this job can come to, what is known to be due."""
    return {
        "estimated_usd": job.leg.price_usd,
        "possible_usd": _possible_usd(job),
        "charged_usd": round(job.usd(Charged.YES), 6),
    }


def _possible_usd(job: Job) -> float:
    if not job.status.finished:
        return round(max(job.max_price_usd, job.leg.price_usd) * job.max_charges, 6)
    return round(job.usd(Charged.YES, Charged.UNKNOWN), 6)


def _output(job: Job, n: int, seen: Viewpoint) -> dict[str, Any]:
    output = job.outputs[n]
    return _present(
        url=seen.url(output),
        url_expires_at=timestamp(seen.now + seen.url_seconds),
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


def _not_honored(job: Job, model: Model | None) -> dict[str, str] | None:
    """What was asked for and its route cannot do, or only nearly; a parameter at its default was not asked for."""
    route = model.route(job.leg.route) if model else None
    if model is None or route is None or job.cached:  # what was copied may have gone another way
        return None
    given = {name: value for name, value in job.request.parameters.items() if name in model.parameters}
    asked = {name for name, value in given.items() if value != model.parameters[name].default}
    said = {**dict.fromkeys(route.ignores, "ignored"), **dict.fromkeys(route.approximates, "approximated")}
    return {name: what for name, what in said.items() if name in asked} or None


def _license(model: Model | None) -> dict[str, Any] | None:
    return _present(name=model.license, notice=model.license_notice, commercial=model.commercial) if model else None


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
