"""The structs with which version 0.1 reads the table's items. After a rollback it reads those of this version."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

Status = StrEnum("Status", ["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED"])
Kind = StrEnum("Kind", ["MUSIC", "IMAGE", "VIDEO"])
Charged = StrEnum("Charged", ["YES", "NO", "UNKNOWN"])


class WaitReason(StrEnum):
    """The reasons that version 0.1 knows."""

    PROVIDER_QUOTA = "provider_quota"
    MODEL_LOADING = "model_loading"
    CONCURRENCY = "concurrency"
    PROVIDER_ERROR = "provider_error"
    PROVIDER_WORKING = "provider_working"
    COALESCED = "coalesced"
    ACCOUNT_PAUSED = "account_paused"


class GenerationRequest(msgspec.Struct, kw_only=True):
    """A job's `request`."""

    kind: Kind
    model: str
    prompt: str
    parameters: dict[str, int | float | str]
    image_sha256: str | None = None


class Attempt(msgspec.Struct, kw_only=True):
    """One of a job's `attempts`."""

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


class Wait(msgspec.Struct, kw_only=True):
    """A job's `wait`."""

    reason: WaitReason
    until: float
    basis: str


class Output(msgspec.Struct, kw_only=True):
    """One of a job's `outputs`."""

    key: str
    content_type: str
    bytes: int
    sha256: str
    duration_seconds: float | None = None
    width: int | None = None
    height: int | None = None


class JobError(msgspec.Struct, kw_only=True):
    """A job's `error`."""

    code: str
    message: str
    retryable: bool
    charged: Charged


class Job(msgspec.Struct, kw_only=True):
    """An item `job#…`."""

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
    dearest_usd: float = 0.0
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
    patience: float = 0.0
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


class Line(msgspec.Struct, kw_only=True):
    """An item `limit#…`."""

    version: int = 0
    token: str = ""
    log: tuple[float, ...] = ()
    freed: tuple[float, ...] = ()
    shift: float = 0.0
    resume_at: float = 0.0
    leases: Mapping[str, float] = {}


class Entry(msgspec.Struct, kw_only=True):
    """An item `cache#…`."""

    leader: str
    until: float
    outputs: tuple[Output, ...] = ()


class Budget(msgspec.Struct, kw_only=True):
    """An item `budget#…`, whose members version 0.1 computes with."""

    used: int
    jobs: int
    waiting: int
    expires_at: int


class Circuit(msgspec.Struct, kw_only=True):
    """An item `closed#…`."""

    until: float
    why: str


_STRUCTS: Mapping[str, type[Job | Line | Entry | Budget | Circuit]] = {
    "job": Job,
    "limit": Line,
    "cache": Entry,
    "budget": Budget,
    "closed": Circuit,
}


def read(item: Mapping[str, Any]) -> Job | Line | Entry | Budget | Circuit | None:
    """The item as version 0.1 reads it, None for other items; raises msgspec.ValidationError where it cannot."""
    struct = _STRUCTS.get(str(item["pk"]).partition("#")[0])
    return msgspec.convert(item, struct, strict=False) if struct else None
