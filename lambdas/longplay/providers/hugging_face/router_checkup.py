"""The checkup of Hugging Face's router: the permissions of the token, and whether the model is served now.

`whoami-v2` and its fine-grained permissions are those of huggingface_hub 2.4.0 (`hf_api.py`) and hub-docs, read
2026-11. No call shows how much credit an account has left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.credential import Credential
from longplay.providers.findings import YES, Found, Question, no
from longplay.providers.hugging_face.adapter import token_name
from longplay.providers.hugging_face.refusals import PERMISSION_ADVICE
from longplay.providers.visits import Checkup, Reply, Visit, listed, puzzling

HUB = "huggingface.co"

_TOKEN_NAME = "huggingface"  # noqa: S105 - the name it is stored under
_STORE = PERMISSION_ADVICE.format(token=_TOKEN_NAME)


def stored(visit: Visit) -> Found:
    """Whether a token is stored; a server on this machine needs none."""
    return YES if visit.on_this_machine or credential(visit).token else no(f"No token is stored. {_STORE}")


def accepted(visit: Visit) -> Found:
    """Whether Hugging Face accepts the token."""
    reply = whoami(visit)
    if reply.status == 401:
        return no(f"Hugging Face does not accept the token. {_STORE}")
    return YES if reply.success else puzzling(HUB, reply)


def permitted(visit: Visit, permission: str, advice: str) -> Found | None:
    """Whether the token has a permission; classic tokens have it too (hub-docs, security-tokens.md)."""
    match whoami(visit).member("auth", "accessToken"):
        case {"role": "fineGrained", "fineGrained": dict() as granted}:
            return YES if permission in _permissions(granted) else no(advice)
        case {"role": "read" | "write"}:
            return YES
    return None


def whoami(visit: Visit) -> Reply:
    """The account of the token, and its permissions."""
    return visit.asker.get(visit.at(HUB, "/api/whoami-v2"), credential(visit))


def credential(visit: Visit) -> Credential:
    """The token, only for Hugging Face's hosts and for a stand-in on this machine."""
    is_theirs = visit.on_this_machine or token_name(visit.call.url) == _TOKEN_NAME
    return Credential(_TOKEN_NAME, visit.read_token(_TOKEN_NAME) if is_theirs else None)


def _may_call_providers(visit: Visit) -> Found | None:
    return permitted(visit, "inference.serverless.write", f"The token may not call Inference Providers. {_STORE}")


def _permissions(granted: Mapping[str, Any]) -> Iterator[Any]:
    yield from listed(granted.get("global"))
    for scope in listed(granted.get("scoped")):
        yield from listed(scope.get("permissions") if isinstance(scope, Mapping) else None)


def _served(visit: Visit) -> Found:
    """Hugging Face tests every pair of model and provider each few hours, and removes those that fail."""
    try:
        visit.mapping.id_of(visit.call, _partner(visit), credential(visit))
    except ProviderError as error:
        if error.kind is FailureKind.NOT_SERVED:
            return no(f"{error.message} See https://{HUB}/{visit.call.model}.")
        raise
    return YES


def _partner(visit: Visit) -> str:
    """The name in the mapping: `hf-together-video` is `together`."""
    return "hf-inference" if visit.provider == "huggingface" else visit.provider[3:].removesuffix("-video")


CHECKUP: Checkup = {
    Question.TOKEN: stored,
    Question.ACCEPTED: accepted,
    Question.PERMITTED: _may_call_providers,
    Question.LIVE: _served,
}
