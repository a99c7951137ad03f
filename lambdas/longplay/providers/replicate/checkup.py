"""The checkup of Replicate: whether it accepts the token, and whether it has the model or version.

`GET /v1/account` and `GET /v1/models/{owner}/{name}[/versions/{id}]` (replicate.com/docs/reference/http, and the
vendor's Python client 1.0.7). Tokens have no scopes. No call shows whether the account has credit.
"""

from __future__ import annotations

from longplay.providers.credential import Credential
from longplay.providers.findings import YES, Found, Question, no
from longplay.providers.replicate.adapter import OWN_TOKEN
from longplay.providers.replicate.refusals import STORE_ADVICE
from longplay.providers.visits import Checkup, Reply, Visit, puzzling

_STORE = STORE_ADVICE.format(token=OWN_TOKEN.name)


def _stored(visit: Visit) -> Found:
    credential(visit)
    return YES


def _accepted(visit: Visit) -> Found:
    reply = _get(visit, "/v1/account")
    if reply.status == 401:
        return no(f"Replicate does not accept the token. {_STORE}")
    return YES if reply.success else puzzling(OWN_TOKEN.host, reply)


def _live(visit: Visit) -> Found:
    name, _, version = visit.call.model.partition(":")
    reply = _get(visit, f"/v1/models/{name}/versions/{version}" if version else f"/v1/models/{name}")
    if reply.status == 404:
        return no(f"Replicate has no {visit.call.model}. See https://replicate.com/{name} and correct models.toml.")
    return YES if reply.success else puzzling(OWN_TOKEN.host, reply)


def _get(visit: Visit, path: str) -> Reply:
    return visit.asker.get(visit.at(OWN_TOKEN.host, path), credential(visit))


def credential(visit: Visit) -> Credential:
    """The token, only for the host to which the route's calls send it."""
    return OWN_TOKEN.credential(visit.call, visit.read_token)


CHECKUP: Checkup = {Question.TOKEN: _stored, Question.ACCEPTED: _accepted, Question.LIVE: _live}
