"""Chains of held answers, past API Gateway's 29 seconds: each is held, then leads to the next by a redirect.

Clients follow 20 redirects (fetch, httpx) or more. A place among the held answers is kept from one to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response

from longplay.domain.errors import InvalidParameter, TooManyWaiting
from longplay.domain.job import Job
from longplay.http.faces.contract import Contract, under_way
from longplay.http.holding import LONGEST, MARGIN, Holding
from longplay.storage.held_answers import Place, read_place

MOST_HOPS = 18
_HOPS = {str(hop): hop for hop in range(1, MOST_HOPS + 1)}
_TRIES = 20  # places: a caller who finds none is refused
_GRACE = 10.0  # seconds in which a client follows a redirect, before its place is free
_RETRY_AFTER = 10  # seconds
_FULL = (
    "As many callers wait here as this deployment allows at once (`held_answers`), so that they leave room for the "
    "work they wait for. Send the request again in {seconds} s. {cost}"
)
_NOT_BEGUN = "Nothing was created or charged."


@dataclass(frozen=True, kw_only=True)
class Chain:
    """One held answer. `seconds` is the time that the function has."""

    holding: Holding
    contract: Contract
    seconds: float

    def begin(
        self, submit: Callable[[], Job], *, is_cached: Callable[[], bool], here: Callable[[Job], str]
    ) -> Response[Any]:
        """Submit a job and hold the answer. `here` is where its next answers are, relative to the request.

        A cached result needs no place. Raises TooManyWaiting, and all that `submit` raises; no place stays taken then.
        """
        place = self._placed(None)
        if place is None:
            return self._at_once(submit() if is_cached() else self._full(_NOT_BEGUN))
        with self._free_after_an_error(place):
            job = submit()
            return self._held(job, place, hop=0, here=here(job))

    def go_on(self, job: Job, query: Mapping[str, str]) -> Response[Any]:
        """The next answer about a job; raises TooManyWaiting if its place is gone and no other is free."""
        if job.status.finished:
            return self._over(job, read_place(query.get("place", "")))
        hop = _hop(query.get("hop", ""))
        place = self._placed(read_place(query.get("place", ""))) or self._full(under_way(job, self.contract))
        with self._free_after_an_error(place):
            return self._held(job, place, hop=hop, here=job.id)

    def _at_once(self, job: Job) -> Response[Any]:
        """The answer without a place. A cached result may have gone since it was seen."""
        return self._over(job, None) if job.status.finished else self._full(under_way(job, self.contract))

    def _held(self, job: Job, place: Place, *, hop: int, here: str) -> Response[Any]:
        job = self.holding.watched(job, until=self.holding.clock() + min(LONGEST, self.seconds))
        if job.status.finished:
            return self._over(job, place)
        if hop < MOST_HOPS:
            return _redirect(f"{here}?{urlencode({'hop': hop + 1, 'place': place, **self.contract.notes})}")
        self._leave(place)
        return self.contract.late(job)

    def _over(self, job: Job, place: Place | None) -> Response[Any]:
        if place:
            self._leave(place)
        return self.contract.over(job, self.holding.service)

    def _placed(self, place: Place | None) -> Place | None:
        """The place that the answer before had, or another one, for this answer and the redirect after it."""
        answers, now = self.holding.answers, self.holding.clock()
        until = now + LONGEST + MARGIN + _GRACE
        return place if place and answers.keep(place, until=until) else answers.take(now=now, until=until, tries=_TRIES)

    @contextmanager
    def _free_after_an_error(self, place: Place) -> Iterator[None]:
        try:
            yield
        except Exception:
            self._leave(place)
            raise

    def _leave(self, place: Place) -> None:
        self.holding.answers.leave(place, now=self.holding.clock())

    def _full(self, cost: str) -> NoReturn:
        raise TooManyWaiting(_FULL.format(seconds=_RETRY_AFTER, cost=cost), retry_after=_RETRY_AFTER)


def _hop(text: str) -> int:
    if text not in _HOPS:
        raise InvalidParameter("hop", f"`hop` must be a whole number from 1 to {MOST_HOPS}; redirects have it.")
    return _HOPS[text]


def _redirect(location: str) -> Response[Any]:
    headers: dict[str, str | list[str]] = {"Location": location, "Cache-Control": "no-store"}
    return Response(status_code=303, content_type="text/plain", body="", headers=headers)
