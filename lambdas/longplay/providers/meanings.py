"""What a provider's refusal means to us: which failure it is, what it cost, and what a person can do about it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.http_client import server_of
from longplay.providers.protocol import Call
from longplay.providers.refusals import Refusal


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """`advice` may name the {token}."""

    kind: FailureKind
    what: str
    advice: str


NOT_SERVED = Meaning(
    kind=FailureKind.NOT_SERVED,
    what="the model is not served there",
    advice="Use another route, an Inference Endpoint or a server of your own.",
)
OUT_OF_MEMORY = Meaning(
    kind=FailureKind.OUT_OF_MEMORY,
    what="the server ran out of memory",
    advice="Ask for something shorter or smaller, or give the server a larger GPU.",
)
MODERATED = Meaning(
    kind=FailureKind.MODERATED, what="the request was held back by moderation", advice="Change the prompt."
)
BAD_INPUT = Meaning(kind=FailureKind.BAD_INPUT, what="the request was refused", advice="Change what the server names.")
FAILED = Meaning(kind=FailureKind.UPSTREAM, what="the server failed", advice="The call may have run and been billed.")
TOO_LARGE = Meaning(kind=FailureKind.BAD_INPUT, what="the request is too large", advice="Use a smaller input image.")
TOO_MANY = Meaning(
    kind=FailureKind.THROTTLED, what="too many requests", advice="It is asked again when the server allows."
)
UNAVAILABLE = Meaning(kind=FailureKind.UPSTREAM, what="the server is not available", advice="It is asked again later.")
MOVED = Meaning(
    kind=FailureKind.NOT_SERVED,
    what="the server has moved, and redirects are not followed",
    advice="Put its new address into the settings.",
)

BY_STATUS = {
    404: NOT_SERVED,
    405: NOT_SERVED,
    406: NOT_SERVED,
    408: UNAVAILABLE,
    410: NOT_SERVED,
    413: TOO_LARGE,
    429: TOO_MANY,
    503: UNAVAILABLE,
}
"""What holds for every provider; each adds what its own statuses mean."""

_BY_CLASS = {3: MOVED, 4: BAD_INPUT}

TextRow: TypeAlias = tuple[Collection[int], str, Meaning]


def by_text(refusal: Refusal, rows: Iterable[TextRow]) -> Meaning | None:
    """The meaning of the first row that has the status and whose pattern is in the text."""
    return next(
        (
            meaning
            for statuses, pattern, meaning in rows
            if refusal.status in statuses and re.search(pattern, refusal.said, re.IGNORECASE)
        ),
        None,
    )


def by_class(status: int) -> Meaning:
    """What a status means that no table names."""
    return _BY_CLASS.get(status // 100, FAILED)


def explain(
    refusal: Refusal, meaning: Meaning, call: Call, *, token: str, charged: Charged | None = None
) -> ProviderError:
    """The error a refusal means; its message names model and server and says what to do.

    `charged` is what it cost, where the provider says; None: what holds for most.
    """
    text = (
        f"{meaning.what}: {server_of(call.url)} answered {refusal.status} for {call.model}. "
        f"{meaning.advice.format(token=token)}"
    )
    return ProviderError(
        meaning.kind,
        f"{text} The server said: {refusal.said}" if refusal.said else text,
        charged=charged or _charged(meaning.kind, refusal.status),
        retry_after=_wait(meaning.kind, refusal),
        request_id=refusal.request_id,
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
