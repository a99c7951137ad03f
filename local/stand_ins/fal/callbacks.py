"""Callbacks as fal sends them: the result in an envelope, under headers of its signature's form.

The signature itself is chance: fal signs with Ed25519 and a key of its own, and Longplay takes a callback for no more
than a hint, signed or not.
"""

import json
import secrets
import time
from typing import Any

from local.stand_ins.fal.requests import Request
from local.stand_ins.framework.callback import Callback


def callback_about(request: Request, webhook: str, *, url: str) -> Callback:
    """The callback about a completed request of the server at `url`."""
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
    if request.fate.status < 400:
        return {**named, "status": "OK", "payload": payload}
    return {**named, "status": "ERROR", "error": f"Invalid status code: {request.fate.status}", "payload": payload}
