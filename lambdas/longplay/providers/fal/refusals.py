"""Explanations of fal's refusals and failures, with their cost.

fal never bills its own faults (5xx), but may bill a refused input if a GPU had started on it
(fal.ai/docs/documentation/model-apis/faq, read 2026-11). An account without credit is “locked”: 403, not 402
(github.com/fal-ai/fal issues 1112 and 1147, 2026-07).
"""

from __future__ import annotations

from longplay.domain.errors import Case, Charged, FailureKind, ProviderError
from longplay.providers import explanations
from longplay.providers.credential import Credential
from longplay.providers.explanations import Explanation, TextRow
from longplay.providers.fal.queue import Progress
from longplay.providers.http_client import Answer
from longplay.providers.own_api import NOT_FOUND
from longplay.providers.protocol import Call
from longplay.providers.refusals import LONGEST_TEXT, Refusal, printable, read_refusal

STORE_ADVICE = "Create one at https://fal.ai/dashboard/keys and store it with `make token PROVIDER={token}`."

_TOKEN_REFUSED = Explanation(kind=FailureKind.AUTH, what="the token was refused", advice=STORE_ADVICE)
_LOCKED = Explanation(
    kind=FailureKind.AUTH, what="the account is locked", advice="Ask support@fal.ai why it was locked."
)
_NO_CREDIT = Explanation(
    kind=FailureKind.CREDITS,
    what="the account has no credit left",
    advice="Buy some at https://fal.ai/dashboard/billing.",
)
_NO_SUCH_MODEL = Explanation(
    kind=FailureKind.NOT_SERVED,
    what="the endpoint does not exist",
    advice="Copy its current id from the model's page into models.toml.",
)
_FAULT = Explanation(
    kind=FailureKind.UPSTREAM,
    what="the generation failed",
    advice="fal does not bill its own faults. It may succeed if tried again.",
)
_CANCELED = Explanation(
    kind=FailureKind.UPSTREAM,
    what="the generation was canceled at fal after it was sent",
    advice="It may have been billed for the time it ran.",
    case=Case.CANCELED,
)
_REFUSED_INPUT = Explanation(
    kind=FailureKind.BAD_INPUT,
    what="the model refused the request",
    advice="Change what it complains about. fal may bill a refused request if a GPU had started on it.",
)

_BY_STATUS = {
    **explanations.BY_STATUS,
    401: _TOKEN_REFUSED,
    402: _NO_CREDIT,
    403: explanations.NOT_PERMITTED,
    404: _NO_SUCH_MODEL,
    405: _NO_SUCH_MODEL,
}
_UNSAFE = r"flagged by a content checker|content policy|\bnsfw\b|\bsensitive\b|\bmoderation\b"
_MODERATED: TextRow = ((400, 422), _UNSAFE, explanations.MODERATED)
_BY_TEXT: tuple[TextRow, ...] = (
    ((403,), r"exhausted balance|top[_ -]?up", _NO_CREDIT),
    ((403,), r"user is locked", _LOCKED),
    _MODERATED,
)

_END_BY_STATUS = {404: _NO_SUCH_MODEL, 405: _NO_SUCH_MODEL, 499: _CANCELED}
_END_BY_TEXT: tuple[TextRow, ...] = (_MODERATED, *explanations.faults_of_a_model(400, 422, 500))
_STATUS_OF_TYPE = {
    "request_timeout": 504,
    "startup_timeout": 504,
    "runner_scheduling_failure": 503,
    "runner_connection_timeout": 503,
    "runner_disconnected": 503,
    "runner_connection_refused": 503,
    "runner_connection_error": 503,
    "runner_incomplete_response": 502,
    "runner_server_error": 500,
    "internal_error": 500,
    "client_disconnected": 499,
    "client_cancelled": 499,
    "bad_request": 400,
}  # fal.ai/docs/documentation/model-apis/request-errors, read 2026-11
_NOT_THE_MODELS = (401, 403, 408, 429)
_MARKS = ("x-fal-error-type", "x-fal-retryable")


def explain(refusal: Refusal, call: Call, credential: Credential) -> ProviderError:
    """The error for a refused request; its message names the model and the server and says what to do."""
    found = explanations.find(refusal, by_text=_BY_TEXT, by_status=_BY_STATUS)
    return explanations.error_for(refusal, found, call, token=credential.name)


def is_the_models(answer: Answer, progress: Progress) -> bool:
    """Whether a refusal is the model's own result, and not a refusal of our request for the result.

    If fal's gateway fails, no header marks the answer, and the result may still be available. If the result is gone,
    fal's 404 has no detail, while an app's 404 has one. A status that could also refuse our request (403, 408, 429)
    is the model's only if both the request's status and a header say so; a 401 never is.
    """
    marks = any(mark in answer.headers for mark in _MARKS)
    if answer.status in _NOT_THE_MODELS:
        return answer.status != 401 and marks and progress.error is not None
    if answer.status < 400:
        return False
    if answer.status in NOT_FOUND:
        return read_refusal(answer, secret=None).said != ""
    return marks or progress.error is not None or answer.status < 500


def generation_error(refusal: Refusal, call: Call, credential: Credential) -> ProviderError:
    """The error of a generation that ended with a refusal."""
    status = refusal.status
    default = _FAULT if status >= 500 else _REFUSED_INPUT
    found = explanations.match_text(refusal, _END_BY_TEXT) or _END_BY_STATUS.get(status) or default
    free = status >= 500 or found.kind is FailureKind.NOT_SERVED
    charged = Charged.NO if free else Charged.UNKNOWN
    return explanations.error_for(refusal, found, call, token=credential.name, charged=charged)


def refusal_in(progress: Progress, *, request_id: str, secret: str | None) -> Refusal | None:
    """The failure in a completed request's status; None if only its result has it."""
    status = _STATUS_OF_TYPE.get(str(progress.error_type))
    if status is None:
        return None
    said = printable(str(progress.error or progress.error_type), secret=secret, longest=LONGEST_TEXT)
    return Refusal(status=status, said=said, retry_after=None, estimated_time=None, request_id=request_id)


def result_unavailable(request_id: str, call: Call, why: str, *, charged: Charged = Charged.UNKNOWN) -> ProviderError:
    """The error of a request whose result is no longer available."""
    what = f"the result of request {request_id} by {call.model} is not available: {why}. Submit the request again."
    return ProviderError(FailureKind.UPSTREAM, what, charged=charged, request_id=request_id, case=Case.EXPIRED)
