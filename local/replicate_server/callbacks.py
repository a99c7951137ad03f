"""Callbacks as Replicate sends them: the prediction as its body, signed as Standard Webhooks are."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import requests

SECONDS_PATIENCE = 10


@dataclass(frozen=True, kw_only=True)
class Callback:
    """A POST to make."""

    url: str
    headers: dict[str, str]
    body: bytes

    def send(self) -> int:
        """Make it, and return the status it is answered with."""
        response = requests.post(
            self.url, data=self.body, headers=self.headers, timeout=SECONDS_PATIENCE, allow_redirects=False
        )
        return response.status_code


def new_key() -> str:
    """A signing secret, as `GET /v1/webhooks/default/secret` tells it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"


def signed(url: str, prediction: dict[str, Any], key: str) -> Callback:
    """The callback about a prediction."""
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
