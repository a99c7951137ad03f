"""Hugging Face's router: what the token may do, and whether the provider serves the model just now.

`whoami-v2` and its fine-grained permissions are as huggingface_hub 2.4.0 (`hf_api.py`) and hub-docs have them, read
2026-11. No call tells what is left of an account's credits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.checkups.asking import Checkup, Reply, Visit, listed, puzzling
from longplay.providers.checkups.findings import YES, Found, Question, no
from longplay.providers.credential import Credential
from longplay.providers.hugging_face.adapter import token_name
from longplay.providers.hugging_face.refusals import PERMISSION_ADVICE

HUB = "huggingface.co"

_TOKEN_NAME = "huggingface"  # noqa: S105 - what it is stored under
_STORE = PERMISSION_ADVICE.format(token=_TOKEN_NAME)


def stored(visit: Visit) -> Found:
    """Whether there is a token; a server on this machine may want none."""
    return YES if visit.on_this_machine or credential(visit).token else no(f"No token is stored. {_STORE}")


def accepted(visit: Visit) -> Found:
    """Whether Hugging Face knows the token."""
    reply = whoami(visit)
    if reply.status == 401:
        return no(f"Hugging Face refuses the token. {_STORE}")
    return YES if reply.success else puzzling(HUB, reply)


def permitted(visit: Visit, permission: str, advice: str) -> Found | None:
    """Whether the token has a permission; classic tokens are for inference too (hub-docs, security-tokens.md)."""
    match whoami(visit).member("auth", "accessToken"):
        case {"role": "fineGrained", "fineGrained": dict() as granted}:
            return YES if permission in _permissions(granted) else no(advice)
        case {"role": "read" | "write"}:
            return YES
    return None


def whoami(visit: Visit) -> Reply:
    """Whose the token is, and what it may do."""
    return visit.asker.get(visit.at(HUB, "/api/whoami-v2"), credential(visit))


def credential(visit: Visit) -> Credential:
    """The token, where the route's own calls would carry it: to Hugging Face's hosts, or to a stand-in here."""
    theirs = visit.on_this_machine or token_name(visit.call.url) == _TOKEN_NAME
    return Credential(_TOKEN_NAME, visit.read_token(_TOKEN_NAME) if theirs else None)


def _may_call_providers(visit: Visit) -> Found | None:
    return permitted(visit, "inference.serverless.write", f"The token may not call Inference Providers. {_STORE}")


def _permissions(granted: Mapping[str, Any]) -> Iterator[Any]:
    yield from listed(granted.get("global"))
    for scope in listed(granted.get("scoped")):
        yield from listed(scope.get("permissions") if isinstance(scope, Mapping) else None)


def _served(visit: Visit) -> Found:
    """Hugging Face tests each pair of model and provider every few hours, and takes out what fails."""
    try:
        visit.mapping.id_of(visit.call, _partner(visit), credential(visit))
    except ProviderError as error:
        if error.kind is FailureKind.NOT_SERVED:
            return no(f"{error.message} See https://{HUB}/{visit.call.model}.")
        raise
    return YES


def _partner(visit: Visit) -> str:
    """As the mapping names it: `hf-together-video` is Together."""
    return "hf-inference" if visit.provider == "huggingface" else visit.provider[3:].removesuffix("-video")


CHECKUP: Checkup = {
    Question.TOKEN: stored,
    Question.ACCEPTED: accepted,
    Question.PERMITTED: _may_call_providers,
    Question.LIVE: _served,
}
