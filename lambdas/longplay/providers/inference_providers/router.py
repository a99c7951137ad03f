"""Calls a partner through Hugging Face's router, and reads its answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.credential import OwnToken
from longplay.providers.decoding import decode
from longplay.providers.hugging_face.answers import LARGEST_JSON
from longplay.providers.hugging_face.billing import billing_headers
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
    """One partner at the router in a call's `url` (`https://router.huggingface.co`)."""

    partner: str
    mapping: ProviderMapping
    api: OwnApi
    bill_to: str | None = None

    def model_of(self, call: Call) -> str:
        """The partner's id of the call's model; raises ProviderError if it does not serve the model."""
        try:
            return self.mapping.id_of(call, self.partner, self.api.token.credential(call, self.api.read_token))
        except ProviderError as error:
            if error.kind is FailureKind.AUTH:
                self.api.forget_tokens()
            raise

    def request(
        self,
        method: str,
        path: str,
        call: Call,
        *,
        json: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request to the partner's `path`; raises ProviderError without a complete answer of at most 32 MB."""
        sent = {**(headers or {}), **billing_headers(call.url, self.bill_to)}
        return self.api.request(method, f"/{self.partner}{path}", call, json=json, headers=sent)

    def refused(self, reply: Reply) -> ProviderError:
        """The error for an answer, by its status or its text."""
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
    return Router(partner=partner, mapping=context.shared(ProviderMapping), api=api, bill_to=context.bill_to)


def within(call: Call, until: float) -> Call:
    """The call with the time left until `until` (`time.monotonic`) as its timeout."""
    return replace(call, timeout=max(until - time.monotonic(), _SHORTEST))


def payload_of(reply: Reply) -> dict[str, Any]:
    """The JSON object in an answer, empty if there is none."""
    return decode(reply.answer.body.read_bytes(), dict[str, Any]) or {}


def failure_of(reply: Reply, said: object) -> ProviderError:
    """The error of a generation that was accepted and failed, with the reason `said`."""
    secret = reply.credential.token
    refusal = Refusal(
        status=reply.answer.status,
        said=printable(str(said or "nothing"), secret=secret, longest=LONGEST_TEXT),
        retry_after=None,
        estimated_time=None,
        request_id=request_id(reply.answer, secret=secret),
    )
    error = explain(refusal, reply.call, reply.credential)
    error.charged = Charged.UNKNOWN  # it may have run, even if the text says otherwise
    return error
