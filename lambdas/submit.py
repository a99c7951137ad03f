"""The function for POST /generate, which creates a job, and POST /uploads, for an input image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext
from longplay.domain.request import parse_upload
from longplay.http.api import body_of, created_response, idempotency_key_of, new_api, owner_of, upload_response
from longplay.http.holding import seconds_to_hold
from wiring import dependencies

logger = Logger()
api = new_api()


@api.post("/generate")
def generate() -> Response[str]:
    """202 with the job, its URL in Location and the seconds to wait in Retry-After; 200 if it is over by then."""
    event, service, seconds = api.current_event, dependencies().service, seconds_to_hold(api)
    submission = service.parse(body_of(event))
    submitted = service.submit(owner_of(event), submission, key=idempotency_key_of(event))
    job = submitted.job
    logger.info("submitted", job=job.id, owner=job.owner, model=job.request.model)
    job = dependencies().holding.until_over(job, seconds=seconds)
    return created_response(replace(submitted, job=job), service, location=f"jobs/{job.id}")


@api.post("/uploads")
def upload() -> Response[str]:
    """201 with a form that the caller uses to send an image directly to the bucket."""
    owner, content_type = owner_of(api.current_event), parse_upload(body_of(api.current_event))
    opened = dependencies().service.uploads.open(owner, content_type=content_type)
    logger.info("upload", upload=opened.id, owner=owner)
    return upload_response(opened)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The Lambda entry point."""
    return api.resolve(event, context)
