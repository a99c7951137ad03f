"""When a failed call is tried again or another route is taken: one row for each kind of failure."""

from __future__ import annotations

import random
from dataclasses import dataclass

from longplay.domain.caller_texts import wait_text
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.domain.job import Job, Wait, WaitReason
from longplay.domain.settings import PAUSED, Failover

MOST_REFUSALS = 2  # calls without a token that are refused until a job fails
LONGEST_BACKOFF = 300.0  # seconds
_BELIEVED = 2.0  # seconds; a provider that says less, and refuses again, is asked at our own pace


@dataclass(frozen=True)
class Retry:
    """How a kind of failure is repeated: why the job waits, the first delay in seconds, how often at most."""

    reason: WaitReason
    first_delay: float
    most_tries: int | None = None


# Kinds that are not here end the job where no other route is open. Bounds after providers.md's vendors: a loading or
# throttling provider is waited for until the deadline, a broken one is not hammered.
RETRIES = {
    FailureKind.THROTTLED: Retry(WaitReason.PROVIDER_QUOTA, 10),
    FailureKind.LOADING: Retry(WaitReason.MODEL_LOADING, 30),
    FailureKind.UPSTREAM: Retry(WaitReason.PROVIDER_ERROR, 5, most_tries=4),
    FailureKind.TIMEOUT: Retry(WaitReason.PROVIDER_ERROR, 5, most_tries=4),
    FailureKind.UNREACHABLE: Retry(WaitReason.PROVIDER_ERROR, 10, most_tries=4),
    FailureKind.OUT_OF_MEMORY: Retry(WaitReason.PROVIDER_ERROR, 30, most_tries=2),
    FailureKind.NOT_STORED: Retry(WaitReason.SERVICE_BUSY, 60, most_tries=MOST_REFUSALS),
    FailureKind.AUTH: Retry(WaitReason.ACCOUNT_PAUSED, PAUSED),
    FailureKind.CREDITS: Retry(WaitReason.ACCOUNT_PAUSED, PAUSED),
    FailureKind.FORBIDDEN: Retry(WaitReason.ACCOUNT_PAUSED, PAUSED),
    FailureKind.REFUSED: Retry(WaitReason.PROVIDER_ERROR, 60, most_tries=MOST_REFUSALS),
}

# Failures that time does not heal: another route is better than a wait.
HOPELESS = frozenset(
    {
        FailureKind.NOT_SERVED,
        FailureKind.NO_TOKEN,
        FailureKind.AUTH,
        FailureKind.CREDITS,
        FailureKind.FORBIDDEN,
        FailureKind.REFUSED,
    }
)


def may_recover(job: Job, outcome: str) -> bool:
    """Whether a route that the job left with this outcome may serve it later."""
    if outcome == FailureKind.REFUSED:
        return _tries(job, FailureKind.REFUSED) < MOST_REFUSALS
    return outcome in RETRIES


def goes_on(job: Job, error: ProviderError, policy: Failover) -> bool:
    """Whether the job may take another route after this failure.

    Never after a call that may have been charged unless the caller's `max_charges` leaves room for another. A request
    that one route refuses free of charge may be within the bounds of another.
    """
    if error.charged is not Charged.NO and not job.may_be_charged():
        return False
    if error.kind is FailureKind.BAD_INPUT:
        return error.charged is Charged.NO
    return error.kind in HOPELESS or (policy is Failover.BUSY and error.kind in RETRIES)


def retry_wait(job: Job, error: ProviderError, *, now: float) -> Wait | None:
    """How long the job waits before the call is made again; None when it is not to be.

    Never after a call that may have been charged unless the caller's `max_charges` leaves room for another, and
    never past the deadline.
    """
    retry, tries = RETRIES.get(error.kind), _tries(job, error.kind)
    if retry is None or (retry.most_tries is not None and tries >= retry.most_tries):
        return None
    if error.charged is not Charged.NO and not job.may_be_charged():
        return None
    until = now + _delay(retry, error, tries)
    return Wait(reason=retry.reason, until=until, basis=wait_text(error)) if until < job.deadline else None


def _tries(job: Job, kind: FailureKind) -> int:
    """How often this route has failed in this way since the job came to it, the last time included.

    Refusals without a token count on every route: the request may be the reason.
    """
    tries = 0
    for attempt in reversed(job.attempts):
        if attempt.route != job.leg.route and kind is not FailureKind.REFUSED:
            break
        tries += attempt.tries_of(kind)
    return max(1, tries)


def _delay(retry: Retry, error: ProviderError, tries: int) -> float:
    """The provider's own figure; from the second time on, one that is next to nothing is not believed."""
    backoff = min(LONGEST_BACKOFF, retry.first_delay * 2.0 ** (tries - 1))
    spread = backoff * random.uniform(1, 1.2)  # noqa: S311 - spreads retries, guards nothing
    if error.retry_after is None:
        return spread
    return error.retry_after if tries == 1 or error.retry_after >= _BELIEVED else max(error.retry_after, spread)
