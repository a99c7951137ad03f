"""Which models are served by this deployment, and the answer to a request for one that is not."""

from __future__ import annotations

from collections.abc import Iterable

from longplay.domain.catalogue import Catalogue, Kind, Model, Route
from longplay.domain.errors import ModelUnavailable


def available(catalogue: Catalogue) -> str:
    """The names of the models a caller can choose: those that are served here, or all that are offered if none is."""
    return ", ".join(model.name for model in catalogue.served or catalogue.offered)


def no_route(model: Model, catalogue: Catalogue) -> ModelUnavailable:
    """The answer where no route to the model is set up."""
    return ModelUnavailable(f"{model.name} is not served by this deployment. {_ways_out([model], catalogue)}")


def not_offered(name: str, catalogue: Catalogue) -> ModelUnavailable:
    """The answer for the model of an old job, which has left the catalogue or may not be used commercially."""
    return ModelUnavailable(f"{name} is not offered by this deployment any more. {_ways_out([], catalogue)}")


def no_default(kind: Kind | None, catalogue: Catalogue) -> ModelUnavailable:
    """The answer to a request that names no model, where none of its kind (of any kind, for None) is served."""
    missing = [model for model in catalogue.offered if kind in (None, model.kind)]
    named = f"No model for {kind}" if kind else "No model"
    return ModelUnavailable(f"{named} is served by this deployment. {_ways_out(missing, catalogue)}")


def _ways_out(missing: Iterable[Model], catalogue: Catalogue) -> str:
    served = ", ".join(model.name for model in catalogue.served)
    here = f"Served here: {served}. " if served else ""
    servers = ", ".join(
        dict.fromkeys(_server(route) for model in missing for route in model.routes if not route.doubtful)
    )
    setup = f"Its operator can set up one of these servers (docs/providers.md): {servers}. " if servers else ""
    return f"{here}{setup}Nothing was created or charged."


def _server(route: Route) -> str:
    return "a GPU of its own (`gpu`)" if route.provider == "sagemaker" else route.server
