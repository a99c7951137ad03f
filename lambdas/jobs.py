"""The function for GET /jobs, /jobs/{id} (read, files, cancel, retry, delete, deliveries), /files and more."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext
from longplay.domain.listing import cursor_after, parse_listing
from longplay.domain.usage import parse_days
from longplay.http.api import (
    created_response,
    file_response,
    job_response,
    json_response,
    list_response,
    new_api,
    owner_of,
    query_of,
    redirect_response,
    tagged_response,
)
from longplay.http.health_view import health_view
from longplay.http.holding import seconds_to_hold
from longplay.http.model_view import models_view
from wiring import dependencies

logger = Logger()
api = new_api()


@api.get("/jobs")
def listed() -> Response[str]:
    """The caller's jobs, newest first, a page at a time."""
    service, owner = dependencies().service, owner_of(api.current_event)
    wanted = parse_listing(query_of(api.current_event), owner, service.catalogue)
    page = dependencies().listing.page(owner, wanted)
    logger.info("list", owner=owner, jobs=len(page.jobs))
    return list_response(page, service, cursor=cursor_after(page.last, owner, wanted) if page.last else None)


@api.get("/jobs/<job_id>")
def read(job_id: str) -> Response[str]:
    """The job; Retry-After says when to poll again."""
    seconds = seconds_to_hold(api)
    job = dependencies().service.find(owner_of(api.current_event), job_id)
    job = dependencies().holding.until_over(job, seconds=seconds)
    logger.info("read", job=job.id, status=job.status)
    return job_response(200, job, dependencies().service)


@api.get("/jobs/<job_id>/outputs/<n>")
def fetch(job_id: str, n: str) -> Response[str]:
    """303 to a new presigned URL of the job's n-th file, or that URL as JSON."""
    url = dependencies().service.output_url(owner_of(api.current_event), job_id, n)
    logger.info("fetch", job=job_id, output=n)
    return file_response(api.current_event, url, dependencies().service)


@api.get("/jobs/<job_id>/outputs/<n>/peaks")
def peaks(job_id: str, n: str) -> Response[str]:
    """The waveform of the job's n-th file, which a browser may keep: it never changes."""
    found = dependencies().service.peaks(owner_of(api.current_event), job_id, n)
    logger.info("peaks", job=job_id, output=n)
    return json_response(200, found, headers={"Cache-Control": "private, max-age=86400, immutable"})


@api.get("/files/<job_id>/<token>/<n>")
def follow(job_id: str, token: str, n: str) -> Response[str]:
    """303 to a new presigned URL of a file, for everyone who has its link."""
    url = dependencies().service.linked_url(job_id, token, n)
    logger.info("follow", job=job_id, output=n)
    return redirect_response(url)


@api.post("/jobs/<job_id>/cancel")
def cancel(job_id: str) -> Response[str]:
    """The job after cancellation; `attempts` and `cost` say what was or may have been charged."""
    job = dependencies().service.cancel(owner_of(api.current_event), job_id)
    logger.info("cancel", job=job.id, status=job.status)
    return job_response(200, job, dependencies().service)


@api.post("/jobs/<job_id>/retry")
def retry(job_id: str) -> Response[str]:
    """A new job with the same request as one that failed or was canceled."""
    seconds = seconds_to_hold(api)
    again = dependencies().service.retry(owner_of(api.current_event), job_id)
    logger.info("retry", job=again.job.id, retry_of=job_id)
    job = dependencies().holding.until_over(again.job, seconds=seconds)
    return created_response(replace(again, job=job), dependencies().service, location=f"../{job.id}")


@api.get("/jobs/<job_id>/deliveries")
def deliveries(job_id: str) -> Response[str]:
    """Deliveries of the job's webhook, and when the next one is due."""
    job = dependencies().service.find(owner_of(api.current_event), job_id)
    logger.info("deliveries", job=job.id)
    return json_response(200, dependencies().hook_log.of(job))


@api.post("/jobs/<job_id>/redeliver")
def redeliver(job_id: str) -> Response[str]:
    """202: the job's webhook is told again."""
    job = dependencies().service.find(owner_of(api.current_event), job_id)
    again = dependencies().hook_log.tell_again(job)
    logger.info("redeliver", job=job.id)
    return json_response(202, again)


@api.delete("/jobs/<job_id>")
def delete(job_id: str) -> Response[str]:
    """204: the request and its outputs are erased; the ledger entries stay."""
    dependencies().service.delete(owner_of(api.current_event), job_id)
    logger.info("delete", job=job_id)
    return Response(status_code=204, body="")


@api.get("/usage")
def usage() -> Response[str]:
    """The caller's usage today, this month and by the day, and the room there is."""
    owner, days = owner_of(api.current_event), parse_days(api.current_event.query_string_parameters.get("days"))
    logger.info("usage", owner=owner, days=days)
    return json_response(200, dependencies().usage.of(owner, days=days))


@api.get("/models")
def models() -> Response[str]:
    """The models offered here; 304 for a caller that has this document."""
    service = dependencies().service
    return tagged_response(api.current_event, models_view(service.catalogue, service.forecast.wait_at))


@api.get("/openapi.json")
def described() -> Response[str]:
    """The description of this API; 304 for a caller that has it."""
    from longplay.http.openapi import openapi  # only this path needs it

    service = dependencies().service
    document = openapi(service.catalogue, longest_deadline=service.settings.longest_deadline)
    return tagged_response(api.current_event, document)


@api.get("/health")
def health() -> Response[str]:
    """Which models work and why others do not, by the last round of checkups; calls no provider."""
    view = health_view(dependencies().reports.latest(), now=time.time())
    logger.info("health", status=view.status)
    return json_response(200, view)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The Lambda entry point."""
    return api.resolve(event, context)
