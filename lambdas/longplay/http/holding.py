"""Holds an answer back until its job is over, for callers that would rather wait than poll."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from longplay.domain.errors import InvalidParameter, Unavailable
from longplay.domain.job import Job
from longplay.http.service import Service
from longplay.storage.held_answers import HeldAnswers

LONGEST = 24  # seconds; API Gateway gives up after 29, and a submit may take a few itself
MARGIN = 2.0  # seconds of the function's time that are left for the answer
_LOOKS = 1.0  # seconds between two looks at the job
_PREFERENCE = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,9})", re.ASCII | re.IGNORECASE)
_SECONDS = re.compile(r"\d{1,2}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Holding:
    """Waits for jobs while few others do. `clock` gives epoch seconds."""

    service: Service
    answers: HeldAnswers
    clock: Callable[[], float] = time.time

    def until_over(self, job: Job, *, seconds: float) -> Job:
        """The job as soon as it is over, or as it stands after this time.

        It does not wait for a job that starts later than that, nor where as many answers are held as may be. Raises
        JobExpired if the job is deleted in between.
        """
        if seconds <= 0:
            return job
        now = self.clock()
        until = now + seconds
        if job.status.finished or self._starts_at(job) >= until:
            return job
        with self.answers.one_more(now=now, until=until + MARGIN) as may_hold:
            return self.watched(job, until=until) if may_hold else job

    def watched(self, job: Job, *, until: float) -> Job:
        """The job as soon as it is over, or as it stands then. After an error of AWS it is the job as seen last."""
        with suppress(Unavailable):
            while not job.status.finished and (left := until - self.clock()) > 0:
                time.sleep(min(_LOOKS, left))
                job = self.service.find(job.owner, job.id)
        return job

    def _starts_at(self, job: Job) -> float:
        return (self.service.leader_of(job) or self.service.standing(job)[0]).not_before


def seconds_to_hold(api: APIGatewayRestResolver) -> float:
    """How long the answer may be held: `?wait=` or the preference `wait` (RFC 7240), as far as time allows.

    Raises InvalidParameter for a `wait` in the query that is not a number of seconds up to 24. A preference is cut.
    """
    event = api.current_event
    preferred = _PREFERENCE.search(event.headers.get("Prefer") or "")
    asked = _asked(event.query_string_parameters.get("wait")) or min(LONGEST, int(preferred[1]) if preferred else 0)
    return min(float(asked), time_left(api))


def time_left(api: APIGatewayRestResolver) -> float:
    """The seconds for which the function can hold its answer."""
    return float(api.lambda_context.get_remaining_time_in_millis() / 1000 - MARGIN)


def _asked(text: str | None) -> int:
    if text is None:
        return 0
    if not _SECONDS.fullmatch(text) or int(text) > LONGEST:
        raise InvalidParameter("wait", f"`wait` must be a whole number of seconds from 0 to {LONGEST}.")
    return int(text)
