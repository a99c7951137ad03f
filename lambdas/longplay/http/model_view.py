"""The JSON document of the catalogue: models, parameters with bounds, prices and licenses."""

from __future__ import annotations

from typing import Any

import msgspec

from longplay.domain.catalogue import Catalogue, Model, Route


def models_view(catalogue: Catalogue) -> dict[str, Any]:
    """Every offered model, with its configured routes in the order they are tried."""
    return {"models": [_model(model, catalogue) for model in catalogue.offered]}


def _model(model: Model, catalogue: Catalogue) -> dict[str, Any]:
    routes = [_route(route) for route in model.routes if route.url is not None]
    return {
        "id": model.name,
        "kind": model.kind,
        "title": model.title,
        "default": catalogue.default(model.kind) is model,
        "aliases": model.aliases,
        "license": {"name": model.license, "notice": model.license_notice, "commercial": model.commercial},
        "from_image": model.from_image,
        "parameters": {name: _present(bound) for name, bound in model.parameters.items()},
        "routes": routes,
        "available": bool(routes),
    }


def _route(route: Route) -> dict[str, Any]:
    return {
        "name": route.name,
        "provider": route.provider,
        "estimated_usd": route.price_usd,
        "grows_with": route.grows_with,
        "read": route.read,
        "typical_seconds": route.typical_seconds,
        "doubtful": route.doubtful,
        "ignores": route.ignores,
        "approximates": route.approximates,
    }


def _present(bound: object) -> dict[str, Any]:
    return {name: value for name, value in msgspec.to_builtins(bound).items() if value is not None}
