"""Turns a provider's refusal into an error: the kind of failure, what it cost, and what a person can do."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from longplay.domain.errors import Case, Charged, FailureKind, ProviderError
from longplay.providers.http_client import server_of
from longplay.providers.protocol import Call
from longplay.providers.refusals import Refusal, for_callers


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The kind of failure, what happened, and advice for the operator; {token} in it is the stored token's name.

    Callers read the text of the `case` or the kind in domain/caller_texts.py.
    """

    kind: FailureKind
    what: str
    advice: str
    case: Case | None = None


NOT_SERVED = Explanation(
    kind=FailureKind.NOT_SERVED,
    what="the model is not served there",
    advice="Use another route, an Inference Endpoint or a self-hosted server.",
)
NOT_PERMITTED = Explanation(
    kind=FailureKind.FORBIDDEN,
    what="the token does not permit this",
    advice="Use a token of an account that may run the model, and store it with `make token PROVIDER={token}`.",
)
OUT_OF_MEMORY = Explanation(
    kind=FailureKind.OUT_OF_MEMORY,
    what="the server ran out of memory",
    advice="Ask for something shorter or smaller, or give the server a larger GPU.",
)
MODERATED = Explanation(kind=FailureKind.MODERATED, what="moderation blocked the request", advice="Change the prompt.")
BAD_INPUT = Explanation(
    kind=FailureKind.BAD_INPUT, what="the request was refused", advice="Change what the server complains about."
)
FAILED = Explanation(
    kind=FailureKind.UPSTREAM, what="the server failed", advice="The call may have run and been billed."
)
TOO_LARGE = Explanation(
    kind=FailureKind.BAD_INPUT,
    what="the request is too large",
    advice="The server's limit may be raised; else only a shorter prompt or a smaller image helps.",
    case=Case.LARGE_REQUEST,
)
BUSY = Explanation(
    kind=FailureKind.UPSTREAM,
    what="the server cannot take this now",
    advice="Longplay tries again soon.",
    case=Case.BUSY,
)
GPU_FAILED = Explanation(
    kind=FailureKind.UPSTREAM,
    what="the server's GPU or its software failed",
    advice="Look at the server's log; it may have to be started again.",
    case=Case.GPU_FAILED,
)
NAN = Explanation(
    kind=FailureKind.UPSTREAM,
    what="the model produced NaN (not a number) instead of a result",
    advice="Its precision (float16) may be too low, or a parameter such as guidance_scale too high.",
    case=Case.NAN,
)
TOO_MANY = Explanation(
    kind=FailureKind.THROTTLED, what="too many requests", advice="Longplay tries again when the server allows it."
)
UNAVAILABLE = Explanation(
    kind=FailureKind.UPSTREAM, what="the server is not available", advice="Longplay tries again later."
)
MOVED = Explanation(
    kind=FailureKind.NOT_SERVED,
    what="the server has moved, and redirects are not followed",
    advice="Put its new address into the settings.",
)

BY_STATUS = {
    404: NOT_SERVED,
    405: NOT_SERVED,
    406: NOT_SERVED,
    408: UNAVAILABLE,
    409: BUSY,
    410: NOT_SERVED,
    413: TOO_LARGE,
    425: BUSY,
    429: TOO_MANY,
    503: UNAVAILABLE,
}
"""Common to all providers; each adds its own statuses."""

_BY_CLASS = {3: MOVED, 4: BAD_INPUT}

TextRow: TypeAlias = tuple[Collection[int], str, Explanation]
"""Statuses, a pattern that the text must contain, and the explanation then."""

NO_MEMORY = r"out of memory|outofmemory|not enough memory|can't allocate memory|_alloc_failed"

FAULTS_OF_A_MODEL: tuple[tuple[str, Explanation], ...] = (
    (NO_MEMORY, OUT_OF_MEMORY),
    (r"contains (either )?`?inf`?, `?nan|\bnan\b.*\b(tensor|loss|output)|(tensor|output).*\bnans?\b", NAN),
    (r"\bcuda\b|\bcublas|\bcudnn\b|device-side assert|\bnvidia\b|\bhip error\b", GPU_FAILED),
)
"""What PyTorch writes when a model fails; the first pattern that fits counts."""


def faults_of_a_model(*statuses: int) -> tuple[TextRow, ...]:
    """The rows for these statuses; a server may send any of them for a fault of its model."""
    return tuple((statuses, pattern, explanation) for pattern, explanation in FAULTS_OF_A_MODEL)


def find(
    refusal: Refusal, *, by_text: Iterable[TextRow] = (), by_status: Mapping[int, Explanation] = BY_STATUS
) -> Explanation:
    """The explanation of a refusal: by its text, else by its status, else by the class of its status."""
    return match_text(refusal, by_text) or by_status.get(refusal.status) or _by_class(refusal.status)


def match_text(refusal: Refusal, rows: Iterable[TextRow]) -> Explanation | None:
    """The explanation of the first row with the refusal's status and a pattern that is in its text."""
    return next(
        (
            explanation
            for statuses, pattern, explanation in rows
            if refusal.status in statuses and re.search(pattern, refusal.said, re.IGNORECASE)
        ),
        None,
    )


def error_for(
    refusal: Refusal, explanation: Explanation, call: Call, *, token: str, charged: Charged | None = None
) -> ProviderError:
    """The error for a refusal; its message names the model and the server and says what to do.

    `charged` is what the call cost, if the provider says so; with None it is derived from the failure.
    """
    text = (
        f"{explanation.what}: {_asked(call)} answered {refusal.status} for {call.model}. "
        f"{explanation.advice.format(token=token)}"
    )
    return ProviderError(
        explanation.kind,
        f"{text} The server said: {refusal.said}" if refusal.said else text,
        charged=charged or _charged(explanation.kind, refusal.status),
        retry_after=_wait(explanation.kind, refusal),
        request_id=refusal.request_id,
        case=explanation.case,
        detail=for_callers(refusal.said),
    )


def _asked(call: Call) -> str:
    """The address that was asked, without the parts that may have a secret; raises ProviderError if it is unusable."""
    return server_of(call.url) + urlsplit(call.url).path.rstrip("/")


def _by_class(status: int) -> Explanation:
    return _BY_CLASS.get(status // 100, FAILED)


def _charged(kind: FailureKind, status: int) -> Charged:
    """A refusal costs nothing. A server error may come after the work is done."""
    if kind in (FailureKind.LOADING, FailureKind.NOT_SERVED) or 300 <= status < 500 or status == 503:
        return Charged.NO
    return Charged.UNKNOWN


def _wait(kind: FailureKind, refusal: Refusal) -> float | None:
    if refusal.retry_after is None and kind is FailureKind.LOADING:
        return refusal.estimated_time
    return refusal.retry_after
