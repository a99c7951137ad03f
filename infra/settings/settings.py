"""What differs from stage to stage, and what an operator may set by `-c name=value`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from infra.gpu.models import GPU_MODELS
from infra.settings.values import (
    Parser,
    caps,
    email,
    gpu,
    image,
    limits,
    number,
    one_of,
    or_off,
    servers,
    whole_number,
    yes_or_no,
)

HOUR = 3600
DAY = 24 * HOUR

#: The settings that the functions hold too, with the same defaults.
SHARED = (
    "servers",
    "limits",
    "start_tolerance",
    "horizon",
    "owner_caps",
    "deployment_caps",
    "cache",
    "failover",
    "commercial_only",
    "default_deadline",
    "longest_deadline",
    "retention",
    "longest_call",
    "lease_margin",
    "resend_after",
)

#: The servers that are set up where none is named: what Hugging Face serves itself, and what its partners do by it.
USUAL_SERVERS = {
    "router": "https://router.huggingface.co/hf-inference/models/{model}",
    "inference-providers": "https://router.huggingface.co",
}

#: Above what a function's 900 s allow with the margin taken off.
LONGEST_CALL_LIMIT = 800


class SettingsError(ValueError):
    """A setting that the stack cannot be built with: its name, what was wrong and what would be right."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One deployment of the stack. Durations are in seconds, money is in US dollars."""

    name: str
    #: Deployed to an emulator on this machine: reached by plain HTTP, run by this machine's Python, thrown away.
    emulated: bool = False

    #: The longest a provider's call may hold the line; the margin is for storing its result.
    longest_call: int = 300
    call_margin: int = 30
    lease_margin: int = 10
    resend_after: int = 60
    default_deadline: int = HOUR
    longest_deadline: int = DAY
    retention: int = 7 * DAY

    #: A new AWS account runs 10 functions at once; these leave four of them to the API and the sweeper.
    concurrent_calls: int = 4
    concurrent_steps: int = 2
    #: Of all callers together; twice as many may come at once.
    requests_per_second: int = 100

    #: Where a server answers: its name → URL template with an optional {model}; the name `*` stands for all others.
    servers: Mapping[str, str] = field(default_factory=dict)
    #: What a server's account allows: its name → {"windows": [[starts, seconds], …], "max_concurrent": calls}.
    #: In no window of so many seconds are there more starts; every start is reserved, none is tried and refused.
    limits: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    #: How late a reserved start may be used without a new one; windows are kept that much longer.
    start_tolerance: float = 1.0
    #: A job whose start is further away than this is not accepted (429 with Retry-After); None accepts every job.
    horizon: float | None = HOUR / 2
    #: The most a day (UTC) may bring: {"usd": …, "jobs": …}, and how many jobs may be open: {"open_jobs": …}.
    #: `owner_caps` hold for each owner, so that none starves the others; `deployment_caps` for all together.
    owner_caps: Mapping[str, object] = field(default_factory=dict)
    deployment_caps: Mapping[str, object] = field(default_factory=dict)
    #: Whose equal requests share one generation and its result: `owner`, `deployment` or `off`.
    cache: str = "owner"
    #: When a job takes another route: `unserved` (its own cannot serve it) or `busy` (its own would have it wait).
    failover: str = "unserved"
    #: Offers only models whose license allows commercial use.
    commercial_only: bool = False
    #: What runs on GPUs of one's own: a model's name → its instance type (infra/gpu/sagemaker.py says what that costs).
    gpu: Mapping[str, str] = field(default_factory=dict)
    #: The container's image there; None is Hugging Face's, as of infra/gpu/sagemaker.py.
    gpu_image: str | None = None
    #: Who is told of alarms, beside the topic.
    alarm_email: str | None = None

    def __post_init__(self) -> None:
        if self.default_deadline > self.longest_deadline:
            raise SettingsError("default_deadline must not exceed longest_deadline")
        set_up = [*(self.servers or USUAL_SERVERS), *(f"sagemaker-{model}" for model in self.gpu)]
        if unknown := sorted(set(self.limits) - set(set_up)):
            known = ", ".join(set_up)
            raise SettingsError(f"limits names the server {unknown[0]!r}, which is not set up: there are {known}")

    @property
    def stack_name(self) -> str:
        return "Longplay" if self.name == "prod" else f"Longplay-{self.name}"

    @property
    def generator_timeout(self) -> int:
        return self.longest_call + self.call_margin

    @property
    def longest_kept(self) -> int:
        """How long after its submission a job may still be read."""
        return self.longest_deadline + self.retention

    @property
    def gpu_endpoints(self) -> Mapping[str, str]:
        """The endpoints' names by model; known beforehand, so that settings and grants can name them."""
        return {model: f"{self.stack_name}-{model}".lower() for model in self.gpu}

    @property
    def runtime_settings(self) -> str:
        """The functions' SETTINGS: of what they share with the stack, all that is not as usual."""
        return self.runtime_settings_with({})

    def runtime_settings_with(self, own_servers: Mapping[str, str]) -> str:
        """The same, with servers whose URLs only the stack knows."""
        usual = Stage(name=self.name)
        chosen = {name: getattr(self, name) for name in SHARED if getattr(self, name) != getattr(usual, name)}
        if own_servers:
            chosen["servers"] = {**(self.servers or USUAL_SERVERS), **own_servers}
        return json.dumps(chosen, sort_keys=True)


