"""The JSON document of the catalogue: models, parameters with bounds, prices and licenses."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET

from longplay.domain.catalogue import Bound, Catalogue, Model, Route
from longplay.http import documents
from longplay.http.documents import given
from longplay.http.job_view import license_view


def models_view(catalogue: Catalogue, wait_at: Callable[[Route], float]) -> documents.Models:
    """Every offered model, with its configured routes in the order they are tried.

    `wait_at` gives the seconds for which a new job would wait now on a route.
    """
    return documents.Models(models=tuple(_model(model, catalogue, wait_at) for model in catalogue.offered))


def _model(model: Model, catalogue: Catalogue, wait_at: Callable[[Route], float]) -> documents.Model:
    set_up = [route for route in model.routes if route.url is not None]
    routes = tuple(map(_route, set_up))
    return documents.Model(
        id=model.name,
        kind=model.kind,
        title=model.title,
        default=catalogue.default(model.kind) is model,
        aliases=model.aliases,
        license=license_view(model),
        from_image=model.from_image,
        parameters={name: _parameter(bound) for name, bound in model.parameters.items()},
        routes=routes,
        available=bool(routes),
        wait_seconds=round(wait_at(set_up[0])) if set_up else UNSET,
    )


def _route(route: Route) -> documents.ModelRoute:
    return documents.ModelRoute(
        name=route.name,
        provider=route.provider,
        estimated_usd=route.price_usd,
        grows_with=route.grows_with,
        read=route.read,
        typical_seconds=route.typical_seconds,
        doubtful=route.doubtful,
        ignores=route.ignores,
        approximates=route.approximates,
    )


def _parameter(bound: Bound) -> documents.Parameter:
    return documents.Parameter(
        type="string" if bound.type == "text" else bound.type,
        default=given(bound.default),
        minimum=given(bound.least),
        maximum=given(bound.most),
        multiple_of=given(bound.step),
        max_length=given(bound.longest),
    )
