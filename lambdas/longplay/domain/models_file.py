"""Reads models.toml into the catalogue, and refuses a file with a mistake in it."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from longplay.domain.catalogue import EVERY_MODEL, Bound, Catalogue, Kind, Model, Route
from longplay.domain.catalogue_checks import problems
from longplay.domain.providers import ProviderEntry

MODELS_FILE = Path(__file__).parents[2] / "models.toml"

_PROVIDERS_FACTS = ("holds_connection", "calls_back", "own_contract", "holds_polls", "free")
_SERVERS_FACTS = ("account", "url")

T = TypeVar("T")


class CatalogueError(ValueError):
    """A models file that cannot be used. Each line names the file, the model, the field, and the mistake."""


class _Defaults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: Kind
    music: str
    image: str
    video: str


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    defaults: dict[str, Any]
    models: dict[str, dict[str, Any]]


def load_catalogue(
    providers: Mapping[str, ProviderEntry],
    path: Path = MODELS_FILE,
    *,
    servers: Mapping[str, str] = MappingProxyType({}),
    commercial_only: bool = False,
) -> Catalogue:
    """The catalogue in a TOML file, its routes served by `providers` at `servers` (URLs by name, as in the settings).

    Raises CatalogueError for any mistake in the file.
    """
    document = _struct(_Document, _toml(path), path.name)
    chosen = _struct(_Defaults, document.defaults, f"{path.name}: [defaults]")
    defaults = {Kind.MUSIC: chosen.music, Kind.IMAGE: chosen.image, Kind.VIDEO: chosen.video}
    models = [_model(name, table, providers, servers, path.name) for name, table in document.models.items()]
    if found := [f"{path.name}: {problem}" for problem in problems(models, defaults)]:
        raise CatalogueError("\n".join(found))
    return Catalogue(models, default_kind=chosen.kind, defaults=defaults, commercial_only=commercial_only)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{path.name} is not TOML: {error}") from error


def _model(
    name: str,
    table: Mapping[str, Any],
    providers: Mapping[str, ProviderEntry],
    servers: Mapping[str, str],
    file: str,
) -> Model:
    where = f"{file}: model `{name}`"
    _refuse_unknown(table, _names(Model) - {"name"}, where)
    bounds = _value(dict[str, dict[str, Any]], table.get("parameters", {}), f"{where}, `parameters`")
    routes = _value(list[dict[str, Any]], table.get("routes", []), f"{where}, `routes`")
    given = {
        **table,
        "name": name,
        "parameters": {key: _struct(Bound, bound, f"{where}, parameter `{key}`") for key, bound in bounds.items()},
        "routes": tuple(_at_server(_route(route, providers, where), servers) for route in routes),
    }
    return _value(Model, given, where)


def _route(table: Mapping[str, Any], providers: Mapping[str, ProviderEntry], model: str) -> Route:
    where = f"{model}, route `{table.get('name', '?')}`"
    _refuse_unknown(table, _names(Route) - {*_PROVIDERS_FACTS, *_SERVERS_FACTS}, where)
    provider = providers.get(str(table.get("provider")))
    if provider is None:
        known = ", ".join(providers)
        raise CatalogueError(f"{where}, `provider`: {table.get('provider')!r} is not known; there are {known}")
    return _value(Route, {**table, **{fact: getattr(provider, fact) for fact in _PROVIDERS_FACTS}}, where)


def _at_server(route: Route, servers: Mapping[str, str]) -> Route:
    """The route with the URL of its server: its own, or `*` if `*` stands for it."""
    account = route.server if route.server in servers or route.own_contract else EVERY_MODEL
    template = servers.get(account)
    return replace(route, account=account, url=template.replace("{model}", route.model) if template else None)


def _struct(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    _refuse_unknown(table, _names(kind), where)
    return _value(kind, table, where)


def _value(kind: type[T], value: object, where: str) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise CatalogueError(f"{where}: {error}") from error


def _refuse_unknown(table: Mapping[str, Any], known: Collection[str], where: str) -> None:
    if unknown := next((key for key in table if key not in known), None):
        raise CatalogueError(f"{where}: there is no field `{unknown}`; the fields are {', '.join(sorted(known))}")


def _names(kind: Any) -> set[str]:
    return set(kind.__struct_fields__)
