"""The authorizer of the faces: takes `Authorization: Bearer <key>`, and asks Longplay's own API about the key.

API Gateway knows the keys and tells them to no function, so the key is tried on GET /key, which does nothing else.
It needs the standard library alone, as it runs before the first answer to each caller.
"""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import Request, urlopen

_BEARER = re.compile(r"Bearer (?P<key>lp_(?P<owner>[a-z0-9-]{1,32})_\w+)", re.ASCII)
_WRONG = (401, 403)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """A policy for all of the face, which API Gateway keeps for five minutes. Raises if the API gives no answer."""
    bearer = _BEARER.fullmatch(event["authorizationToken"])
    if bearer is None or not _opens(bearer["key"]):
        return _policy("Deny", event["methodArn"], "unknown")
    return _policy("Allow", event["methodArn"], bearer["owner"])


def _opens(key: str) -> bool:
    # the address of an emulator's API is relative to the emulator
    address = urljoin(os.environ.get("AWS_ENDPOINT_URL", ""), os.environ["KEY_URL"])
    try:
        with urlopen(Request(address, headers={"x-api-key": key}), timeout=5):  # noqa: S310 - our own API
            return True
    except HTTPError as error:
        if error.code in _WRONG:
            return False
        raise  # throttled or broken: API Gateway answers 500 and asks again for the next request


def _policy(effect: str, method_arn: str, owner: str) -> dict[str, Any]:
    api, stage, *_ = method_arn.split("/")
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": f"{api}/{stage}/*"}
    return {
        "principalId": owner,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"owner": owner},
    }
