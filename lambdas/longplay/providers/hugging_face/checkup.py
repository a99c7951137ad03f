"""The checkup of a route of Hugging Face's contract: its questions depend on the server that answers there."""

from __future__ import annotations

from longplay.providers.findings import Found, Question
from longplay.providers.hugging_face import endpoint_checkup, router_checkup, server_checkup
from longplay.providers.hugging_face.adapter import token_name
from longplay.providers.visits import Check, Checkup, Visit

_ENDPOINTS = ".endpoints.huggingface.cloud"


def checkup_of(visit: Visit) -> Checkup:
    """The checkup for the server of a route: an Inference Endpoint, the router, or any other server."""
    if visit.host.endswith(_ENDPOINTS):
        return endpoint_checkup.CHECKUP
    return router_checkup.CHECKUP if token_name(visit.call.url) == "huggingface" else server_checkup.CHECKUP


def _check(question: Question) -> Check:
    def check(visit: Visit) -> Found | None:
        chosen = checkup_of(visit).get(question)
        return chosen(visit) if chosen else None

    return check


CHECKUP: Checkup = {question: _check(question) for question in router_checkup.CHECKUP}
