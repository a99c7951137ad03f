"""A job: what was asked, what has been tried, what it may have cost and what came of it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from longplay.domain.errors import Charged
from longplay.domain.request import GenerationRequest

MOST_CRASHES = 3  # a job that kills its worker so often is not tried again


class Status(StrEnum):
    """Where a job is; it only moves to the right."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def finished(self) -> bool:
        """Whether nothing more will be tried."""
        return self not in (Status.QUEUED, Status.RUNNING)


class WaitReason(StrEnum):
    """Why a job is not finished yet."""

    PROVIDER_QUOTA = "provider_quota"
    MODEL_LOADING = "model_loading"
    CONCURRENCY = "concurrency"
    PROVIDER_ERROR = "provider_error"
    PROVIDER_WORKING = "provider_working"
    COALESCED = "coalesced"
    ACCOUNT_PAUSED = "account_paused"


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call that may cost money, entered before it is made. Times are epoch seconds.

    `charged` stays `unknown` until the answer is learned; `tries` counts uncharged repeats on the same route.
    Whoever knows its `token` may hint by a callback that it has ended; `told` is whether its reference came that way.
    """

    route: str
    started_at: float
    token: str = ""
    told: bool = False
    ended_at: float | None = None
    outcome: str = "calling"
    charged: Charged = Charged.UNKNOWN
    request_id: str | None = None
    usd: float = 0.0
    tries: int = 1


class Wait(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a queued job waits, and until when (epoch seconds)."""

    reason: WaitReason
    until: float
    basis: str


class Output(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file of the result, as it lies in the bucket."""

    key: str
    content_type: str
    bytes: int
    sha256: str
    duration_seconds: float | None = None
    width: int | None = None
    height: int | None = None


class JobError(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a job failed, in words its caller can act on."""

    code: str
    message: str
    retryable: bool
    charged: Charged


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One generation and its ledger. Times are epoch seconds; see docs on the state machine for the rules.

    `lease` is the lock: present while a worker is at it, past when that worker has crashed.
    `fence` counts the workers that ever held it; `charges` the attempts that may have cost money.
    `ref` is the provider's reference while the provider holds the generation, and `polled_at` when it was last asked.
    `price_usd` is one generation's by its route, `max_price_usd` by the dearest it may go.
    `slot` is its start in the line of a paced account, `hold` what each budget in `held_by` holds for it (millionths of
    a dollar),
    `follows` the job whose result of the same request it waits for.
    """

    id: str
    owner: str
    status: Status
    request: GenerationRequest
    created_at: float
    expires_at: int
    deadline: float
    body_hash: str
    token: str
    route: str
    account: str
    price_usd: float
    max_price_usd: float = msgspec.field(default=0.0, name="dearest_usd")  # as version 0.1 stored it
    not_before: float
    max_charges: int
    due_at: float | None = None
    lease: float | None = None
    fence: int = 0
    charges: int = 0
    crashes: int = 0
    attempts: tuple[Attempt, ...] = ()
    wait: Wait | None = None
    outputs: tuple[Output, ...] = ()
    error: JobError | None = None
    completed_at: float | None = None
    queue: str = "calls"
    callback_grace: float = msgspec.field(default=0.0, name="patience")  # as version 0.1 stored it
    ref: str | None = None
    polled_at: float | None = None
    slot: float | None = None
    hold: int | None = None
    budget_day: str | None = None
    held_by: tuple[str, ...] = ()
    cache_key: str | None = None
    follows: str | None = None
    cached: bool = False
    deleted: float | None = None
    retry_of: str | None = None
    input_key: str | None = None
    typical_seconds: float = 0.0
    typical_basis: str = ""
    tags: dict[str, str] = {}

    @property
    def started_at(self) -> float | None:
        """When the first attempt began."""
        return self.attempts[0].started_at if self.attempts else None

    def crashed(self, now: float) -> bool:
        """Whether the worker that held the job is gone."""
        return self.lease is not None and self.lease <= now

    @property
    def grace_ends(self) -> float:
        """Until when a crashed worker's call may yet call back, and is not repeated."""
        return self.attempts[-1].started_at + self.callback_grace if self.attempts else 0.0

    @property
    def call_ends_by(self) -> float:
        """Until when its call is under way at the latest: its lease, or its deadline where no worker waits for it."""
        return self.lease or self.created_at if self.queue == "calls" else self.deadline

    def may_be_charged(self) -> bool:
        """Whether its caller allows one more call that may cost money."""
        return self.charges < self.max_charges

    def usd(self, *charges: Charged) -> float:
        """What the attempts of these certainties come to, in dollars."""
        return sum(self.price_of(attempt) for attempt in self.attempts if attempt.charged in charges)

    def price_of(self, attempt: Attempt) -> float:
        """What an attempt costs if it is charged, in dollars."""
        return 0.0 if attempt.charged is Charged.NO else attempt.usd or self.price_usd


def combined_charge(job: Job) -> Charged:
    """What the whole job has cost, as far as it is known: yes beats unknown beats no."""
    known = {attempt.charged for attempt in job.attempts}
    return next((charge for charge in (Charged.YES, Charged.UNKNOWN) if charge in known), Charged.NO)
