"""Which way a job goes: the routes that are set up, in the catalogue's order, around those closed just now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from longplay.domain.catalogue import Catalogue, Model, Route
from longplay.domain.errors import NotConfigured
from longplay.domain.job import Job
from longplay.domain.request import GenerationRequest
from longplay.domain.retry import RETRIES
from longplay.domain.settings import Settings
from longplay.storage.circuits import Circuits


@dataclass(frozen=True, kw_only=True)
class Routes:
    """Chooses among a model's routes."""

    catalogue: Catalogue
    settings: Settings
    circuits: Circuits

    def first(self, model: Model) -> Route:
        """The route a new job takes; raises NotConfigured where none is set up.

        Where all are closed it is the first: whoever goes there learns how it stands now.
        """
        ways = list(self._set_up(model))
        if not ways:
            raise NotConfigured(_nothing_set_up(model))
        return ways[0] if len(ways) == 1 else next((way for way in ways if self._open(model, way)), ways[0])

    def onward(self, job: Job) -> Route | None:
        """Another route for a job, one that it has not tried; None where there is none open."""
        model = self.catalogue.models.get(job.request.model)
        tried = {job.route, *(attempt.route for attempt in job.attempts)}
        if model is None:
            return None
        return next((way for way in self._set_up(model) if way.name not in tried and self._open(model, way)), None)

    def back(self, job: Job) -> Route | None:
        """The last way that a job left though it may still lead there; None where there is none."""
        left = {attempt.route: attempt.outcome for attempt in job.attempts if attempt.route != job.route}
        model = self.catalogue.models.get(job.request.model)
        ways = {way.name: way for way in self._set_up(model)} if model else {}
        return next((ways[name] for name in reversed(left) if name in ways and left[name] in RETRIES), None)

    def max_price_usd(self, model: Model, request: GenerationRequest) -> float:
        """The most one generation can come to, whichever route it goes."""
        return max((model.price_usd(way, request.parameters) for way in self._set_up(model)), default=0.0)

    def price_usd(self, job: Job, way: Route) -> float:
        """What one generation of a job comes to on that way."""
        model = self.catalogue.models.get(job.request.model)
        return model.price_usd(way, job.request.parameters) if model else way.price_usd

    def _set_up(self, model: Model) -> Iterator[Route]:
        return filter(self.settings.is_configured, model.routes)

    def _open(self, model: Model, way: Route) -> bool:
        return not self.circuits.closed(self.settings.account_of(way.server), model.name, way.name)


def _nothing_set_up(model: Model) -> str:
    servers = ", ".join(route.server for route in model.routes)
    return (
        f"No server is set up for {model.name}. The operator can deploy with one of these in `servers`: {servers}. "
        "Nothing was created or charged."
    )
