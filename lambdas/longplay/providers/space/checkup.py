"""The checkup of a Gradio app: the stage of its Space, and whether a running app has the endpoint and its parameters.

A Space that does not run gets no request, because a request would wake it. `GET /gradio_api/info` lists the endpoints
(gradio 6.31). A public Space needs no token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from longplay.providers.findings import YES, Found, Question, no, unknown
from longplay.providers.hugging_face.router_checkup import HUB
from longplay.providers.space.adapter import API
from longplay.providers.space.stages import BROKEN, RUNNING, WAKING, stage_path
from longplay.providers.space.token import OWN_TOKEN, STORE_ADVICE
from longplay.providers.visits import Checkup, Reply, Visit, puzzling


def _accepted(visit: Visit) -> Found | None:
    """Whether Hugging Face accepts the token; no answer without one."""
    credential = OWN_TOKEN.credential(visit.call, visit.read_token)
    if credential.token is None:
        return None
    reply = visit.asker.get(visit.at(HUB, "/api/whoami-v2"), credential)
    if reply.status == 401:
        return no(f"Hugging Face does not accept the token. {STORE_ADVICE}")
    return YES if reply.success else puzzling(HUB, reply)


def _live(visit: Visit) -> Found:
    path = stage_path(visit.call.url)
    if path is None:
        return endpoint(visit)
    reply = visit.asker.get(visit.at(HUB, path), OWN_TOKEN.credential(visit.call, visit.read_token))
    stage = reply.member("runtime", "stage")
    if stage in RUNNING:
        return endpoint(visit)
    return YES if stage in WAKING else _not_running(visit, reply, stage)


def _not_running(visit: Visit, reply: Reply, stage: Any) -> Found:
    if stage in BROKEN:
        return no(f"The Space at {visit.host} {BROKEN[stage]}.")
    if reply.status in (400, 401, 403, 404):
        return no(f"There is no Space at {visit.host}, or it is private. If it is private: {STORE_ADVICE}")
    return puzzling(HUB, reply)


def endpoint(visit: Visit) -> Found:
    """Whether a running app has the endpoint and the parameters of the route."""
    credential = OWN_TOKEN.credential(visit.call, visit.read_token)
    reply = visit.asker.get(visit.call.url.rstrip("/") + f"{API}/info", credential)
    endpoints = reply.member("named_endpoints")
    if not isinstance(endpoints, Mapping):
        return unknown(f"{visit.host} answered {reply.status} to the checkup; it may not be an app with Gradio 6.")
    endpoint = endpoints.get(f"/{visit.call.model}")
    if endpoint is None:
        known = ", ".join(sorted(map(str, endpoints)))
        return no(f"The app at {visit.host} has no endpoint /{visit.call.model}; it has {known}. Correct models.toml.")
    return _parameters(visit, endpoint)


def _parameters(visit: Visit, endpoint: Any) -> Found:
    known = [part.get("parameter_name") for part in endpoint.get("parameters", ())]
    if strange := [name for name in visit.call.inputs if isinstance(visit.call.inputs, Mapping) and name not in known]:
        return no(
            f"The endpoint /{visit.call.model} at {visit.host} has no parameter {', '.join(strange)}; it has "
            f"{', '.join(map(str, known))}. Correct `inputs` in models.toml."
        )
    return YES


CHECKUP: Checkup = {Question.ACCEPTED: _accepted, Question.LIVE: _live}
