"""fal's callbacks: the result in an envelope, with headers of the form of its signature.

The signature itself is random: fal signs with its Ed25519 key, and Longplay treats every callback, signed or not, only
as a sign that it should ask.
"""

import json
import secrets
import time
from typing import Any

from local.stand_ins.fal.requests import Request
from local.stand_ins.framework.callback import Callback


def callback_about(request: Request, webhook: str, *, url: str) -> Callback:
    """The callback about a completed request, sent by the server at `url`."""
    headers = {
        "Content-Type": "application/json",
        "X-Fal-Webhook-Request-Id": request.id,
        "X-Fal-Webhook-User-Id": "github|longplay",
        "X-Fal-Webhook-Timestamp": str(int(time.time())),
        "X-Fal-Webhook-Signature": secrets.token_hex(64),
    }
    return Callback(url=webhook, headers=headers, body=json.dumps(_envelope(request, url)).encode())


def _envelope(request: Request, url: str) -> dict[str, Any]:
    named = {"request_id": request.id, "gateway_request_id": request.id}
    payload = request.result(url)
    if request.outcome.status < 400:
        return {**named, "status": "OK", "payload": payload}
    return {**named, "status": "ERROR", "error": f"Invalid status code: {request.outcome.status}", "payload": payload}
