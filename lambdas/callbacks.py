"""The function for POST /callbacks/{provider}/{job}/{fence}: a provider says that a generation has ended."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext
from longplay.http.api import body_of, new_api
from wiring import dependencies

logger = Logger()
api = new_api()


@api.post("/callbacks/<provider>/<job_id>/<fence>")
def receive(provider: str, job_id: str, fence: str) -> Response[str]:
    """204 for a callback that was accepted, with or without effect; 404 for one that matches no attempt."""
    event = api.current_event
    secret = event.query_string_parameters.get("t", "")
    outcome = dependencies().callbacks.receive(provider, job_id, secret, body_of(event))
    logger.info("callback", provider=provider, job=job_id, fence=fence, outcome=outcome)
    return Response(status_code=204, body="")


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The Lambda entry point."""
    return api.resolve(event, context)
