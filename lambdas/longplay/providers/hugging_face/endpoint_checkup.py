"""The checkup of an Inference Endpoint: its state in the account's list. The endpoint itself gets no request.

Any request would start a sleeping endpoint, which is then billed. List and states are those of huggingface_hub 2.4.0
(`list_inference_endpoints`, `InferenceEndpointStatus`, read 2026-11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit

from longplay.providers.findings import YES, Found, Question, no, unknown
from longplay.providers.hugging_face.router_checkup import accepted, credential, permitted, stored, whoami
from longplay.providers.visits import Checkup, Visit, listed

API = "api.endpoints.huggingface.cloud"
CONSOLE = "https://endpoints.huggingface.co"
MOST_NAMESPACES = 20  # the account and its organizations

_PERMISSION_ADVICE = (
    "The token may not call Inference Endpoints. Give it “Make calls to your Inference Endpoints” at "
    "https://huggingface.co/settings/tokens."
)
_DOWN = ("paused", "failed", "updateFailed")


def _may_call_endpoints(visit: Visit) -> Found | None:
    return permitted(visit, "inference.endpoints.infer.write", _PERMISSION_ADVICE)


def _not_down(visit: Visit) -> Found:
    """Whether it is up; a sleeping or starting endpoint counts as up, because it will answer."""
    host = visit.host
    status = next((status for status in _statuses(visit) if _host_of(status.get("url")) == host), None)
    if status is None:
        return unknown(f"The token's account has no endpoint at {host}; another account may have it. See {CONSOLE}.")
    if status.get("state") in _DOWN:
        return no(f"The endpoint at {host} is {status['state']}: resume or repair it at {CONSOLE}.")
    return YES


def _host_of(url: object) -> str:
    with suppress(ValueError):
        return urlsplit(str(url)).netloc
    return ""


def _statuses(visit: Visit) -> Iterator[Mapping[str, Any]]:
    for namespace in _namespaces(visit):
        reply = visit.asker.get(visit.at(API, f"/v2/endpoint/{quote(namespace, safe='')}"), credential(visit))
        for endpoint in listed(reply.member("items")):
            if isinstance(endpoint, Mapping) and isinstance(endpoint.get("status"), Mapping):
                yield endpoint["status"]


def _namespaces(visit: Visit) -> list[str]:
    me = whoami(visit)
    orgs = [org.get("name") for org in listed(me.member("orgs")) if isinstance(org, Mapping)]
    return [name for name in (me.member("name"), *orgs) if isinstance(name, str)][:MOST_NAMESPACES]


CHECKUP: Checkup = {
    Question.TOKEN: stored,
    Question.ACCEPTED: accepted,
    Question.PERMITTED: _may_call_endpoints,
    Question.LIVE: _not_down,
}
