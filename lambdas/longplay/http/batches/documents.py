"""The types of the JSON documents about batches."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from longplay.domain.batches import Reason
from longplay.domain.errors import Charged
from longplay.http.documents import Count, Fault, JobId, Path, Seconds, Time, ToldJob, Usd


class BatchStatus(StrEnum):
    """How a batch stands: it has an end once every line has one."""

    RUNNING = "running"
    CANCELING = "canceling"
    ENDED = "ended"
    CANCELED = "canceled"


class LineStatus(StrEnum):
    """How a line stands: as its job does, or without one."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REFUSED = "refused"


class BatchCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The lines by their status. Those that wait, expired or were refused have no job and cost nothing."""

    waiting: Count
    queued: Count
    running: Count
    succeeded: Count
    failed: Count
    canceled: Count
    expired: Count
    refused: Count


class BatchCost(msgspec.Struct, frozen=True, kw_only=True):
    """The money: surely charged, perhaps charged, and the most that the batch can come to, these included."""

    charged_usd: Usd
    unknown_usd: Usd
    possible_usd: Usd


class BatchWait(msgspec.Struct, frozen=True, kw_only=True):
    """Why a batch is not over, and how long it may take until every line has ended."""

    reason: Reason
    eta_seconds: Seconds
    basis: str


class BatchUrls(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses at which something can be done with a batch."""

    self: Path
    results: Path
    cancel: Path | UnsetType = UNSET


class BatchSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A batch in a list. The first `let_in` lines are jobs, or are among the `refused` ones."""

    id: JobId
    total: Count
    let_in: Count
    refused: Count
    created_at: Time
    deadline: Time
    expires_at: Time
    closed_at: Time | UnsetType = UNSET
    urls: BatchUrls


class Batch(BatchSummary, frozen=True, kw_only=True):
    """A batch: how its lines stand, and what they cost. Lines are let in as jobs until `deadline`."""

    status: BatchStatus
    counts: BatchCounts
    cost: BatchCost
    wait: BatchWait | UnsetType = UNSET


class Batches(msgspec.Struct, frozen=True, kw_only=True):
    """Batches, newest first; `next_cursor` continues the list."""

    batches: tuple[BatchSummary, ...]
    next_cursor: str | UnsetType = UNSET


class LineError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a line has no job, and what to do next."""

    code: str
    message: str
    charged: Charged
    errors: tuple[Fault, ...] | UnsetType = UNSET


class BatchLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the results: its number from 0, its status, and its job as webhooks are told of it."""

    line: Annotated[int, Meta(ge=0)]
    status: LineStatus
    custom_id: str | UnsetType = UNSET
    job: ToldJob | UnsetType = UNSET
    error: LineError | UnsetType = UNSET
