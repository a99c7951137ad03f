"""Refusals that API Gateway answers by itself, as problem+json like those of the functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway

#: The wait after a refusal by the usage plan, in seconds: its limits allow new requests within one second.
RETRY_AFTER = 1


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A response of API Gateway itself; `status` is None for a default that covers several."""

    kind: apigateway.ResponseType
    status: int | None
    code: str
    title: str
    detail: str
    retryable: bool = False
    charged: str = "no"


NO_KEY = "Forbidden: send your API key in the x-api-key header. The operator of this deployment issues keys."
NO_PATH = "There is no such path or method. Start a generation with POST /generate and read it at GET /jobs/{id}."
LATE = "The answer took too long. Repeat the request with the same Idempotency-Key: no second job is made."
BROKEN = "Longplay failed to answer. Repeat the request with the same Idempotency-Key: no second job is made."

REFUSALS = [
    Refusal(
        kind=apigateway.ResponseType.DEFAULT_4_XX,
        status=None,
        code="invalid_request",
        title="The request is not valid",
        detail="The request could not be understood: see the status, and send the body as one JSON object.",
    ),
    Refusal(
        kind=apigateway.ResponseType.BAD_REQUEST_BODY,
        status=400,
        code="invalid_request",
        title="The request is not valid",
        detail="The body could not be read: send one JSON object.",
    ),
    Refusal(
        kind=apigateway.ResponseType.BAD_REQUEST_PARAMETERS,
        status=400,
        code="invalid_request",
        title="The request is not valid",
        detail="The query or a header could not be read.",
    ),
    Refusal(
        kind=apigateway.ResponseType.UNAUTHORIZED,
        status=401,
        code="unauthorized",
        title="Unauthorized",
        detail="The credentials were not accepted. Send your API key in the x-api-key header.",
    ),
    Refusal(
        kind=apigateway.ResponseType.INVALID_API_KEY,
        status=403,
        code="forbidden",
        title="Forbidden",
        detail=NO_KEY,
    ),
    Refusal(
        kind=apigateway.ResponseType.ACCESS_DENIED,
        status=403,
        code="forbidden",
        title="Forbidden",
        detail=NO_KEY,
    ),
    # API Gateway's answer to an unknown path or method, by default with 403
    Refusal(
        kind=apigateway.ResponseType.MISSING_AUTHENTICATION_TOKEN,
        status=404,
        code="not_found",
        title="Not found",
        detail=NO_PATH,
    ),
    Refusal(
        kind=apigateway.ResponseType.RESOURCE_NOT_FOUND,
        status=404,
        code="not_found",
        title="Not found",
        detail=NO_PATH,
    ),
    Refusal(
        kind=apigateway.ResponseType.REQUEST_TOO_LARGE,
        status=413,
        code="too_large",
        title="The request is too large",
        detail="The request is larger than the 10 MB that API Gateway accepts.",
    ),
    Refusal(
        kind=apigateway.ResponseType.THROTTLED,
        status=429,
        code="too_many_requests",
        title="Too many requests",
        detail="Requests come faster than this deployment accepts them. Wait for Retry-After seconds, then repeat.",
        retryable=True,
    ),
    Refusal(
        kind=apigateway.ResponseType.INTEGRATION_TIMEOUT,
        status=504,
        code="timeout",
        title="No answer in time",
        detail=LATE,
        retryable=True,
        charged="unknown",
    ),
    Refusal(
        kind=apigateway.ResponseType.DEFAULT_5_XX,
        status=None,
        code="internal_error",
        title="Longplay failed",
        detail=BROKEN,
        retryable=True,
        charged="unknown",
    ),
]


def add_refusals(
    api: apigateway.RestApi, *, details: Mapping[str, str] | None = None, for_other_clients: bool = False
) -> None:
    """Replaces the texts of API Gateway's own responses; `details` replaces ours for a code.

    Other people's clients show `message`, or the messages in `errors`: nine of ten that were tried (2026-11). OpenAI's
    for Node shows the status alone, since it wants an object as `error`, where Hugging Face's wants a text.
    """
    for refusal in REFUSALS:
        api.add_gateway_response(
            refusal.kind.response_type.title().replace("_", ""),
            type=refusal.kind,
            status_code=str(refusal.status) if refusal.status else None,
            response_headers=_headers(refusal),
            # API Gateway uses this template for every Accept header
            templates={"application/json": json.dumps(_document(refusal, details or {}, for_other_clients))},
        )


def _headers(refusal: Refusal) -> dict[str, str]:
    readable_by_pages = {
        "Access-Control-Allow-Origin": "'*'",
        "Access-Control-Expose-Headers": "'Retry-After'",
    }
    wait = {"Retry-After": f"'{RETRY_AFTER}'"} if refusal.retryable else {}
    return {"Content-Type": "'application/problem+json'"} | readable_by_pages | wait


def _document(refusal: Refusal, details: Mapping[str, str], for_other_clients: bool) -> dict[str, object]:
    detail = details.get(refusal.code, refusal.detail)
    status = {"status": refusal.status} if refusal.status else {}
    document = {
        "type": f"urn:longplay:problem:{refusal.code}",
        "title": refusal.title,
        "detail": detail,
        "code": refusal.code,
        "retryable": refusal.retryable,
        "charged": refusal.charged,
        "request_id": "$context.requestId",
    }
    # a page about the code; the other API has none
    help_page = {} if for_other_clients else {"help": f"problems/{refusal.code}"}
    shown = {"message": detail, "errors": [{"message": detail}]} if for_other_clients else {}
    return document | status | help_page | shown