#: `local` keeps the length of calls and little else; `test` lets a crash be seen to heal in seconds.
STAGES = {
    "prod": Stage(name="prod"),
    "local": Stage(name="local", emulated=True, longest_call=150, requests_per_second=2_000),
    "test": Stage(
        name="test",
        emulated=True,
        longest_call=10,
        call_margin=4,
        lease_margin=2,
        resend_after=5,
        requests_per_second=2_000,
    ),
}


def stage_from(context: Mapping[str, object]) -> Stage:
    """The stage that `-c stage=…` names (prod by default), with the settings given beside it.

    CDK's own keys in `context` (they hold a `:` or begin with `@`) are passed over.
    Raises SettingsError for an unknown stage or setting and for a value that cannot be used.
    """
    given = {name: value for name, value in context.items() if ":" not in name and not name.startswith("@")}
    stage = _named(given.pop("stage", "prod"))
    settings: dict[str, Any] = {name: _parsed(name, value) for name, value in given.items()}
    return replace(stage, **settings)


def _named(name: object) -> Stage:
    try:
        return STAGES[str(name)]
    except KeyError:
        raise SettingsError(f"unknown stage {name!r}: choose one of {', '.join(STAGES)}") from None


def _parsed(name: str, value: object) -> object:
    try:
        parse = PARSERS[name]
    except KeyError:
        raise SettingsError(f"unknown setting {name!r}: there are stage, {', '.join(PARSERS)}") from None
    try:
        return parse(value)
    except ValueError as error:
        raise SettingsError(f"{name}={value!r}: {error}") from error


#: Bounds: SQS takes event sources of 2 to 1,000 at once, and S3 keeps nothing for less than a day.
PARSERS: Mapping[str, Parser] = {
    "servers": servers,
    "limits": limits,
    "start_tolerance": number(0, 60),
    "horizon": or_off(number(1, DAY)),
    "owner_caps": caps,
    "deployment_caps": caps,
    "cache": one_of("owner", "deployment", "off"),
    "failover": one_of("unserved", "busy"),
    "commercial_only": yes_or_no,
    "gpu": gpu(*GPU_MODELS),
    "gpu_image": image,
    "alarm_email": email,
    "longest_call": whole_number(1, LONGEST_CALL_LIMIT),
    "default_deadline": whole_number(1, DAY),
    "longest_deadline": whole_number(1, DAY),
    "retention": whole_number(60, 365 * DAY),
    "concurrent_calls": whole_number(2, 1000),
    "concurrent_steps": whole_number(2, 1000),
    "requests_per_second": whole_number(1, 10_000),
}
