"""Replicate's callbacks: the prediction as the body, with a Standard Webhooks signature."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import Any

from local.stand_ins.framework.callback import Callback


def new_key() -> str:
    """A signing secret, in the form that `GET /v1/webhooks/default/secret` returns."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"


def signed(url: str, prediction: dict[str, Any], key: str) -> Callback:
    """The signed callback about a prediction, to this URL."""
    body = json.dumps(prediction).encode()
    message, moment = f"msg_{secrets.token_hex(8)}", str(int(time.time()))
    secret = base64.b64decode(key.removeprefix("whsec_"))
    mark = hmac.new(secret, f"{message}.{moment}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(mark).decode()}",
    }
    return Callback(url=url, headers=headers, body=body)
