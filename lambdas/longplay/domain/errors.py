"""The errors Longplay raises; each says what happened, what it cost and what to do next.

LongplayError
├── Problem                 an answer to a caller (RFC 9457): what happened, what it cost, what to do next
│   ├── InvalidRequest      400: a member of the body is not valid
│   ├── JobNotFound         404: unknown, or another owner's
│   └── …                   one class per error code, below
└── ProviderError           a provider refused, failed or did not answer; `kind` says why
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec


class Charged(StrEnum):
    """Whether a call cost the operator money: yes, no, or unknown."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, _value: object) -> Charged:
        """A later version's word."""
        return cls.UNKNOWN


class FailureKind(StrEnum):
    """Why a provider call failed. The engine chooses the next step by it (see `lambdas/longplay/domain/retry.py`)."""

    THROTTLED = "throttled"
    LOADING = "loading"
    UPSTREAM = "upstream"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    OUT_OF_MEMORY = "out_of_memory"
    NOT_SERVED = "not_served"
    BAD_INPUT = "bad_input"
    MODERATED = "moderated"
    BAD_OUTPUT = "bad_output"
    NOT_STORED = "not_stored"
    NO_TOKEN = "no_token"  # noqa: S105 - a kind of failure, not a password
    AUTH = "auth"
    FORBIDDEN = "forbidden"
    CREDITS = "credits"
    REFUSED = "refused"  # 401, 402 or 403 to a call that carried no token


class Case(StrEnum):
    """A failure with a separate text for callers; all others have that of their kind."""

    NAN = "nan"
    GPU_FAILED = "gpu_failed"
    BUSY = "busy"
    LARGE_REQUEST = "large_request"
    LARGE_RESULT = "large_result"
    EXPIRED = "expired"
    CANCELED = "canceled"
    UNEXPECTED = "unexpected"


class LongplayError(Exception):
    """Base class of all errors that Longplay raises."""


class ProviderError(LongplayError):
    """A provider call failed.

    `message` is for the operator: what happened, where, and what to do next. It never contains a token. Callers read
    the text of the `case`, or of the kind, in domain/caller_texts.py; `detail` is what the model itself complains
    about. `retry_after` is in seconds from the response, None if the provider did not say.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        charged: Charged = Charged.NO,
        retry_after: float | None = None,
        request_id: str | None = None,
        case: Case | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.charged = charged
        self.retry_after = retry_after
        self.request_id = request_id
        self.case = case
        self.detail = detail


class Problem(LongplayError):
    """An error response to a caller (RFC 9457 problem details). `extra` adds members to the document."""

    status: int
    code: str
    title: str
    retryable = False

    def __init__(self, detail: str, *, retry_after: int | None = None, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after
        self.extra = extra


class InvalidRequest(Problem):
    """A member of the body is not valid; no job was created.

    `why` is the fault in a word, and `bounds` are those of the member, in the words of JSON Schema. `errors` are the
    faults in RFC 9457's form, if there are others than this one.
    """

    status, code, title = 400, "invalid_request", "The request is not valid"

    def __init__(
        self,
        field: str,
        detail: str,
        *,
        why: str = "invalid",
        errors: Sequence[Mapping[str, Any]] = (),
        **bounds: float | None,
    ) -> None:
        known = {name: bound for name, bound in bounds.items() if bound is not None}
        self.field = field
        self.errors = errors or [{"pointer": _pointer(field), "code": why, "detail": detail, **known}]
        super().__init__(detail, field=field, errors=self.errors)


class InvalidParameter(Problem):
    """A parameter of the query, or a header, is not valid; no job was created."""

    status, code, title = InvalidRequest.status, InvalidRequest.code, InvalidRequest.title

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail, field=field)


def _pointer(field: str) -> str:
    """The JSON pointer to a member of the body (RFC 6901), in the notation of a URI's fragment; `body` is the whole."""
    return "#" if field == "body" else f"#/{field.replace('~', '~0').replace('/', '~1')}"


class TooLarge(Problem):
    """The body is too large; no job was created."""

    status, code, title = 413, "too_large", "The request is too large"


class PathNotFound(Problem):
    """No use case of the API has this path and method."""

    status, code, title = 404, "not_found", "Not found"


class JobNotFound(Problem):
    """The job does not exist or belongs to another owner; the response is the same for both."""

    status, code, title = 404, "job_not_found", "There is no such job"


class JobExpired(Problem):
    """The job's retention period is over."""

    status, code, title = 410, "job_expired", "The job has expired"


