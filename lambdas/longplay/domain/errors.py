"""What can go wrong, in the words of the person who has to act on it.

LongplayError
├── Problem                 an answer to a caller (RFC 9457): what happened, what it cost, what to do next
│   ├── InvalidRequest      400: a field and the bound it broke
│   ├── JobNotFound         404: unknown, or somebody else's
│   └── …                   one class a status, below
└── ProviderError           a provider refused, failed or did not answer: its kind says what may be done
"""

from __future__ import annotations

from enum import StrEnum


class Charged(StrEnum):
    """What a call may have cost the operator, as far as it is known."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class FailureKind(StrEnum):
    """Why a provider's call failed; the engine decides by it (see `lambdas/longplay/engine/worker.py`)."""

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
    NO_TOKEN = "no_token"  # noqa: S105 - a kind of failure, not a password
    AUTH = "auth"
    FORBIDDEN = "forbidden"
    CREDITS = "credits"


class LongplayError(Exception):
    """Everything Longplay raises on purpose."""


class ProviderError(LongplayError):
    """A provider's call failed.

    `message` is for a person: what happened and what to do next; it never holds a token.
    `retry_after` is in seconds from the answer, None where the provider did not say.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        charged: Charged = Charged.NO,
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.charged = charged
        self.retry_after = retry_after
        self.request_id = request_id


class Problem(LongplayError):
    """An answer other than success, as RFC 9457 words it; `extra` becomes further members of the document."""

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
    """A field of the request is not what the model takes; nothing was created."""

    status, code, title = 400, "invalid_request", "The request is not valid"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail, field=field)


class TooLarge(Problem):
    """The body is larger than is taken; nothing was created."""

    status, code, title = 413, "too_large", "The request is too large"


class JobNotFound(Problem):
    """No such job, or another owner's: the two are not told apart."""

    status, code, title = 404, "job_not_found", "There is no such job"


class JobExpired(Problem):
    """The job's retention has passed."""

    status, code, title = 410, "job_expired", "The job has expired"


class OutputNotFound(Problem):
    """The output asked for does not exist (yet)."""

    status, code, title = 404, "output_not_found", "There is no such output"


class KeyReused(Problem):
    """An Idempotency-Key came again with another body."""

    status, code, title = 422, "idempotency_key_reused", "The Idempotency-Key was used for another request"


class NotConfigured(Problem):
    """The model has no route on this deployment."""

    status, code, title = 503, "not_configured", "No server is set up for this model"


class OverBudget(Problem):
    """A daily cap does not carry the job; nothing was created."""

    status, code, title = 429, "over_budget", "A daily cap is reached"
    retryable = True


class LineTooLong(Problem):
    """The provider's quota is taken further ahead than a job may wait; nothing was created."""

    status, code, title = 429, "line_too_long", "The line is too long"
    retryable = True


class Paused(Problem):
    """The operator has paused new jobs; nothing was created, and running jobs finish."""

    status, code, title = 503, "paused", "New jobs are paused"
    retryable = True


class NotRetryable(Problem):
    """Only a failed or canceled job can be retried."""

    status, code, title = 409, "not_retryable", "This job cannot be retried"


class NotFinished(Problem):
    """Only a job that has ended can be deleted."""

    status, code, title = 409, "not_finished", "This job has not ended yet"


class CallbackUnknown(Problem):
    """A callback that no attempt is waiting for."""

    status, code, title = 404, "callback_unknown", "There is no such callback"
