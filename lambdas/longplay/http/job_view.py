"""The JSON document of a job, with a reason and an ETA for every wait, and its cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from msgspec import UNSET, UnsetType

from longplay.domain.catalogue import Model
from longplay.domain.errors import Charged
from longplay.domain.job import Attempt, Job, Output, Status, WaitReason
from longplay.domain.webhook_urls import host_of
from longplay.http import documents
from longplay.http.documents import given, timestamp, timestamp_if

LARGEST_SOUND = 12_000_000  # bytes, a minute of 16-bit stereo at 96 kHz, or of floats at 48 kHz in mono
SHORTEST_POLL, LONGEST_POLL = 1, 30  # seconds a caller should wait before it polls again


@dataclass(frozen=True, kw_only=True)
class ViewContext:
    """The time (epoch seconds), the job's model, its position in line, and how to presign a file.

    `leader` is the job whose result this one waits for; both end together.
    """

    now: float
    model: Model | None
    position: int | None
    url: Callable[[Output], str]
    url_seconds: int
    leader: Job | None = None


def job_view(job: Job, context: ViewContext) -> documents.Job:
    """The job's JSON document."""
    return documents.Job(
        id=job.id,
        status=job.status,
        kind=job.request.kind,
        model=job.request.model,
        prompt=job.request.prompt,
        parameters=job.request.parameters,
        image=f"job:{job.id}" if job.input_key else UNSET,
        max_charges=job.max_charges,
        deadline_seconds=job.deadline_seconds,
        created_at=timestamp(job.created_at),
        started_at=timestamp_if(job.started_at),
        completed_at=timestamp_if(job.completed_at),
        deadline=timestamp(job.deadline),
        expires_at=timestamp(job.expires_at),
        wait=UNSET if job.status.finished else _wait(job, context),
        attempts=tuple(_attempt(attempt, job) for attempt in job.attempts),
        cost=_cost(job),
        served_by=job.leg.route if job.attempts and job.status is Status.SUCCEEDED else UNSET,
        cached=job.cached,
        outputs=tuple(_output(job, n, context) for n in range(len(job.outputs))),
        error=_error(job),
        retry_of=given(job.retry_of),
        tags=job.tags,
        batch=given(job.batch),
        custom_id=given(job.custom_id),
        webhook=_webhook(job),
        license=_license(context.model),
        not_honored=_not_honored(job, context.model),
        urls=_urls(job),
    )


def told_view(job: Job, model: Model | None, *, now: float) -> documents.ToldJob:
    """The job for one who reads it later: without presigned URLs, since they would have ended."""
    context = ViewContext(now=now, model=model, position=None, url=lambda _: "", url_seconds=0)
    return msgspec.convert(msgspec.to_builtins(job_view(job, context)), documents.ToldJob)


def has_peaks(output: Output) -> bool:
    """Whether the waveform of a file can be asked for: its sound is read as a whole for that."""
    return output.content_type == "audio/wav" and output.bytes <= LARGEST_SOUND


def retry_after(job: Job, *, now: float) -> int:
    """Seconds until the caller should poll again."""
    return round(min(LONGEST_POLL, max(SHORTEST_POLL, _eta(job, now))))


def _wait(job: Job, context: ViewContext) -> documents.Wait:
    return documents.Wait(
        reason=_reason(job),
        slot_at=timestamp(job.not_before),
        eta_seconds=round(_eta(context.leader or job, context.now), 1),
        position=given(context.position),
        basis=_basis(job, context.now),
    )


def _reason(job: Job) -> WaitReason:
    usual = WaitReason.PROVIDER_WORKING if job.status is Status.RUNNING else WaitReason.CONCURRENCY
    return job.wait.reason if job.wait else usual


def _eta(job: Job, now: float) -> float:
    """Estimated seconds until the result, from the slot and the route's typical duration.

    A job that takes longer than usual is expected to take another quarter of its running time.
    """
    if job.status is Status.RUNNING:
        running = _running_seconds(job, now)
        return max(job.leg.typical_seconds - running, running / 4)
    return max(job.not_before - now, 0.0) + job.leg.typical_seconds


