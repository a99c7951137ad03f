"""A job's calls to its provider: their route, their content and their time limit."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from longplay.domain.catalogue import Catalogue, Route
from longplay.domain.errors import Case, Charged, FailureKind, LongplayError, ProviderError
from longplay.domain.job import Job
from longplay.domain.request import GenerationRequest
from longplay.domain.settings import Settings
from longplay.providers.protocol import Accepted, Call, Done, PolledProvider, PollError, PreparedProvider, Provider
from longplay.providers.sent import requests_noted
from longplay.storage.files import ResultBucket
from longplay.storage.tokens import ProviderTokens

_log = logging.getLogger("longplay.calls")
STORING = 5  # seconds reserved at the end of a call to store its result
_FETCHED_WITHIN = 3_600  # seconds for which the URL of an input image is valid


@dataclass(frozen=True, kw_only=True)
class Calls:
    """Makes the calls. `callback_base` is the API's public URL, None where it has none; `remaining` is in seconds,
    `clock` gives epoch seconds.

    If the route is gone, `prepare` and `submit` raise ProviderError and the other two raise PollError.
    """

    providers: Mapping[str, Provider]
    bucket: ResultBucket
    tokens: ProviderTokens
    catalogue: Catalogue
    settings: Settings
    callback_base: str | None = None
    clock: Callable[[], float] = time.time

    def image(self, job: Job) -> bytes | None:
        """The input image, for `submit`. It is read before a start is looked at: a slow bucket makes no start late."""
        return self.bucket.input(job.input_key) if job.input_key else None

    def prepare(self, job: Job, *, image: bytes | None, folder: Path, remaining: float) -> None:
        """Read the token and what else the provider needs, for the same reason. Nothing is charged."""
        self.tokens.refresh()
        route = self._route(job)
        provider = self.providers[route.provider]
        if isinstance(provider, PreparedProvider):
            with _unexpected_as_failures(job):
                provider.prepare(self._call(job, route, folder, remaining, image=image))

    def submit(self, job: Job, *, image: bytes | None, folder: Path, remaining: float) -> Done | Accepted:
        """Start the generation."""
        route = self._route(job)
        call = self._call(job, route, folder, remaining, image=image)
        with _unexpected_as_failures(job):
            return self.providers[route.provider].submit(call)

    def poll(self, job: Job, *, folder: Path, remaining: float) -> Done | Accepted:
        """Poll the generation."""
        route = self._route_at_provider(job)
        with _unexpected_as_failures(job):
            return self._polled(route).poll(str(job.ref), self._call(job, route, folder, remaining))

    def cancel(self, job: Job, *, folder: Path, remaining: float) -> None:
        """Ask the provider to stop the generation; an unexpected failure at that is logged, and the poll follows."""
        route = self._route_at_provider(job)
        try:
            self._polled(route).cancel(str(job.ref), self._call(job, route, folder, remaining))
        except LongplayError:
            raise
        except Exception:  # noqa: BLE001 - a worker that dies here never polls, and the job never closes
            _log.exception("unexpected at a cancel", extra={"job": job.id, "route": job.leg.route})

    def _route(self, job: Job) -> Route:
        model = self.catalogue.models.get(job.request.model)
        route = model.route(job.leg.route) if model else None
        if route is None or route.url is None:
            raise ProviderError(FailureKind.NOT_SERVED, _gone(job))
        return route

    def _route_at_provider(self, job: Job) -> Route:
        """The route of a job at its provider. If it is gone, nothing is known of the generation."""
        try:
            return self._route(job)
        except ProviderError as error:
            raise PollError(error) from error

    def _polled(self, route: Route) -> PolledProvider:
        provider = self.providers[route.provider]
        if not isinstance(provider, PolledProvider):
            raise ProviderError(FailureKind.NOT_SERVED, f"The route {route.name} does not answer by reference.")
        return provider

    def _call(self, job: Job, route: Route, folder: Path, remaining: float, *, image: bytes | None = None) -> Call:
        return Call(
            kind=job.request.kind,
            model=route.model,
            url=route.url or "",
            style=route.style,
            prompt=prompt_of(job.request),
            parameters=job.request.parameters,
            image=image,
            timeout=min(route.timeout_seconds, self.settings.longest_call, remaining - STORING),
            folder=folder,
            callback_url=self._callback_url(job, route),
            image_url=self.bucket.input_url(job.input_key, seconds=_FETCHED_WITHIN) if job.input_key else None,
            attempt=f"{job.folder}-{job.fence}",
            ends_within=job.deadline - self.clock(),
            inputs=route.inputs,
        )

    def _callback_url(self, job: Job, route: Route) -> str | None:
        """The URL for the provider's callback. It proves itself by the attempt's token."""
        if self.callback_base is None or not route.calls_back:
            return None
        token = job.attempts[-1].token
        return f"{self.callback_base.rstrip('/')}/callbacks/{route.provider}/{job.id}/{job.fence}?t={token}"


@contextmanager
def _unexpected_as_failures(job: Job) -> Iterator[None]:
    """An adapter that fails in a way it does not name has failed the call, and the worker lives on.

    A worker that died of it would make the call again, and pay for it again.
    """
    with requests_noted() as sent:
        try:
            yield
        except (ProviderError, PollError):
            raise
        except Exception as error:
            _log.exception("unexpected", extra={"job": job.id, "route": job.leg.route})
            charged = Charged.UNKNOWN if "POST" in sent or job.ref is not None else Charged.NO
            raise ProviderError(
                FailureKind.BAD_OUTPUT, _UNEXPECTED[charged], charged=charged, case=Case.UNEXPECTED
            ) from error


_UNEXPECTED = {
    Charged.NO: "Longplay could not make this call, and nothing was sent: the lines before this one say why.",
    Charged.UNKNOWN: "The provider's answer could not be read: the lines before this one say why.",
}


def prompt_of(request: GenerationRequest) -> str:
    """The prompt that is sent to the model: the genre, if there is one, then the caller's prompt."""
    genre = request.parameters.get("genre")
    return f"{genre}, {request.prompt}" if genre else request.prompt


def _gone(job: Job) -> str:
    return (
        f"The route {job.leg.route} to {job.request.model} is not set up any more. To bring it back, put its server "
        "into `servers` again, or the route into models.toml."
    )
