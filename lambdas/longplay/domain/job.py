"""A job: its request, its attempts and what they may have cost, its wait, and its result."""

from __future__ import annotations

from enum import StrEnum

import msgspec
from msgspec.structs import replace

from longplay.domain.errors import Charged
from longplay.domain.request import GenerationRequest

MOST_CRASHES = 3  # a job that has crashed this many workers is not tried again
NOT_CALLED = "not called"  # the outcome of an attempt that was entered and then not made


class Status(StrEnum):
    """The status a caller sees. It never moves back from an end."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def finished(self) -> bool:
        """Whether nothing more will be tried."""
        return self not in (Status.QUEUED, Status.RUNNING)


class Phase(StrEnum):
    """The phase of a job, from its status, lease, reference, leader and place in the open index."""

    WAITING = "waiting"
    FOLLOWING = "following"
    CALLING = "calling"
    CRASHED = "crashed"
    AT_PROVIDER = "at the provider"
    LINGERING = "lingering"
    ERASING = "erasing"
    OVER = "over"


class WaitReason(StrEnum):
    """Why a job is not finished yet."""

    PROVIDER_QUOTA = "provider_quota"
    MODEL_LOADING = "model_loading"
    CONCURRENCY = "concurrency"
    PROVIDER_ERROR = "provider_error"
    PROVIDER_WORKING = "provider_working"
    COALESCED = "coalesced"
    ACCOUNT_PAUSED = "account_paused"
    SERVICE_BUSY = "service_busy"
    BUDGET = "budget"

    @classmethod
    def _missing_(cls, _value: object) -> WaitReason:
        """A later version's word."""
        return cls.SERVICE_BUSY


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """The route a job takes now, and the figures that change with it.

    `account` is the paced account, `queue` the queue of its messages, `price_usd` the price of one generation.
    `callback_grace` is how many seconds a lost call may still call back, `typical_seconds` how long a generation
    takes, and `typical_basis` where that figure comes from.
    """

    route: str
    account: str
    price_usd: float
    queue: str = "calls"
    callback_grace: float = msgspec.field(default=0.0, name="patience")  # as version 0.1 stored it
    typical_seconds: float = 0.0
    typical_basis: str = ""


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of the ledger: a call that may cost money, written before it is made. Times are epoch seconds.

    `charged` stays `unknown` until the answer is known. Uncharged repeats on the same route share an entry; `tries` is
    their number of calls, the first included, and `kinds` counts them by failure where they failed in different ways.
    A callback proves itself by `token`; `ref_from_callback` says that the provider's reference came in one, and
    `accepted` that the provider's answer brought it.
    """

    route: str
    started_at: float
    token: str = ""
    ref_from_callback: bool = msgspec.field(default=False, name="told")  # as version 0.1 stored it
    accepted: bool = False
    ended_at: float | None = None
    outcome: str = "calling"
    charged: Charged = Charged.UNKNOWN
    request_id: str | None = None
    usd: float = 0.0
    tries: int = 1
    kinds: dict[str, int] = {}

    def tries_of(self, kind: str) -> int:
        """How many of its calls failed in this way."""
        return self.kinds.get(kind, 0) if self.kinds else self.tries * (self.outcome == kind)

    @property
    def answer_lost(self) -> bool:
        """Whether neither the provider's answer nor a callback has told what became of the call."""
        return self.charged is Charged.UNKNOWN and not self.accepted and not self.ref_from_callback


