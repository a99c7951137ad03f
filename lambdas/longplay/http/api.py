"""Reads HTTP requests (owner, query, body, headers) and writes HTTP responses and errors."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from longplay.domain.errors import (
    BatchNotFound,
    Charged,
    InvalidParameter,
    JobNotFound,
    OutputNotFound,
    PathNotFound,
    Problem,
)
from longplay.domain.job import Job
from longplay.http import documents
from longplay.http.documents import OpenedUpload, PresignedUrl, given, timestamp
from longplay.http.job_view import ViewContext, job_view, retry_after
from longplay.http.listing import Page
from longplay.http.service import NO_BATCH, NO_FILE, NO_JOB, Service, Submitted
from longplay.http.uploads import LARGEST_UPLOAD, Upload

_KEY = re.compile(r"lp_(?P<owner>[a-z0-9-]{1,32})_\w+")
_NO_PATH = "There is no such path or method. Start a generation with POST /generate and read it at GET /jobs/{id}."
NOT_KEPT = {"Cache-Control": "no-store"}  # a cache may keep even 404 and 410 (RFC 9111, section 4.2.2)
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def new_api() -> APIGatewayRestResolver:
    """A resolver that returns every Problem as application/problem+json."""
    api = APIGatewayRestResolver(
        cors=CORSConfig(expose_headers=["ETag", "Idempotency-Replayed", "Link", "Location", "Retry-After"])
    )

    @api.exception_handler(Problem)  # type: ignore[untyped-decorator]
    def answer(problem: Problem) -> Response[str]:
        return _problem(problem, request_id=api.current_event.request_context.request_id)

    @api.not_found
    def nothing(_: Exception) -> Response[str]:
        """Powertools' patterns match no emoji, quotes or control characters, so such an id has no route."""
        event = api.current_event
        return _problem(_unknown(event.path), request_id=event.request_context.request_id)

    return api


def _unknown(path: str) -> Problem:
    if path.startswith("/files/"):
        return OutputNotFound(NO_FILE)
    if path.startswith("/batches/"):
        return BatchNotFound(NO_BATCH)
    return JobNotFound(NO_JOB) if path.startswith("/jobs/") else PathNotFound(_NO_PATH)


def json_response(status: int, body: object, *, headers: dict[str, str] | None = None) -> Response[str]:
    """A JSON response that no cache keeps, unless `headers` say otherwise."""
    return Response(
        status_code=status,
        content_type="application/json",
        body=msgspec.json.encode(body).decode(),
        headers={**NOT_KEPT, **(headers or {})},
    )


def tagged_response(event: APIGatewayProxyEvent, body: object) -> Response[str]:
    """200 with the JSON document and its ETag; 304 without it, for a caller that has this one."""
    tag = f'"{hashlib.sha256(msgspec.json.encode(body)).hexdigest()[:32]}"'
    headers = {"Cache-Control": "no-cache", "ETag": tag}
    if tag in (_header(event, "If-None-Match") or ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, body="", headers=dict(headers))
    return json_response(HTTPStatus.OK, body, headers=headers)


def job_response(
    status: int, job: Job, service: Service, *, just_submitted: bool = False, headers: dict[str, str] | None = None
) -> Response[str]:
    """The job as JSON; Retry-After says when to poll again if it is not finished."""
    job, position = service.standing(job, just_submitted=just_submitted)
    context = _context(job, service, position=position, leader=service.leader_of(job))
    waiting = {} if job.status.finished else {"Retry-After": str(retry_after(context.leader or job, now=context.now))}
    return json_response(status, job_view(job, context), headers={**waiting, **(headers or {})})


def _context(job: Job, service: Service, *, position: int | None, leader: Job | None) -> ViewContext:
    return ViewContext(
        now=service.clock(),
        model=service.catalogue.models.get(job.request.model),
        position=position,
        leader=leader,
        url=service.presigned,
        url_seconds=service.settings.url_lifetime,
    )


def list_response(page: Page, service: Service, *, cursor: str | None) -> Response[str]:
    """The jobs of a page as JSON; `cursor` continues the list."""
    jobs = tuple(_listed(job, page.leaders, service) for job in page.jobs)
    return json_response(HTTPStatus.OK, documents.Jobs(jobs=jobs, next_cursor=given(cursor)))


def _listed(job: Job, leaders: Mapping[str, Job], service: Service) -> documents.Job:
    standing, position = service.standing(job)
    leader = service.as_leader(leaders.get(job.follows or ""))
    return job_view(standing, _context(standing, service, position=position, leader=leader))