def _running_seconds(job: Job, now: float) -> float:
    return max(0.0, now - job.attempts[-1].started_at)


def _basis(job: Job, now: float) -> str:
    usual = f"A generation takes about {job.leg.typical_seconds:g} s: {job.leg.typical_basis}."
    if job.wait:
        return f"{job.wait.basis} {usual}"
    late = job.status is Status.RUNNING and _running_seconds(job, now) > job.leg.typical_seconds
    return f"This one takes longer than usual. {usual}" if late else usual


def _attempt(attempt: Attempt, job: Job) -> documents.Attempt:
    return documents.Attempt(
        route=attempt.route,
        started_at=timestamp(attempt.started_at),
        ended_at=timestamp_if(attempt.ended_at),
        outcome=attempt.outcome,
        charged=attempt.charged,
        usd=job.price_of(attempt),
        tries=attempt.tries,
        request_id=given(attempt.request_id),
    )


def _cost(job: Job) -> documents.Cost:
    return documents.Cost(
        estimated_usd=job.leg.price_usd,
        possible_usd=possible_usd(job),
        charged_usd=round(job.usd(Charged.YES), 6),
        unknown_usd=round(job.usd(Charged.UNKNOWN), 6),
    )


def possible_usd(job: Job) -> float:
    """The most that the job can come to; once it is over, what is or may be charged."""
    if not job.status.finished:
        return round(max(job.max_price_usd, job.leg.price_usd) * job.max_charges, 6)
    return round(job.usd(Charged.YES, Charged.UNKNOWN), 6)


def _output(job: Job, n: int, context: ViewContext) -> documents.Output:
    output = job.outputs[n]
    return documents.Output(
        url=context.url(output),
        url_expires_at=timestamp(context.now + context.url_seconds),
        href=f"jobs/{job.id}/outputs/{n}",
        link=f"files/{job.id}/{job.file_token}/{n}" if job.file_token else UNSET,
        content_type=output.content_type,
        bytes=output.bytes,
        sha256=output.sha256,
        duration_seconds=given(output.duration_seconds),
        width=given(output.width),
        height=given(output.height),
        sample_rate=given(output.sample_rate),
        channels=given(output.channels),
        peaks_url=f"jobs/{job.id}/outputs/{n}/peaks" if has_peaks(output) else UNSET,
        warnings=output.warnings or UNSET,
    )


def _error(job: Job) -> documents.JobError | UnsetType:
    if job.error is None:
        return UNSET
    error = job.error
    return documents.JobError(code=error.code, message=error.message, retryable=error.retryable, charged=error.charged)


def _webhook(job: Job) -> documents.JobWebhook | UnsetType:
    return documents.JobWebhook(host=host_of(job.webhook), delivered=job.webhook_heard) if job.webhook else UNSET


def _urls(job: Job) -> documents.JobUrls:
    own = f"jobs/{job.id}"
    retried = job.status in (Status.FAILED, Status.CANCELED)
    return documents.JobUrls(
        self=own,
        cancel=UNSET if job.status.finished else f"{own}/cancel",
        retry=f"{own}/retry" if retried else UNSET,
    )


def _not_honored(job: Job, model: Model | None) -> dict[str, str] | UnsetType:
    """Requested parameters that the route ignores or approximates, by name; defaults count as not requested."""
    route = model.route(job.leg.route) if model else None
    if model is None or route is None or job.cached:  # a cached result may be from another route
        return UNSET
    values = {name: value for name, value in job.request.parameters.items() if name in model.parameters}
    requested = {name for name, value in values.items() if value != model.parameters[name].default}
    effects = {**dict.fromkeys(route.ignores, "ignored"), **dict.fromkeys(route.approximates, "approximated")}
    return {name: effect for name, effect in effects.items() if name in requested} or UNSET


def _license(model: Model | None) -> documents.License | UnsetType:
    return license_view(model) if model else UNSET


def license_view(model: Model) -> documents.License:
    """The license of a model's results."""
    return documents.License(name=model.license, notice=given(model.license_notice), commercial=model.commercial)