class Wait(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a job waits, and until when (epoch seconds)."""

    reason: WaitReason
    until: float
    basis: str


class Output(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file of the result in the bucket. `warnings` are sentences in ASCII, because S3 keeps them as metadata."""

    key: str
    content_type: str
    bytes: int
    sha256: str
    duration_seconds: float | None = None
    width: int | None = None
    height: int | None = None
    sample_rate: int | None = None
    channels: int | None = None
    warnings: tuple[str, ...] = ()


class JobError(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a job failed, in words its caller can act on."""

    code: str
    message: str
    retryable: bool
    charged: Charged


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One generation and its ledger. Times are epoch seconds. docs/engine.md has the rules.

    `lease` is the lock: set while a worker holds the job, in the past when that worker has crashed.
    `fence` counts the workers that have held it; `charges` counts the attempts that may have cost money.
    `ref` is the provider's reference of the generation, `polled_at` the time of the last poll.
    `incarnation` tells the jobs of one id apart: an Idempotency-Key that is used again after its job's retention makes
    a job with the same id. Jobs of version 0.1 have none.
    `file_token` is in the links to its files, which need no key; jobs of version 0.1 have none.
    `max_price_usd` is the price of one generation on the most expensive route that is set up.
    `start_expected` is when a worker should be free for it, as its submission estimated.
    `slot` is its reserved start on a paced account. `hold` is what each budget in `held_by` reserves for it, in
    millionths of a dollar, on `budget_day`, and `expected_at` its expected end then (epoch seconds).
    `counted` are the sure and the possible charge that its owner's usage has of it (millionths of a dollar), None
    until it is over.
    `follows` is the job with the same request whose result it waits for.
    `batch` is the batch that it is a line of, with the `custom_id` that its caller gave the line.
    `webhook` is the address that is told of its end, and `webhook_heard` whether it has taken that.
    """

    id: str
    incarnation: str = ""
    file_token: str = ""
    owner: str
    status: Status
    request: GenerationRequest
    created_at: float
    expires_at: int
    deadline: float
    body_hash: str
    token: str
    leg: Leg
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
    ref: str | None = None
    polled_at: float | None = None
    slot: float | None = None
    hold: int | None = None
    budget_day: str | None = None
    held_by: tuple[str, ...] = ()
    expected_at: int | None = None
    counted: tuple[int, int] | None = None
    start_expected: float | None = None
    cache_key: str | None = None
    follows: str | None = None
    cached: bool = False
    deleted: float | None = None
    retry_of: str | None = None
    input_key: str | None = None
    tags: dict[str, str] = {}
    batch: str | None = None
    custom_id: str | None = None
    webhook: str | None = None
    webhook_heard: bool = False

    def phase(self, now: float) -> Phase:
        """The phase at `now` (epoch seconds)."""
        if self.due_at is None:
            return Phase.OVER
        if self.lease is not None:
            return Phase.CRASHED if self.lease <= now else Phase.CALLING
        if self.ref is not None:
            return Phase.LINGERING if self.status.finished else Phase.AT_PROVIDER
        if self.deleted is not None:
            return Phase.ERASING
        return Phase.FOLLOWING if self.follows is not None else Phase.WAITING

    @property
    def folder(self) -> str:
        """The name of its folder in the bucket, which no earlier job has used."""
        return f"{self.id}-{self.incarnation}" if self.incarnation else self.id

    @property
    def started_at(self) -> float | None:
        """The start of the first attempt."""
        return self.attempts[0].started_at if self.attempts else None

    @property
    def grace_ends(self) -> float:
        """Until when the last call may still call back; it is not repeated before."""
        return self.attempts[-1].started_at + self.leg.callback_grace if self.attempts else 0.0

    @property
    def call_ends_by(self) -> float:
        """The latest end of its call: the lease, or the deadline where the provider answers with a reference."""
        return self.lease or self.created_at if self.leg.queue == "calls" else self.deadline

    @property
    def deadline_seconds(self) -> int:
        """How long it may take, from its creation."""
        return round(self.deadline - self.created_at)

    def may_be_charged(self) -> bool:
        """Whether the caller allows one more call that may cost money."""
        return self.charges < self.max_charges

    def usd(self, *charges: Charged) -> float:
        """The dollars of all attempts with one of these charges."""
        return sum(self.price_of(attempt) for attempt in self.attempts if attempt.charged in charges)

    def price_of(self, attempt: Attempt) -> float:
        """The dollars an attempt costs if it is charged."""
        return 0.0 if attempt.charged is Charged.NO else attempt.usd or self.leg.price_usd

    def closed(
        self, *, now: float, outcome: str, charged: Charged = Charged.UNKNOWN, request_id: str | None = None
    ) -> Job:
        """The job with its last attempt closed."""
        usd = 0.0 if charged is Charged.NO else self.leg.price_usd
        last = replace(
            self.attempts[-1], ended_at=now, outcome=outcome, charged=charged, request_id=request_id, usd=usd
        )
        return replace(self, attempts=(*self.attempts[:-1], last))


def opened(route: str, *, now: float, token: str) -> Attempt:
    """The entry of a call that is about to be made."""
    return Attempt(route=route, started_at=now, token=token)


def combined_charge(job: Job) -> Charged:
    """The charge of the whole job: yes beats unknown beats no."""
    known = {attempt.charged for attempt in job.attempts}
    return next((charge for charge in (Charged.YES, Charged.UNKNOWN) if charge in known), Charged.NO)
