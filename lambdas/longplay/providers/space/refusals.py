"""The errors of a Gradio app and of the Space it runs in: why, what to do, and that nothing was charged.

The texts are those of ZeroGPU's own code in a Space (`spaces` 0.51.3, `zero/client.py`) and of gradio 6.31.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers import explanations
from longplay.providers.explanations import Explanation, TextRow
from longplay.providers.http_client import server_of
from longplay.providers.protocol import Call
from longplay.providers.refusals import LONGEST_TEXT, Refusal, printable
from longplay.providers.space.stages import BROKEN, WAKING
from longplay.providers.space.token import OWN_TOKEN, STORE_ADVICE

LONGEST_QUOTA_WAIT = 86_400.0  # seconds; a quota is a daily one

_QUOTA = Explanation(
    kind=FailureKind.THROTTLED,
    what="the GPU quota of the token's account is used up",
    advice="Longplay tries again when the Space says so. A token has a larger quota than none, and PRO a larger one.",
)
_NO_GPU = Explanation(kind=FailureKind.THROTTLED, what="no GPU is free at Hugging Face", advice="Longplay tries again.")
_QUEUE_FULL = Explanation(kind=FailureKind.THROTTLED, what="the Space's queue is full", advice="Longplay tries again.")
_TOO_LONG = Explanation(
    kind=FailureKind.BAD_INPUT,
    what="it takes more GPU time than the account may use at once",
    advice="Ask for something shorter or smaller.",
)
_WAKING = Explanation(
    kind=FailureKind.LOADING, what="the Space is starting", advice="Longplay tries again when it should be ready."
)
_HIDDEN = Explanation(
    kind=FailureKind.NOT_SERVED,
    what="there is no such Space, or it is private",
    advice=f"Correct its address in the setting servers. If it is private: {STORE_ADVICE}",
)
_TOKEN_REFUSED = Explanation(kind=FailureKind.AUTH, what="the token was refused", advice=STORE_ADVICE)
_NO_ENDPOINT = Explanation(
    kind=FailureKind.UPSTREAM,
    what="the app failed",
    advice="If it has no such endpoint or parameter, correct the route in models.toml; `make doctor` shows it.",
)
_APP_FAILED = Explanation(kind=FailureKind.UPSTREAM, what="the app failed", advice="See the log of the Space.")

_BY_TEXT: tuple[TextRow, ...] = (
    ((200,), r"illegal duration|larger than the maximum allowed", _TOO_LONG),
    ((200,), r"exceeded your .*\b(quota|runs limit)|reached its gpu limit|too many zerogpu credits", _QUOTA),
    ((200,), r"no gpu (was|is) available", _NO_GPU),
    ((200, 500), r"out of memory|\bcuda\b", explanations.OUT_OF_MEMORY),
    ((200,), r"\bnsfw\b|safety checker|\bmoderation\b|content policy", explanations.MODERATED),
    ((200,), r"server stopped", _WAKING),
    ((503,), r"queue", _QUEUE_FULL),
    ((503,), r"", _WAKING),
)
_BY_STATUS = {
    **explanations.BY_STATUS,
    200: _APP_FAILED,
    401: _TOKEN_REFUSED,
    403: _HIDDEN,
    404: _HIDDEN,
    500: _NO_ENDPOINT,
}
_AGAIN_IN = re.compile(r"\b(?:try again|retry) in (?:(\d{1,2}) days?, )?(\d{1,2}):(\d\d):(\d\d)", re.IGNORECASE)
_BILLED = re.compile(r"; [^;.]*\bbilled\b")


def refused(refusal: Refusal, call: Call, *, stage: str | None = None) -> ProviderError:
    """The error for a request that the app or its Space refused; `stage` is the Space's, None if it is not known."""
    explanation = _by_stage(stage) or explanations.find(refusal, by_text=_BY_TEXT, by_status=_BY_STATUS)
    return explanations.error_for(refusal, explanation, call, token=OWN_TOKEN.name, charged=Charged.NO)


def failed(said: str, call: Call, *, ref: str, secret: str | None) -> ProviderError:
    """The error for a call that the app accepted, and then ended with an error."""
    text = printable(said, secret=secret, longest=LONGEST_TEXT)
    wait = _again_in(text)
    refusal = Refusal(status=200, said=text or _SAYS_NOTHING, retry_after=wait, estimated_time=None, request_id=ref)
    return refused(refusal, call)


def lost(call: Call, ref: str, kind: FailureKind = FailureKind.UPSTREAM) -> ProviderError:
    """The error for a call whose end was not received, and cannot be asked for again."""
    slow = f"it did not end within {call.timeout:g} s"
    why = slow if kind is FailureKind.TIMEOUT else "its connection broke, or the app was restarted"
    return ProviderError(
        kind,
        f"the call to {call.model} at {server_of(call.url)} is lost: {why}. Longplay may make it again. It may have "
        "used GPU quota, and costs no money.",
        request_id=ref,
    )


@contextmanager
def free_of_charge() -> Iterator[None]:
    """Raise a ProviderError from within without a charge: a Space sends no bill for a call."""
    try:
        yield
    except ProviderError as error:
        text = _BILLED.sub("", error.message)
        raise ProviderError(error.kind, text, retry_after=error.retry_after, request_id=error.request_id) from error


_SAYS_NOTHING = "nothing, because it hides its errors (`show_error` shows them)"


def _by_stage(stage: str | None) -> Explanation | None:
    if stage in WAKING:
        return _WAKING
    if state := BROKEN.get(stage or ""):
        return Explanation(kind=FailureKind.NOT_SERVED, what="the Space does not run", advice=f"It {state}.")
    return None


def _again_in(said: str) -> float | None:
    """The wait that the app names, as Python prints a timedelta: `0:12:34`, `1 day, 2:03:04`."""
    found = _AGAIN_IN.search(said)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return min(((days * 24 + hours) * 60 + minutes) * 60.0 + seconds, LONGEST_QUOTA_WAIT)
