"""The catalogue: which models can be asked for, what they take, and by which routes they are reached."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import msgspec

_HOLD_THE_LINE = frozenset({"huggingface", "hf-nscale", "hf-together"})
_CALL_BACK = frozenset({"replicate", "fal", "sagemaker"})
MODELS_FILE = Path(__file__).parents[2] / "models.toml"


class Kind(StrEnum):
    """What a generation makes."""

    MUSIC = "music"
    IMAGE = "image"
    VIDEO = "video"


class Bound(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one parameter may be: `least`, `most` and `step` for numbers, `longest` (characters) for text."""

    type: Literal["number", "integer", "text"]
    default: int | float | str | None = None
    least: float | None = None
    most: float | None = None
    step: int | None = None
    longest: int | None = None


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to a model: a provider, the operator's server for it, and the id it knows the model by.

    `read` is the month its facts were read in. What it costs grows with the parameters `grows_with`; it cannot honor
    those it `ignores`, and takes the nearest it has of those it `approximates`. A `doubtful` one was not served when
    last read, and is kept because that changes.
    """

    name: str
    provider: str
    server: str
    model: str
    style: str = "toolkit"
    typical_seconds: float
    timeout_seconds: float
    price_usd: float
    read: str
    grows_with: tuple[str, ...] = ()
    doubtful: bool = False
    ignores: tuple[str, ...] = ()
    approximates: tuple[str, ...] = ()

    @property
    def holds_the_line(self) -> bool:
        """Whether the provider answers with the result itself, rather than with a reference to ask by."""
        return self.provider in _HOLD_THE_LINE

    @property
    def calls_back(self) -> bool:
        """Whether the provider says itself that a generation has ended."""
        return self.provider in _CALL_BACK

    @property
    def queue(self) -> str:
        """The queue its jobs go through: one slow server must not block those that answer at once."""
        return "calls" if self.holds_the_line else "steps"

    @property
    def callback_grace(self) -> float:
        """Seconds a call that may yet call back is not repeated after its worker crashed."""
        return 3 * self.typical_seconds if self.calls_back else 0.0


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A logical model: what a caller names, whoever serves it. `commercial`: its license lets results be sold."""

    name: str
    kind: Kind
    title: str
    license: str
    license_notice: str | None = None
    commercial: bool = True
    aliases: tuple[str, ...] = ()
    from_image: bool = False
    parameters: dict[str, Bound]
    routes: tuple[Route, ...]

    def price_usd(self, route: Route, parameters: Mapping[str, Any]) -> float:
        """What one generation with these parameters is estimated to cost: never less than one with the defaults."""
        times = 1.0
        for name in route.grows_with:
            usual = self.parameters[name].default
            times *= float(parameters.get(name, usual)) / float(usual or 1)
        return round(route.price_usd * max(times, 1.0), 6)

    def route(self, name: str) -> Route | None:
        """The route of that name; None after a deployment took it away."""
        return next((route for route in self.routes if route.name == name), None)


class Catalogue:
    """Every model, by name and by alias; with `commercial_only`, not all of them are offered."""

    def __init__(
        self,
        models: Iterable[Model],
        *,
        default_kind: Kind,
        defaults: Mapping[Kind, str],
        commercial_only: bool = False,
        is_set_up: Callable[[Route], bool] = lambda _: True,
    ) -> None:
        self.models = {model.name: model for model in models}
        self.default_kind = default_kind
        self._by_id = {key.lower(): model for model in self.models.values() for key in _ids(model)}
        self._defaults = defaults
        self._commercial_only = commercial_only
        self._is_set_up = is_set_up

    @property
    def offered(self) -> tuple[Model, ...]:
        """The models that can be asked for."""
        return tuple(filter(self.offers, self.models.values()))

    def offers(self, model: Model) -> bool:
        """Whether this deployment lets the model be asked for."""
        return model.commercial or not self._commercial_only

    def find(self, model_id: str) -> Model | None:
        """The model a caller means by a name or a public id, in any case of letters."""
        return self._by_id.get(model_id.lower())

    def default(self, kind: Kind) -> Model | None:
        """The model a request gets that names only a kind: the usual one, or else the first that is reached here."""
        usual = self._defaults[kind]
        offered = sorted((model for model in self.offered if model.kind is kind), key=lambda model: model.name != usual)
        return next(filter(self._is_reached, offered), offered[0] if offered else None)

    def _is_reached(self, model: Model) -> bool:
        return any(self._is_set_up(route) and not route.doubtful for route in model.routes)


def load_catalogue(
    path: Path = MODELS_FILE, *, commercial_only: bool = False, is_set_up: Callable[[Route], bool] = lambda _: True
) -> Catalogue:
    """The catalogue in a TOML file; raises msgspec.ValidationError where the file is wrong."""
    document = tomllib.loads(path.read_text())
    defaults = document["defaults"]
    return Catalogue(
        [_model(name, table) for name, table in document["models"].items()],
        default_kind=Kind(defaults["kind"]),
        defaults={kind: defaults[kind] for kind in Kind},
        commercial_only=commercial_only,
        is_set_up=is_set_up,
    )


def _model(name: str, table: dict[str, Any]) -> Model:
    return msgspec.convert({"name": name, **table}, Model)


def _ids(model: Model) -> tuple[str, ...]:
    return (model.name, *model.aliases)
