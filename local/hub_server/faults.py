"""Everything that can go wrong on the way to a partner, or at one, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from local.hub_server.generations import Fate
from local.model_server.faults import CLOUDFRONT
from local.stand_in.answers import Answer, says


class Stage(StrEnum):
    """Where a request can be refused."""

    MAPPING = "mapping"
    ORDER = "order"
    POLL = "poll"
    RESULT = "result"
    FILE = "file"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A rule: `times` times (null: for ever) something goes wrong `at` a stage, or befalls a generation itself.

    `seconds` is how slow the server is, `retry_after` when to come back, null where it does not say.
    """

    fault: str
    at: str = Stage.ORDER
    times: int | None = 1
    seconds: float = 1.0
    retry_after: float | None = None
    location: str = "https://elsewhere.invalid/"

    def __post_init__(self) -> None:
        if self.fault not in {*REFUSALS, *FATES, SLOW}:
            raise ValueError(f"no fault is called {self.fault!r}")
        Stage(self.at)


def unauthorized(_: Fault | None = None) -> Answer:
    return says(401, {"error": "Invalid credentials in Authorization header"})


def not_supported(partner: str) -> Answer:
    return says(400, {"error": f"Model not supported by provider {partner}"})


def _throttled(fault: Fault) -> Answer:
    """The Hub says `RateLimit`, a partner mostly nothing (hub-docs, hub/rate-limits.md)."""
    told = {} if fault.retry_after is None else {"RateLimit": f'"api";r=0;t={fault.retry_after:g}'}
    return says(429, {"error": "We had to rate limit you"}, **told)


REFUSALS: Mapping[str, Callable[[Fault], Answer]] = {
    "unauthorized": unauthorized,
    "credits": lambda _: says(
        402, {"error": "You have depleted your monthly included credits. Purchase pre-paid credits to continue."}
    ),
    "forbidden": lambda _: says(
        403,
        {
            "error": "This authentication method does not have sufficient permissions to call Inference Providers on "
            "behalf of user longplay"
        },
    ),
    "missing": lambda _: says(404, {"error": "Not Found"}),
    "not_supported": lambda _: not_supported("this"),
    "gone": lambda _: says(
        410, {"error": "The requested model is deprecated and no longer supported by this provider"}
    ),
    "invalid": lambda _: says(
        422, {"detail": [{"loc": ["body", "prompt"], "msg": "field required", "type": "value_error.missing"}]}
    ),
    "throttled": _throttled,
    "server_error": lambda _: says(500, {"error": "unknown error"}),
    "html": lambda _: Answer(status=502, content_type="text/html", body=CLOUDFRONT),
    "error_200": lambda _: says(200, {"error": "Something went wrong"}),
    "not_json": lambda _: Answer(body=b"{"),
    "nameless": lambda _: says(200, {"id": "../x", "request_id": "../x", "data": {"urls": {"get": "https://x/../.."}}}),
    "drop": lambda _: Answer(raw=True),
    "cut": lambda _: Answer(body=b"\x89PNG", length=10_000),
    "redirect": lambda fault: Answer(status=302, headers={"Location": fault.location}),
}
SLOW = "slow"
#: After which a generation was made nonetheless.
MADE = {"drop", "not_json", "nameless", "cut", SLOW}

FATES: Mapping[str, Fate] = {
    "failed": Fate(error="The worker died", status=500, billed=False),
    "refused": Fate(error="The prompt is longer than the model takes", status=422),
    "moderated": Fate(error="NSFW content detected. Try a different prompt. flagged by a content checker", status=422),
    "out_of_memory": Fate(error="CUDA out of memory. Tried to allocate 2.00 GiB", status=422),
    "unsafe": Fate(unsafe=True),
    "no_output": Fate(address=""),
    "foreign_file": Fate(address="https://files.elsewhere.invalid/out-0.png"),
    "lookalike_file": Fate(address="https://fal.media.elsewhere.invalid/out-0.png"),
    "insecure_file": Fate(address="http://fal.media/out-0.png"),
}
