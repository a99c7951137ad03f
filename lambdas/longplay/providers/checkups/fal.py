"""fal: its platform API tells a good key from a bad one, and which endpoints are active.

`GET https://api.fal.ai/v1/models/pricing` wants a key and costs nothing; `GET https://api.fal.ai/v1/models` finds an
endpoint with its status (docs.fal.ai/platform-apis/v1/models and …/pricing, read 2026-11). No call tells whether the
account has credit.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from longplay.providers.checkups.asking import Checkup, Reply, Visit, listed, puzzling
from longplay.providers.checkups.findings import YES, Found, Question, no
from longplay.providers.credential import Credential
from longplay.providers.fal.adapter import OWN_TOKEN
from longplay.providers.fal.refusals import STORE_ADVICE

PLATFORM = "api.fal.ai"

_STORE = STORE_ADVICE.format(token=OWN_TOKEN.name)


def _stored(visit: Visit) -> Found:
    credential(visit)
    return YES


def _accepted(visit: Visit) -> Found:
    """An endpoint whose price is unknown is a 404 to a good key."""
    reply = _get(visit, "/v1/models/pricing")
    if reply.status in (401, 403):
        return no(f"fal refuses the key. {_STORE}")
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
    """The token, where the route's own calls would carry it."""
    return OWN_TOKEN.credential(visit.call, visit.read_token)


CHECKUP: Checkup = {Question.TOKEN: _stored, Question.ACCEPTED: _accepted, Question.LIVE: _active}
