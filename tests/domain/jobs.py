"""Jobs for tests of decisions: plain values, no AWS."""

from __future__ import annotations

from typing import Any

from longplay.domain.catalogue import Kind
from longplay.domain.errors import Charged
from longplay.domain.job import Attempt, Job, Leg, Status
from longplay.domain.request import GenerationRequest
from msgspec.structs import replace

NOW = 1_000_000.0
LEASE = NOW + 100
DEADLINE = NOW + 600
LEG = Leg(route="endpoint", account="*", price_usd=0.005, typical_seconds=20)
OTHER_LEG = Leg(route="router", account="router", price_usd=0.01)


def job(**values: Any) -> Job:
    """A queued job, with these values instead."""
    known: dict[str, Any] = {
        "id": "a",
        "owner": "alice",
        "status": Status.QUEUED,
        "request": GenerationRequest(kind=Kind.MUSIC, model="musicgen-small", prompt="sea", parameters={}),
        "created_at": NOW,
        "expires_at": int(DEADLINE) + 1_000,
        "deadline": DEADLINE,
        "body_hash": "",
        "token": "t",
        "leg": LEG,
        "not_before": NOW,
        "due_at": NOW + 60,
        "max_charges": 2,
    }
    return Job(**{**known, **values})


def called(*, charged: Charged = Charged.UNKNOWN, **values: Any) -> Job:
    """A job whose call is under way."""
    attempt = Attempt(route="endpoint", started_at=NOW - 10, token="secret", charged=charged)
    known = {"status": Status.RUNNING, "lease": LEASE, "fence": 1, "charges": 1, "attempts": (attempt,)}
    return job(**{**known, **values})


def crashed() -> Attempt:
    """The entry of a call whose worker crashed before it had the answer."""
    return replace(called().attempts[0], outcome="crashed", ended_at=NOW)
