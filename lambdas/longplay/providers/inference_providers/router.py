"""Calls to a partner through Hugging Face's router, and what their answers say."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.credential import OwnToken
from longplay.providers.hugging_face.answers import LARGEST_JSON
from longplay.providers.hugging_face.refusals import PERMISSION_ADVICE, explain
from longplay.providers.inference_providers.mapping import ProviderMapping
from longplay.providers.loading import AdapterContext
from longplay.providers.own_api import OwnApi, Reply
from longplay.providers.protocol import Call
from longplay.providers.refusals import LONGEST_TEXT, Refusal, printable, request_id

OWN_TOKEN = OwnToken(name="huggingface", host="router.huggingface.co", advice=PERMISSION_ADVICE)

_SHORTEST = 0.1  # seconds


@dataclass(frozen=True, kw_only=True)
class Router:
    """One partner's part of the router at a call's `url` (`https://router.huggingface.co`)."""

    partner: str
    mapping: ProviderMapping
    api: OwnApi

    def model_of(self, call: Call) -> str:
        """The partner's own id of the call's model; raises ProviderError where it has none."""
        try:
            return self.mapping.id_of(call, self.partner, self.api.token.credential(call, self.api.read_token))
        except ProviderError as error:
            if error.kind is FailureKind.AUTH:
                self.api.forget_tokens()
            raise

    def ask(
        self,
        method: str,
        path: str,
        call: Call,
        *,
        json: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Make one call to the partner's `path`; raises ProviderError where no whole answer of 32 MB came."""
        return self.api.ask(method, f"/{self.partner}{path}", call, json=json, headers=headers)

    def refused(self, reply: Reply) -> ProviderError:
        """The error an answer means, by its status or its text."""
        return self.api.refused(reply)


def router_to(partner: str, context: AdapterContext) -> Router:
    """The router for calls to a partner; all partners share the mapping that was read from the Hub."""
    api = OwnApi(
        token=OWN_TOKEN,
        largest=LARGEST_JSON,
        explain=explain,
        read_token=context.read_token,
        forget_tokens=context.forget_tokens,
    )
    return Router(partner=partner, mapping=context.shared(ProviderMapping), api=api)


def within(call: Call, until: float) -> Call:
    """The call with the time that is left of it; `until` is by `time.monotonic`."""
    return replace(call, timeout=max(until - time.monotonic(), _SHORTEST))


def payload_of(reply: Reply) -> dict[str, Any]:
    """The JSON object in an answer, an empty one where there is none."""
    try:
        payload = msgspec.json.decode(reply.answer.body.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def failure_of(reply: Reply, said: object) -> ProviderError:
    """The error of a generation that was taken on and came to nothing, for the reason `said`."""
    secret = reply.credential.token
    refusal = Refusal(
        status=reply.answer.status,
        said=printable(str(said or "nothing"), secret=secret, longest=LONGEST_TEXT),
        retry_after=None,
        estimated_time=None,
        request_id=request_id(reply.answer, secret=secret),
    )
    error = explain(refusal, reply.call, reply.credential)
    error.charged = Charged.UNKNOWN  # it ran, whatever the text says
    return error