def created_response(submitted: Submitted, service: Service, *, location: str) -> Response[str]:
    """202 for a job in progress, 200 for one that is already finished.

    `location` is relative to the request's URL, so it works with every stage, base path and domain.
    `Idempotency-Replayed` says that this request has made no job.
    """
    status = HTTPStatus.OK if submitted.job.status.finished else HTTPStatus.ACCEPTED
    replayed = {"Idempotency-Replayed": "true"} if submitted.replayed else {}
    headers = {"Location": location, **replayed}
    return job_response(status, submitted.job, service, just_submitted=True, headers=headers)


def upload_response(upload: Upload) -> Response[str]:
    """201 with the form to send the image with, and the value for `image` in later requests."""
    view = OpenedUpload(
        id=upload.id,
        image=f"upload:{upload.id}",
        method="POST",
        url=upload.url,
        fields=upload.fields,
        largest=LARGEST_UPLOAD,
        url_expires_at=timestamp(upload.url_expires_at),
        expires_at=timestamp(upload.expires_at),
        next=_HOW_TO_UPLOAD,
    )
    return json_response(HTTPStatus.CREATED, view)


_HOW_TO_UPLOAD = (
    "Send the image as multipart/form-data to `url`: all `fields` first, then `file`, at most `largest` bytes. "
    "Then use the value of `image` in POST /generate, as often as you like until `expires_at`."
)


def file_response(event: APIGatewayProxyEvent, url: str, service: Service) -> Response[str]:
    """303 to the presigned URL of a file; 200 with its URL as JSON for a caller that asks for JSON.

    A web page needs the JSON: a browser sends x-api-key along with the redirect, and S3 refuses that header.
    """
    if "application/json" in (_header(event, "Accept") or ""):
        expires_at = timestamp(service.clock() + service.settings.url_lifetime)
        return json_response(HTTPStatus.OK, PresignedUrl(url=url, url_expires_at=expires_at))
    return redirect_response(url)


def redirect_response(url: str) -> Response[str]:
    """303 to the presigned URL of a file; no page that it leads to learns the address it came from."""
    headers: dict[str, str | list[str]] = {"Location": url, "Referrer-Policy": "no-referrer", **NOT_KEPT}
    return Response(status_code=HTTPStatus.SEE_OTHER, content_type="text/plain", body="", headers=headers)


def owner_of(event: APIGatewayProxyEvent) -> str:
    """The owner whose jobs the caller may see: named in the API key, or derived from the IAM principal.

    API Gateway has already checked the key. A key's value is `lp_<owner>_<secret>`, so the jobs stay visible after
    the key is rotated. For a key of any other form, the owner is derived from the key itself.
    """
    identity = event.request_context.identity
    # an API that authenticates IAM principals does not check keys, so the caller's header is not trusted
    key = identity.api_key or (None if identity.user_arn else _header(event, "x-api-key"))
    named = _KEY.fullmatch(key or "")
    return named["owner"] if named else _derived_owner(key or identity.user_arn or "")


def query_of(event: APIGatewayProxyEvent) -> dict[str, list[str]]:
    """The parameters of the query by name, each as often as it is given."""
    return {name: [*values] for name, values in event.multi_value_query_string_parameters.items()}


def body_of(event: APIGatewayProxyEvent) -> bytes:
    """The body's bytes. The Content-Type is ignored, because `curl -d` sends a form's."""
    body = event.body or ""
    return base64.b64decode(body) if event.is_base64_encoded else body.encode("utf-8", "surrogatepass")


def idempotency_key_of(event: APIGatewayProxyEvent) -> str | None:
    """The Idempotency-Key header; raises InvalidParameter unless it is 1 to 255 visible ASCII characters."""
    key = _header(event, "Idempotency-Key")
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        raise InvalidParameter("Idempotency-Key", "`Idempotency-Key` must be 1 to 255 visible ASCII characters.")
    return key


def _header(event: APIGatewayProxyEvent, name: str) -> str | None:
    return event.headers.get(name)


def _derived_owner(credential: str) -> str:
    return f"key-{hashlib.sha256(credential.encode()).hexdigest()[:24]}"


def _problem(problem: Problem, *, request_id: str) -> Response[str]:
    extra: dict[str, Any] = {**problem.extra}
    body = documents.Problem(
        type=f"urn:longplay:problem:{problem.code}",
        title=problem.title,
        status=problem.status,
        code=problem.code,
        detail=problem.detail,
        retryable=problem.retryable,
        charged=Charged.NO,
        request_id=request_id,
        help=f"problems/{problem.code}",
        **extra,
    )
    wait = {"Retry-After": str(problem.retry_after)} if problem.retry_after else {}
    return Response(
        status_code=HTTPStatus(problem.status),
        content_type="application/problem+json",
        body=msgspec.json.encode(body).decode(),
        headers={**NOT_KEPT, **wait},
    )
