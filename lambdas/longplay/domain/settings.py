"""What the operator chose for this deployment; the stack hands it to each function as one JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from longplay.domain.catalogue import Route
from longplay.domain.pacing import Limit

HUGGING_FACE_ROUTER = "https://router.huggingface.co"
USUAL_SERVERS = {
    "router": f"{HUGGING_FACE_ROUTER}/hf-inference/models/{{model}}",
    "inference-providers": HUGGING_FACE_ROUTER,
}
EVERY_MODEL = "*"
PAUSED = 300.0  # seconds a refused account is left alone: as long as a token is remembered, so a new one ends it


class CacheScope(StrEnum):
    """Whose equal requests share a result."""

    OWNER = "owner"
    DEPLOYMENT = "deployment"
    OFF = "off"


class Failover(StrEnum):
    """When a job leaves its route for another: only where it cannot be served, or also where it would have to wait."""

    UNSERVED = "unserved"
    BUSY = "busy"


class Caps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most a day (UTC) may bring, in dollars and in jobs, and how many jobs may be open; None is no cap."""

    usd: float | None = None
    jobs: int | None = None
    open_jobs: int | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The runtime settings. Every duration is in seconds.

    `servers` maps a server's name, as routes in models.toml use it, to its URL; `{model}` in it becomes the
    provider's model id. The name `*` stands for every server of Hugging Face's contract that is not named: one machine
    that serves all models. Other contracts are used where their servers are named: `inference-providers`
    (`https://router.huggingface.co`), `replicate` (`https://api.replicate.com`), `fal` (`https://queue.fal.run`).
    `limits` has, by server, what its account allows; a job whose slot is more than `horizon` away is not accepted
    (None: every job is). A call may start `start_tolerance` late without asking anew; windows are that much longer.
    With `commercial_only`, models whose license rules commercial use out are not offered.
    """

    servers: Mapping[str, str] = msgspec.field(default_factory=USUAL_SERVERS.copy)
    limits: Mapping[str, Limit] = {}
    start_tolerance: float = 1.0
    horizon: float | None = 1_800
    owner_caps: Caps = Caps()
    deployment_caps: Caps = Caps()
    cache: CacheScope = CacheScope.OWNER
    failover: Failover = Failover.UNSERVED
    commercial_only: bool = False
    default_deadline: int = 3_600
    longest_deadline: int = 86_400
    retention: int = 7 * 86_400
    longest_call: int = 300
    lease_margin: int = 10
    url_lifetime: int = 3_600
    resend_after: int = 60

    def server_url(self, route: Route) -> str | None:
        """The URL of the route's model at its server; None if its server is not in the settings."""
        template = self.servers.get(self.account_of(route))
        return template.replace("{model}", route.model) if template else None

    def is_configured(self, route: Route) -> bool:
        """Whether the route's server is in the settings."""
        return self.server_url(route) is not None

    def account_of(self, route: Route) -> str:
        """The name of the route's server in the settings: its own, or `*` if `*` stands for it."""
        return route.server if route.server in self.servers or route.own_contract else EVERY_MODEL


def parse_settings(text: str) -> Settings:
    """Settings from the JSON the stack wrote; raises msgspec.ValidationError on anything unknown."""
    return msgspec.json.decode(text, type=Settings)
