"""The texts that callers read about failed calls: what happened, what it cost, and what they can do.

No text names a server, an address, an account or a command. Those are in the error's `message`, which operators find in
the generator's log, in `make doctor` and in the alarms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from longplay.domain.batches import Reason
from longplay.domain.errors import Case, Charged, FailureKind, ProviderError


@dataclass(frozen=True)
class Text:
    """A failure or a refusal in a sentence (`{detail}` is in the model's words), and the advice for its caller."""

    what: str
    advice: str


_RETRY = "Retry the job."
_LATER = "Retry the job later."
_REPEATED = "Retry the job. If it fails again, choose another model, or tell the operator."
_ACCESS = Text(
    "The provider refuses this deployment's access.",
    "The operator has to renew it. Retry the job after that, or choose another model.",
)

TEXTS: Mapping[FailureKind | Case, Text] = {
    FailureKind.THROTTLED: Text("The provider takes no more requests for now.", _LATER),
    FailureKind.LOADING: Text("The model is loading.", _LATER),
    FailureKind.UPSTREAM: Text("The provider failed to make the result.", _REPEATED),
    FailureKind.TIMEOUT: Text("The provider did not finish in time.", "Retry the job, or ask for something smaller."),
    FailureKind.UNREACHABLE: Text("The provider could not be reached.", _LATER),
    FailureKind.OUT_OF_MEMORY: Text("The model ran out of memory.", "Ask for something shorter or smaller."),
    FailureKind.NOT_SERVED: Text(
        "The model is not served now.", "Choose another model (`GET /models`), or ask the operator to set this one up."
    ),
    FailureKind.BAD_INPUT: Text("The model refused the request: {detail}", "Change what it complains about."),
    FailureKind.MODERATED: Text("Moderation blocked the request.", "Change the prompt."),
    FailureKind.BAD_OUTPUT: Text("The model's answer cannot be used: {detail}", _REPEATED),
    FailureKind.NOT_STORED: Text(
        "The result was made, but could not be stored.",
        "Tell the operator, then retry the job. A retry is charged again.",
    ),
    FailureKind.REFUSED: Text(
        "The model's server refuses this request.", "Change the prompt, choose another model, or tell the operator."
    ),
    FailureKind.NO_TOKEN: _ACCESS,
    FailureKind.AUTH: _ACCESS,
    FailureKind.FORBIDDEN: _ACCESS,
    FailureKind.CREDITS: _ACCESS,
    Case.NAN: Text(
        "The model produced NaN (not a number) instead of a result.",
        "Retry the job, with another seed or a smaller guidance_scale if the model takes them.",
    ),
    Case.GPU_FAILED: Text("The GPU of the model's server failed.", _REPEATED),
    Case.BUSY: Text("The model's server could not take the request.", _LATER),
    Case.LARGE_REQUEST: Text("The request is too large for the model.", "Send a shorter prompt, or a smaller image."),
    Case.LARGE_RESULT: Text("The result is too large.", "Ask for something shorter or smaller."),
    Case.EXPIRED: Text("The provider no longer has the result.", "Submit the request again."),
    Case.CANCELED: Text("The generation was canceled at the provider.", _RETRY),
    Case.UNEXPECTED: Text("The answer could not be read.", "Tell the operator, then retry the job."),
}

COSTS: Mapping[Charged, str] = {
    Charged.NO: "It cost nothing.",
    Charged.YES: "It was charged.",
    Charged.UNKNOWN: "It may have been charged.",
}

BATCH_TEXTS: Mapping[Reason, str] = {
    Reason.LETTING_IN: "Lines are let in as jobs.",
    Reason.LINE_TOO_LONG: "The line of jobs is long, and the next one is let in when it is shorter.",
    Reason.OPEN_JOBS: "As many of your jobs are open as may be, and the next line is let in when one ends.",
    Reason.BUDGET: "A daily cap leaves no room for the next line; it waits for room, or for midnight (UTC).",
    Reason.PAUSED: "The operator has paused new jobs; the next line is let in after that.",
    Reason.SERVICE_BUSY: "The service is busy; the next line is let in when it is not.",
    Reason.GENERATING: "No more lines are let in; the batch is over when the last job is.",
}
LINES_EXPIRE = (
    "About {lines:,} of the lines that wait will expire, uncharged, since the deadline comes before their turn."
)

_WAITS = "The job waits and tries again by itself."
_CALLS_BACK = "The job waits, because the provider may still report a result."
_ASKS_AGAIN = "The provider could not be asked for the result. The job waits and asks again by itself."
_NO_DETAIL = "it gave no reason"


def failure_text(error: ProviderError, charged: Charged) -> str:
    """The message of a job that failed of this error and has cost this."""
    return f"{_what(error)} {COSTS[charged]} {_text(error).advice}"


def wait_text(error: ProviderError) -> str:
    """The reason of a job that waits after this error."""
    return f"{_what(error)} {COSTS[error.charged]} {_WAITS}"


def poll_text(error: ProviderError) -> str:
    """The reason of a job whose provider could not be asked for the result; a poll costs nothing in any case."""
    refused = f"{_ACCESS.what} The operator has to renew it. " if TEXTS[error.kind] is _ACCESS else ""
    return f"{refused}{_ASKS_AGAIN}"


def grace_text(error: ProviderError) -> str:
    """The reason of a job whose answer was lost, while its provider may still call back."""
    return f"{_what(error)} {COSTS[error.charged]} {_CALLS_BACK}"


REFUSED_ACCESS = f"{_ACCESS.what} The operator has to renew it. {_WAITS}"
"""The reason of a job that waits because another call of its account was refused."""

AWS_BUSY = f"Longplay could not reach its own storage. Nothing was sent, and it cost nothing. {_WAITS}"
NO_ROOM = f"Longplay has no room for a result at the moment. Nothing was sent, and it cost nothing. {_WAITS}"
NO_ROOM_YET = "Longplay has no room for the result at the moment. It is fetched a little later."
NOT_YET_STORED = "The result is made, and could not be stored yet. It is fetched again."
NO_MORE_CALLS = "The outcome of the last call is unknown, and `max_charges` allows no other. Retry the job."


def _text(error: ProviderError) -> Text:
    return TEXTS[error.case or error.kind]


def _what(error: ProviderError) -> str:
    detail = (error.detail or _NO_DETAIL).rstrip(".")
    return _text(error).what.replace("{detail}", f"{detail}.")
