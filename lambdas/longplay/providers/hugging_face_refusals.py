"""What each refusal of a server with Hugging Face's contract means, and what to do about it.

By status, but where the text knows better: every fault inside the inference toolkit is a 400, and a gateway
may send an error with status 200.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from longplay.errors import Charged, FailureKind, ProviderError
from longplay.providers.credential import Credential
from longplay.providers.http_client import server_of
from longplay.providers.protocol import Call
from longplay.providers.refusals import Refusal

PERMISSION_ADVICE = (
    "Make a fine-grained token with “Make calls to Inference Providers” at "
    "https://huggingface.co/settings/tokens and store it with `make token PROVIDER={token}`."
)


@dataclass(frozen=True, kw_only=True)
class _Meaning:
    """`advice` may name the {token}."""

    kind: FailureKind
    what: str
    advice: str


_NOT_SERVED = _Meaning(
    kind=FailureKind.NOT_SERVED,
    what="the model is not served there",
    advice="Use another route, an Inference Endpoint or a server of your own.",
)
_OUT_OF_MEMORY = _Meaning(
    kind=FailureKind.OUT_OF_MEMORY,
    what="the server ran out of memory",
    advice="Ask for something shorter or smaller, or give the server a larger GPU.",
)
_MODERATED = _Meaning(
    kind=FailureKind.MODERATED, what="the request was held back by moderation", advice="Change the prompt."
)
_LOADING = _Meaning(
    kind=FailureKind.LOADING, what="the model is loading", advice="It is asked again when it should be ready."
)
_BAD_INPUT = _Meaning(
    kind=FailureKind.BAD_INPUT, what="the request was refused", advice="Change what the server names."
)
_FAILED = _Meaning(kind=FailureKind.UPSTREAM, what="the server failed", advice="The call may have run and been billed.")
_TOKEN_REFUSED = _Meaning(kind=FailureKind.AUTH, what="the token was refused", advice=PERMISSION_ADVICE)
_OWN_TOKEN_REFUSED = _Meaning(
    kind=FailureKind.AUTH,
    what="the token was refused",
    advice="Store the one your server takes with `make token PROVIDER={token}`.",
)
_TOKEN_WANTED = _Meaning(
    kind=FailureKind.AUTH,
    what="no token stored",
    advice="Your server wants one: store it with `make token PROVIDER={token}`.",
)
_NOT_PERMITTED = _Meaning(
    kind=FailureKind.AUTH,
    what="the token was refused",
    advice=f"{PERMISSION_ADVICE} If the model asks for that, accept its licence on its page first.",
)
_NO_CREDITS = _Meaning(
    kind=FailureKind.CREDITS,
    what="the account has no credits left",
    advice="Buy some or subscribe at https://huggingface.co/settings/billing.",
)
_TOO_LARGE = _Meaning(kind=FailureKind.BAD_INPUT, what="the request is too large", advice="Use a smaller input image.")
_TOO_MANY = _Meaning(
    kind=FailureKind.THROTTLED, what="too many requests", advice="It is asked again when the server allows."
)
_UNAVAILABLE = _Meaning(
    kind=FailureKind.UPSTREAM, what="the server is not available", advice="It is asked again later."
)
_MOVED = _Meaning(
    kind=FailureKind.NOT_SERVED,
    what="the server has moved, and redirects are not followed",
    advice="Put its new address into the settings.",
)

_BY_STATUS = {
    401: _TOKEN_REFUSED,
    402: _NO_CREDITS,
    403: _NOT_PERMITTED,
    404: _NOT_SERVED,
    405: _NOT_SERVED,
    406: _NOT_SERVED,
    408: _UNAVAILABLE,
    410: _NOT_SERVED,
    413: _TOO_LARGE,
    429: _TOO_MANY,
    503: _UNAVAILABLE,
}
_BY_CLASS = {3: _MOVED, 4: _BAD_INPUT}
_BY_TEXT: tuple[tuple[frozenset[int], re.Pattern[str], _Meaning], ...] = tuple(
    (frozenset(statuses), re.compile(pattern, re.IGNORECASE), meaning)
    for statuses, pattern, meaning in (
        ({200, 400, 422}, r"model not supported|not supported by provider|no longer supported", _NOT_SERVED),
        ({200, 400, 422, 500}, r"out of memory|\bcuda\b", _OUT_OF_MEMORY),
        ({200, 400, 422}, r"\bnsfw\b|safety checker|\bmoderation\b|content policy", _MODERATED),
        ({503}, r"\b(loading|starting|initiali[sz]ing|warming|waking|scaling)\b", _LOADING),
    )
)
_OWN = "self_hosted"


def explain(refusal: Refusal, call: Call, credential: Credential) -> ProviderError:
    """The error a refusal means; its message names model and server and says what to do."""
    meaning = _meaning(refusal, call, credential)
    text = (
        f"{meaning.what}: {server_of(call.url)} answered {refusal.status} for {call.model}. "
        f"{meaning.advice.format(token=credential.name)}"
    )
    return ProviderError(
        meaning.kind,
        f"{text} The server said: {refusal.said}" if refusal.said else text,
        charged=_charged(meaning.kind, refusal.status),
        retry_after=_wait(meaning.kind, refusal),
        request_id=refusal.request_id,
    )


def _meaning(refusal: Refusal, call: Call, credential: Credential) -> _Meaning:
    if credential.name == _OWN and refusal.status in (401, 403):
        return _OWN_TOKEN_REFUSED if credential.token else _TOKEN_WANTED
    if refusal.status in (200, 503) and _is_loading(refusal, server_of(call.url)):
        return _LOADING
    default = _BY_STATUS.get(refusal.status) or _BY_CLASS.get(refusal.status // 100, _FAILED)
    return next(_told(refusal), default)


def _is_loading(refusal: Refusal, host: str) -> bool:
    """An Inference Endpoint that has scaled to zero answers any 503 while its first replica starts."""
    waking = refusal.status == 503 and host.endswith(".endpoints.huggingface.cloud")
    return waking or refusal.estimated_time is not None


def _told(refusal: Refusal) -> Iterator[_Meaning]:
    return (
        meaning
        for statuses, pattern, meaning in _BY_TEXT
        if refusal.status in statuses and pattern.search(refusal.said)
    )


def _charged(kind: FailureKind, status: int) -> Charged:
    """A refusal costs nothing, but a fault may have come after the work."""
    if kind in (FailureKind.LOADING, FailureKind.NOT_SERVED) or 300 <= status < 500 or status == 503:
        return Charged.NO
    return Charged.UNKNOWN


def _wait(kind: FailureKind, refusal: Refusal) -> float | None:
    if refusal.retry_after is None and kind is FailureKind.LOADING:
        return refusal.estimated_time
    return refusal.retry_after
