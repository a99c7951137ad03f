"""The catalogue: the models a caller can request, their parameters, and the routes to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Literal

import msgspec

EVERY_MODEL = "*"  # the server that stands for every server of Hugging Face's contract


class Kind(StrEnum):
    """The kind of media a generation makes."""

    MUSIC = "music"
    IMAGE = "image"
    VIDEO = "video"


class Bound(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The allowed values of a parameter: `least`, `most` and `step` of a number, `longest` (characters) of a text."""

    type: Literal["number", "integer", "text"]
    default: int | float | str | None = None
    least: float | None = None
    most: float | None = None
    step: int | None = None
    longest: int | None = None


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A route to a model: a provider, a server of the operator's settings, and the provider's id of the model.

    `price_usd` is for the default parameters and grows in proportion to the parameters `grows_with`. The provider
    cannot honor the parameters `ignores`, and uses the nearest value it supports of those in `approximates`. `read` is
    the month (`YYYY-MM`) in which these facts were read. A `doubtful` route was not served then, but may be again.
    `inputs` is a template of the request, for a provider whose models have no input in common.
    `holds_connection`, `calls_back`, `own_contract`, `holds_polls` and `free` come from the provider's row. `account`
    is the name of its server in the settings, `url` the URL of the model there, None if the server is not set up.
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
    inputs: dict[str, Any] | list[Any] = {}
    holds_connection: bool = False
    calls_back: bool = False
    own_contract: bool = True
    holds_polls: bool = False
    free: bool = False
    account: str = EVERY_MODEL
    url: str | None = None

    @property
    def queue(self) -> str:
        """The queue of its jobs. Calls that take minutes have their own, so that they do not block short ones."""
        return "calls" if self.holds_connection or self.holds_polls else "steps"

    @property
    def callback_grace(self) -> float:
        """Seconds to wait for a callback, after a worker crashed during a call, before the call is repeated."""
        return 3 * self.typical_seconds if self.calls_back else 0.0


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model as callers name it, with all routes to it. `commercial`: its license allows commercial use of results."""

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
        """The estimated price of a generation with these parameters; at least the price with the defaults."""
        times = 1.0
        for name in route.grows_with:
            default = self.parameters[name].default
            times *= float(parameters.get(name, default)) / float(default or 1)
        return round(route.price_usd * max(times, 1.0), 6)

    def route(self, name: str) -> Route | None:
        """The route of that name; None if it is no longer in the catalogue."""
        return next((route for route in self.routes if route.name == name), None)


class Catalogue:
    """All models by name and alias. With `commercial_only`, models without commercial use are not offered."""

    def __init__(
        self,
        models: Iterable[Model],
        *,
        default_kind: Kind,
        defaults: Mapping[Kind, str],
        commercial_only: bool = False,
    ) -> None:
        self.models = {model.name: model for model in models}
        self.default_kind = default_kind
        self._by_id = {key.lower(): model for model in self.models.values() for key in _ids(model)}
        self._defaults = defaults
        self._commercial_only = commercial_only

    @property
    def offered(self) -> tuple[Model, ...]:
        """The models that a caller can request here."""
        return tuple(filter(self.offers, self.models.values()))

    def offers(self, model: Model) -> bool:
        """Whether a caller can request the model here."""
        return model.commercial or not self._commercial_only

    def find(self, model_id: str) -> Model | None:
        """The model with this name or alias, in upper or lower case; None if there is none."""
        return self._by_id.get(model_id.lower())

    @property
    def served(self) -> tuple[Model, ...]:
        """The offered models with a route that is set up and was served when models.toml was written."""
        return tuple(filter(_is_reached, self.offered))

    def default(self, kind: Kind | None = None) -> Model | None:
        """The model of a request that names none: of this kind, or of the first kind that is served here.

        It is the default of models.toml if it is served here, else the first served model, one without an input image
        if possible. None if no model of the kind is served.
        """
        kinds = [kind] if kind else sorted(Kind, key=lambda each: each != self.default_kind)
        return next((model for each in kinds if (model := self._default_of(each))), None)

    def _default_of(self, kind: Kind) -> Model | None:
        served = [model for model in self.served if model.kind is kind]
        return min(served, key=lambda model: (model.name != self._defaults[kind], model.from_image), default=None)


def _is_reached(model: Model) -> bool:
    return any(route.url is not None and not route.doubtful for route in model.routes)


def _ids(model: Model) -> tuple[str, ...]:
    return (model.name, *model.aliases)
