"""The settings of a deployment: their types, defaults and bounds, for the stack and for the functions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from longplay.domain.catalogue import EVERY_MODEL
from longplay.domain.pacing import Limit

HUGGING_FACE_ROUTER = "https://router.huggingface.co"
USUAL_SERVERS = {
    "router": f"{HUGGING_FACE_ROUTER}/hf-inference/models/{{model}}",
    "inference-providers": HUGGING_FACE_ROUTER,
}
PAUSED = 300.0  # seconds without calls to an account that was refused; a token is cached as long, so a new one ends it

HOUR = 3_600
DAY = 24 * HOUR
MILLION = 1_000_000


class CacheScope(StrEnum):
    """The requests that share a result: equal ones of one owner, equal ones of all owners, or none."""

    OWNER = "owner"
    DEPLOYMENT = "deployment"
    OFF = "off"


class Failover(StrEnum):
    """When a job changes its route: if the route cannot serve it, or also if it would have to wait there."""

    UNSERVED = "unserved"
    BUSY = "busy"


class Caps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The most dollars and jobs per day (UTC), and the most open jobs; None is no cap."""

    usd: Annotated[float, Meta(ge=0, le=MILLION)] | None = None
    jobs: Annotated[int, Meta(ge=1, le=MILLION)] | None = None
    open_jobs: Annotated[int, Meta(ge=1, le=MILLION)] | None = None


# the description says what is right, in the error for a wrong value
_A_SERVER = 'a JSON object of URLs, like {"router": "https://example.com/{model}"}'
_A_LIMIT = 'a JSON object, like {"router": {"windows": [[1, 2], [30, 3600]], "max_concurrent": 4}}'
_A_CAP = 'a JSON object, like {"usd": 20, "jobs": 500, "open_jobs": 50}'

Url = Annotated[str, Meta(pattern=r"^https?://[^/?#]", description=_A_SERVER)]
Servers = Annotated[Mapping[str, Url], Meta(description=_A_SERVER)]
Limits = Annotated[Mapping[str, Annotated[Limit, Meta(description=_A_LIMIT)]], Meta(description=_A_LIMIT)]
DayCaps = Annotated[Caps, Meta(description=_A_CAP)]


BillTo = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][\w.-]{0,95}$", description="the name of an organization at Hugging Face")
]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings that the functions read. Durations are in seconds."""

    #: The URL of each server; `{model}` in it becomes the provider's id of the model. Routes in models.toml name
    #: servers. The name `*` stands for every server of Hugging Face's contract that is not named: one machine that
    #: serves all models. Servers with their own API are used only if they are named: `inference-providers`
    #: (`https://router.huggingface.co`), `replicate` (`https://api.replicate.com`), `fal` (`https://queue.fal.run`),
    #: `space` (`https://owner-name.hf.space`).
    servers: Servers = msgspec.field(default_factory=USUAL_SERVERS.copy)
    #: The limits of each server's account. Every start is reserved, so that no window ever has more starts.
    limits: Limits = {}
    #: A call may start this late without a new slot; windows are longer by the same time.
    start_tolerance: Annotated[float, Meta(ge=0, le=60)] = 0.2
    #: A job whose slot is further away is not accepted (429 with Retry-After); None accepts every job.
    horizon: Annotated[float, Meta(ge=1, le=DAY)] | None = HOUR / 2
    #: How many calls, and how many steps of polled providers, are handled at once. A new AWS account runs 10 functions
    #: at once; these leave four to the API, the sweeper and deliveries. SQS allows 2 to 1,000 for an event source.
    concurrent_calls: Annotated[int, Meta(ge=2, le=1_000)] = 4
    concurrent_steps: Annotated[int, Meta(ge=2, le=1_000)] = 2
    #: How many answers are held back at once for callers that wait (`?wait=`). Each occupies a function, so the sum of
    #: this and the two settings above must leave some of the account's functions free. 0 answers everyone at once.
    held_answers: Annotated[int, Meta(ge=0, le=1_000)] = 3
    #: Caps of each owner, so that no owner uses up the caps of the deployment, and caps of all owners together.
    owner_caps: DayCaps = Caps()
    deployment_caps: DayCaps = Caps()
    #: The requests that share a result.
    cache: CacheScope = CacheScope.OWNER
    #: When a job changes its route.
    failover: Failover = Failover.UNSERVED
    #: Offers only models whose license allows commercial use.
    commercial_only: bool = False
    #: The organization at Hugging Face that pays for calls through the router; None is the account of the token.
    #: For accounts of Team and Enterprise (hub-docs, inference-providers/pricing.md, 2026-08).
    bill_to: BillTo | None = None
    default_deadline: Annotated[int, Meta(ge=1, le=DAY)] = HOUR
    longest_deadline: Annotated[int, Meta(ge=1, le=DAY)] = DAY
    #: How long a job can be read after its deadline; S3 keeps its files for whole days.
    retention: Annotated[int, Meta(ge=60, le=365 * DAY)] = 7 * DAY
    #: The longest call that keeps its connection open. The upper bound leaves margins within a function's 900 s.
    longest_call: Annotated[int, Meta(ge=1, le=800)] = 300
    lease_margin: Annotated[int, Meta(ge=0)] = 10
    url_lifetime: Annotated[int, Meta(ge=1)] = HOUR
    resend_after: Annotated[int, Meta(ge=1)] = 60
    #: An event on the account's event bus for each end of a job. A million jobs cost about $5 more in writes.
    events: bool = False
    #: How many webhooks and events are delivered at once. A receiver has 15 s to answer.
    concurrent_deliveries: Annotated[int, Meta(ge=2, le=1_000)] = 2
    #: Lets webhooks go to http and to any address, for a stack on the developer's own machine.
    private_webhooks: bool = False

    def mistakes(self, *, used: Collection[str], added: Collection[str] = ()) -> Iterator[str]:
        """Settings that do not fit together, or that do not fit the catalogue.

        `used` are the servers that routes of the catalogue name, `added` the servers that the stack adds.
        """
        if self.default_deadline > self.longest_deadline:
            yield (f"default_deadline={self.default_deadline} must not exceed longest_deadline={self.longest_deadline}")
        set_up = [*self.servers, *added]
        for name in self.servers:
            if name not in used and name != EVERY_MODEL:
                known = ", ".join([*used, EVERY_MODEL])
                yield f"servers names {name!r}, which no route in models.toml uses: they use {known}"
        for name, limit in self.limits.items():
            if name not in set_up:
                yield f"limits names the server {name!r}, which is not set up: there are {', '.join(set_up)}"
            if limit == Limit():
                yield f"limits: {name}: must be {_A_LIMIT}, with windows, max_concurrent or both"


def parse_settings(text: str) -> Settings:
    """The settings in the JSON that the stack wrote; raises msgspec.ValidationError for an unknown or wrong one."""
    return msgspec.json.decode(text, type=Settings)
