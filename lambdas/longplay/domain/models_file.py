"""Reads models.toml into the catalogue."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from longplay.domain.catalogue import Catalogue, Kind, Model, Route
from longplay.domain.providers import ProviderEntry

MODELS_FILE = Path(__file__).parents[2] / "models.toml"


def load_catalogue(
    providers: Mapping[str, ProviderEntry],
    path: Path = MODELS_FILE,
    *,
    commercial_only: bool = False,
    is_set_up: Callable[[Route], bool] = lambda _: True,
) -> Catalogue:
    """The catalogue in a TOML file, its routes served by `providers`; raises msgspec.ValidationError if it is wrong."""
    document = tomllib.loads(path.read_text())
    defaults = document["defaults"]
    return Catalogue(
        [_model(name, table, providers) for name, table in document["models"].items()],
        default_kind=Kind(defaults["kind"]),
        defaults={kind: defaults[kind] for kind in Kind},
        commercial_only=commercial_only,
        is_set_up=is_set_up,
    )


def _model(name: str, table: Mapping[str, Any], providers: Mapping[str, ProviderEntry]) -> Model:
    routes = [{**route, **_facts(providers[route["provider"]])} for route in table["routes"]]
    return msgspec.convert({"name": name, **table, "routes": routes}, Model)


def _facts(provider: ProviderEntry) -> Mapping[str, bool]:
    return {
        "holds_connection": provider.holds_connection,
        "calls_back": provider.calls_back,
        "own_contract": provider.own_contract,
    }
