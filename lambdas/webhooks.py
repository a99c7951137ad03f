"""The function for POST /webhooks/test, which sends a test, and POST /webhooks/secret, which renews a secret."""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext
from longplay.http.api import body_of, json_response, new_api, owner_of
from longplay.http.webhooks.requests import renewed, tested, url_to_test
from wiring import dependencies

logger = Logger()
api = new_api()


@api.post("/webhooks/test")
def test() -> Response[str]:
    """200 with what the receiver answered to a signed test, without its body."""
    owner, wired = owner_of(api.current_event), dependencies()
    url = url_to_test(body_of(api.current_event), private=wired.private_webhooks)
    answer = tested(url, wired.sender, wired.webhook_secrets.of(owner, now=time.time()))
    logger.info("tested a webhook", owner=owner, outcome=answer.delivery.outcome)
    return json_response(200, answer)


@api.post("/webhooks/secret")
def secret() -> Response[str]:
    """201 with the next secret; the one before it signs too for a day."""
    owner, now = owner_of(api.current_event), time.time()
    new = dependencies().webhook_secrets.renew(owner, now=now)
    logger.info("renewed the secret of webhooks", owner=owner)
    return json_response(201, renewed(new, now=now))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The Lambda entry point."""
    return api.resolve(event, context)