class OutputNotFound(Problem):
    """The requested output does not exist, or not yet."""

    status, code, title = 404, "output_not_found", "There is no such output"


class KeyReused(Problem):
    """The Idempotency-Key was used before with a different body."""

    status, code, title = 422, "idempotency_key_reused", "The Idempotency-Key was used for another request"


class ModelUnavailable(Problem):
    """The model, or every model of the kind, has no route on this deployment; waiting does not change that."""

    status, code, title = 404, "model_unavailable", "The model is not available here"


class NotAdmitted(Problem):
    """There is no slot or no budget for a new call; no job was created.

    A replay, a follower and a cached result need neither.
    """


class Room(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The rest of a budget today; None where it has no such cap. `held_usd` is what open jobs reserve of it."""

    usd_left: float | None = None
    held_usd: float | None = None
    jobs_left: int | None = None
    open_jobs_left: int | None = None


class TooManyOpenJobs(NotAdmitted):
    """The cap on open jobs is reached; there is room as soon as one ends."""

    status, code, title = 429, "too_many_open_jobs", "Too many jobs are open"
    retryable = True

    def __init__(self, detail: str, *, retry_after: int, room: Room) -> None:
        super().__init__(detail, retry_after=retry_after, **msgspec.to_builtins(room))


class OverDailyBudget(NotAdmitted):
    """A day's dollars or jobs are used up or reserved. `resets_at` is the end of the day (RFC 3339, UTC)."""

    status, code, title = 429, "over_daily_budget", "A daily cap is reached"
    retryable = True

    def __init__(self, detail: str, *, retry_after: int, resets_at: str, room: Room) -> None:
        super().__init__(detail, retry_after=retry_after, resets_at=resets_at, **msgspec.to_builtins(room))


class ExceedsBudget(NotAdmitted):
    """The job may cost more than a cap allows for a whole day: `needs_usd`. No wait helps."""

    status, code, title = 422, "exceeds_budget", "The job may cost more than the budget of a day"

    def __init__(self, detail: str, *, needs_usd: float) -> None:
        super().__init__(detail, needs_usd=needs_usd)


class LineTooLong(NotAdmitted):
    """The next free slot is later than a job may wait; no job was created."""

    status, code, title = 429, "line_too_long", "The line is too long"
    retryable = True


class TooManyBatches(Problem):
    """As many batches of the owner still let lines in as may; no batch was created."""

    status, code, title = 429, "too_many_open_batches", "Too many batches are open"
    retryable = True


class BatchNotFound(Problem):
    """The batch does not exist or belongs to another owner; the response is the same for both."""

    status, code, title = 404, "batch_not_found", "There is no such batch"


class BatchExpired(Problem):
    """The batch's retention period is over."""

    status, code, title = 410, "batch_expired", "The batch has expired"


class Paused(Problem):
    """The operator has paused new jobs; no job was created. Running jobs finish."""

    status, code, title = 503, "paused", "New jobs are paused"
    retryable = True


_AGAIN = (
    "AWS did not answer this request in time. Send it again with the same Idempotency-Key: nothing is created or "
    "charged twice."
)


class Unavailable(Problem):
    """A call to AWS failed although it was repeated. Nothing that it would have written is there."""

    status, code, title = 503, "temporarily_unavailable", "The service is busy"
    retryable = True

    def __init__(self, cause: str, detail: str = _AGAIN) -> None:
        super().__init__(detail, retry_after=5)
        self.cause = cause


class TooManyWaiting(Problem):
    """As many answers are held back as may be; no job was created."""

    status, code, title = 429, "too_many_waiting", "Too many callers wait for an answer"
    retryable = True


class TooManyRotations(Problem):
    """The secret of the webhooks has been renewed as often as signatures can carry; nothing was changed."""

    status, code, title = 429, "too_many_rotations", "The secret was renewed too often"
    retryable = True


class NothingToTell(Problem):
    """The job has no webhook, or has not ended, so nothing can be told again."""

    status, code, title = 409, "nothing_to_tell", "There is nothing to tell"


class NotRetryable(Problem):
    """Only a failed or canceled job can be retried."""

    status, code, title = 409, "not_retryable", "This job cannot be retried"


class NotFinished(Problem):
    """Only a finished job can be deleted."""

    status, code, title = 409, "not_finished", "This job has not ended yet"


class CallbackUnknown(Problem):
    """A callback for which no attempt is waiting."""

    status, code, title = 404, "callback_unknown", "There is no such callback"
