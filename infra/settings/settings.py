"""The settings of a stage: those of the functions (longplay.domain.settings), and those of the stack alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, get_type_hints

import msgspec
from longplay.domain.models_file import CatalogueError
from longplay.domain.settings import USUAL_SERVERS, Settings
from msgspec import Meta
from msgspec.structs import replace

from infra.gpu.models import gpu_models
from infra.settings.catalogue import catalogue
from infra.settings.reading import read

_AN_INSTANCE = "an instance type, like ml.g5.xlarge"
_GPU = 'a JSON object of instance types, like {"musicgen-small": "ml.g5.xlarge"}'
_AN_IMAGE = "an image in ECR, like 111122223333.dkr.ecr.eu-central-1.amazonaws.com/repository:tag"

InstanceType = Annotated[str, Meta(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$", description=_AN_INSTANCE)]
Image = Annotated[
    str,
    Meta(pattern=r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9/._-]+:[\w.-]+$", description=_AN_IMAGE),
]
Email = Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$", description="an e-mail address")]

#: Fields that belong to a stage and cannot be given by `-c name=value`.
FIXED = ("name", "emulated", "call_margin", "lease_margin", "url_lifetime", "resend_after", "private_webhooks")


class SettingsError(ValueError):
    """Settings or a catalogue with which the stack cannot be built. The text names the mistake and what is right."""


class Stage(Settings, frozen=True, kw_only=True):
    """One deployment of the stack. Durations are in seconds."""

    name: str
    #: Deployed to an emulator on this machine: plain HTTP, this machine's Python, deleted after use.
    emulated: bool = False
    #: Time to store the result after the longest call.
    call_margin: int = 30
    #: Of all callers together; twice as many can come at the same instant.
    requests_per_second: Annotated[int, Meta(ge=1, le=10_000)] = 100
    #: A second API that clients of Hugging Face and OpenAI can use (docs/other-clients.md).
    faces: bool = True
    #: The instance type of each model that runs on a GPU in this account (infra/gpu/sagemaker.py has the costs).
    gpu: Annotated[Mapping[str, InstanceType], Meta(description=_GPU)] = {}
    #: The image of its container; None is Hugging Face's (infra/gpu/sagemaker.py).
    gpu_image: Image | None = None
    #: The address that gets the alarms; without it they go to the topic only.
    alarm_email: Email | None = None

    @property
    def stack_name(self) -> str:
        """The name of the CloudFormation stack."""
        return "Longplay" if self.name == "prod" else f"Longplay-{self.name}"

    @property
    def generator_timeout(self) -> int:
        """The timeout of the generator's function."""
        return self.longest_call + self.call_margin

    @property
    def longest_kept(self) -> int:
        """The longest time between the submission of a job and its deletion."""
        return self.longest_deadline + self.retention

    @property
    def gpu_endpoints(self) -> Mapping[str, str]:
        """The name of each model's endpoint, which settings and grants use before the endpoint exists.

        SageMaker does not change the instance type of an endpoint that scales by itself. As the type is part of the
        name, another type makes another endpoint, and the old one is deleted.
        """
        return {model: f"{self.stack_name}-{model}-{_in_a_name(type_)}".lower() for model, type_ in self.gpu.items()}

    @property
    def runtime_settings(self) -> str:
        """The SETTINGS of the functions: a JSON object of all values that are not the defaults."""
        return self.runtime_settings_with({})

    def runtime_settings_with(self, own_servers: Mapping[str, str]) -> str:
        """The same, with servers whose URLs only the stack knows."""
        chosen, defaults = msgspec.to_builtins(self), msgspec.to_builtins(Settings())
        changed = {name: chosen[name] for name, default in defaults.items() if chosen[name] != default}
        if own_servers:
            changed["servers"] = {**self.servers, **own_servers}
        return json.dumps(changed, sort_keys=True)

    @property
    def chosen(self) -> dict[str, Any]:
        """All settings that are not the defaults, by their names."""
        given, defaults = msgspec.to_builtins(self), msgspec.to_builtins(STAGES.get(self.name) or Stage(name=self.name))
        return {name: given[name] for name, default in defaults.items() if given[name] != default}

    def check(self) -> None:
        """Raises SettingsError if settings do not fit each other or the catalogue."""
        servers = {route.server: None for model in catalogue().models.values() for route in model.routes}
        own = [f"sagemaker-{model}" for model in self.gpu]
        if unknown := next((model for model in self.gpu if model not in gpu_models()), None):
            raise SettingsError(f"gpu: unknown key {unknown!r}: there are {', '.join(gpu_models())}")
        if self.faces and not self.held_answers:
            raise SettingsError("held_answers=0 leaves nothing to faces, which hold every answer: set faces=false too")
        if mistake := next(self.mistakes(used=list(servers), added=own), None):
            raise SettingsError(mistake)


def _in_a_name(instance_type: str) -> str:
    return instance_type.removeprefix("ml.").replace(".", "-")


#: `local` differs from `prod` in little; `test` has short times, so that a recovery takes seconds.
STAGES = {
    "prod": Stage(name="prod"),
    "local": Stage(name="local", emulated=True, longest_call=150, requests_per_second=2_000, private_webhooks=True),
    "test": Stage(
        name="test",
        emulated=True,
        longest_call=10,
        call_margin=4,
        lease_margin=2,
        resend_after=5,
        private_webhooks=True,
        requests_per_second=2_000,
    ),
}

_TYPES = {name: kind for name, kind in get_type_hints(Stage, include_extras=True).items() if name not in FIXED}


def stage_from(context: Mapping[str, object], tables: Mapping[str, Mapping[str, Any]] | None = None) -> Stage:
    """The stage that `-c stage=…` names (prod by default), with its settings of `tables` and those given beside it.

    CDK's own keys in `context` contain a `:` or begin with `@`; they are skipped. Raises SettingsError for an unknown
    stage or setting, for a value that cannot be used, and for a mistake in models.toml.
    """
    given = {name: value for name, value in context.items() if ":" not in name and not name.startswith("@")}
    name = str(given.pop("stage", "prod"))
    stage = _named(name, tables or {})
    given = {**(tables or {}).get(name, {}), **given}
    settings: dict[str, Any] = {name: _parsed(name, value) for name, value in given.items()}
    if not settings.get("servers", True):
        settings["servers"] = USUAL_SERVERS
    chosen = replace(stage, **settings)
    try:
        chosen.check()
    except CatalogueError as error:
        raise SettingsError(str(error)) from error
    return chosen


def _named(name: str, tables: Mapping[str, object]) -> Stage:
    if name in STAGES:
        return STAGES[name]
    if name not in tables:
        there = ", ".join({**STAGES, **tables})
        raise SettingsError(f"unknown stage {name!r}: choose one of {there}, or give it a table in longplay.toml")
    return Stage(name=name)


def _parsed(name: str, value: object) -> object:
    if name not in _TYPES:
        raise SettingsError(f"unknown setting {name!r}: there are stage, {', '.join(_TYPES)}")
    try:
        return read(_TYPES[name], value)
    except ValueError as error:
        raise SettingsError(f"{name}={value!r}: {error}") from error
