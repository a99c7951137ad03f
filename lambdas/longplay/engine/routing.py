"""Chooses the route of a job: those that are set up, in the catalogue's order, past the closed ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from longplay.domain.availability import no_route
from longplay.domain.catalogue import Catalogue, Model, Route
from longplay.domain.job import Job, Leg
from longplay.domain.request import GenerationRequest
from longplay.domain.retry import may_recover
from longplay.domain.settings import Settings
from longplay.storage.circuits import Circuits
from longplay.storage.timings import Timings


@dataclass(frozen=True, kw_only=True)
class Routing:
    """Chooses among a model's routes."""

    catalogue: Catalogue
    settings: Settings
    circuits: Circuits
    timings: Timings

    def first(self, model: Model, request: GenerationRequest) -> Leg:
        """The leg of a new job. Raises ModelUnavailable where no route is set up.

        If every route is closed, it takes the first: the call will show whether it still is.
        """
        routes = list(self._set_up(model))
        if not routes:
            raise no_route(model, self.catalogue)
        route = routes[0]
        if len(routes) > 1:
            route = next((route for route in routes if self._open(model, route)), route)
        return self._leg(model, route, request)

    def onward(self, job: Job) -> Leg | None:
        """Another route that is open and whose call the job has not made; None where there is none."""
        model = self.catalogue.models.get(job.request.model)
        if model is None:
            return None
        names = {job.leg.route, *(attempt.route for attempt in job.attempts)}
        tried = {_call(route) for route in model.routes if route.name in names}
        untried = (route for route in self._set_up(model) if _call(route) not in tried and self._open(model, route))
        return next((self._leg(model, route, job.request) for route in untried), None)

    def back(self, job: Job) -> Leg | None:
        """The last route the job left although it may still work; None where there is none."""
        model = self.catalogue.models.get(job.request.model)
        if model is None:
            return None
        left = {attempt.route: attempt.outcome for attempt in job.attempts if attempt.route != job.leg.route}
        routes = {route.name: route for route in self._set_up(model)}
        names = (name for name in reversed(left) if name in routes and may_recover(job, left[name]))
        return next((self._leg(model, routes[name], job.request) for name in names), None)

    def max_price_usd(self, model: Model, request: GenerationRequest) -> float:
        """The price of one generation on the most expensive route."""
        return max((model.price_usd(route, request.parameters) for route in self._set_up(model)), default=0.0)

    def _leg(self, model: Model, route: Route, request: GenerationRequest) -> Leg:
        timing = self.timings.of(model.name, route)
        return Leg(
            route=route.name,
            account=route.account,
            queue=route.queue,
            callback_grace=route.callback_grace,
            price_usd=model.price_usd(route, request.parameters),
            typical_seconds=timing.seconds,
            typical_basis=timing.basis,
        )

    def _set_up(self, model: Model) -> Iterator[Route]:
        return (route for route in model.routes if route.url is not None)

    def _open(self, model: Model, route: Route) -> bool:
        """Whether neither this route is closed nor another one that is the same call."""
        same = (other for other in model.routes if _call(other) == _call(route))
        return not any(self.circuits.closed(other.account, model.name, other.name) for other in same)


def _call(route: Route) -> tuple[str | None, ...]:
    """The parts of a call. With one server for all models (`*`), several routes are the same call."""
    if route.url is None:
        return (route.name,)
    return route.provider, route.account, route.url, route.model, route.style
