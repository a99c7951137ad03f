"""The checkup of fal: whether its platform API accepts the key, and whether the endpoint is active.

`GET https://api.fal.ai/v1/models/pricing` needs a key and is free; `GET https://api.fal.ai/v1/models` returns an
endpoint with its status (docs.fal.ai/platform-apis/v1/models and …/pricing, read 2026-11). No call
shows whether the account has credit.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from longplay.providers.credential import Credential
from longplay.providers.fal.adapter import OWN_TOKEN
from longplay.providers.fal.refusals import STORE_ADVICE
from longplay.providers.findings import YES, Found, Question, no
from longplay.providers.visits import Checkup, Reply, Visit, listed, puzzling

PLATFORM = "api.fal.ai"

_STORE = STORE_ADVICE.format(token=OWN_TOKEN.name)


def _stored(visit: Visit) -> Found:
    credential(visit)
    return YES


def _accepted(visit: Visit) -> Found:
    """With a valid key, an endpoint without a known price is a 404."""
    reply = _get(visit, "/v1/models/pricing")
    if reply.status in (401, 403):
        return no(f"fal does not accept the key. {_STORE}")
    return YES if reply.success or reply.status == 404 else puzzling(PLATFORM, reply)


def _active(visit: Visit) -> Found:
    reply = _get(visit, "/v1/models")
    if not reply.success and reply.status != 404:
        return puzzling(PLATFORM, reply)
    statuses = [_status(model) for model in listed(reply.member("models"))]
    if "active" in statuses:
        return YES
    gone = "has deprecated" if "deprecated" in statuses else "has no"
    return no(f"fal {gone} {visit.call.model}. See https://fal.ai/models/{visit.call.model} and correct models.toml.")


def _status(model: Any) -> Any:
    match model:
        case {"metadata": {"status": status}}:
            return status
    return None


def _get(visit: Visit, path: str) -> Reply:
    address = visit.at(PLATFORM, f"{path}?endpoint_id={quote(visit.call.model, safe='')}")
    return visit.asker.get(address, credential(visit))


def credential(visit: Visit) -> Credential:
    """The token, only for the host to which the route's calls send it."""
    return OWN_TOKEN.credential(visit.call, visit.read_token)


CHECKUP: Checkup = {Question.TOKEN: _stored, Question.ACCEPTED: _accepted, Question.LIVE: _active}
