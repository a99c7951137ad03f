"""A contract of another service, which its clients speak: how it asks for a generation, and how it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from aws_lambda_powertools.event_handler import Response

from longplay.domain.errors import Charged, Problem
from longplay.domain.job import Job
from longplay.http.service import Service

#: Bytes of results in an answer. Lambda takes 6 MB, in base64; larger results are redirected to.
MOST_INLINE = 4_400_000


class Contract(Protocol):
    """One contract, as one request speaks it."""

    @property
    def fresh(self) -> bool:
        """Whether the request takes no result that is there already."""
        ...

    @property
    def notes(self) -> Mapping[str, str]:
        """The choices of the request that answers after a redirect must know, for the redirect's query."""
        ...

    def over(self, job: Job, service: Service) -> Response[Any]:
        """The answer for a job that has ended."""
        ...

    def late(self, job: Job) -> Response[Any]:
        """The answer for a job that is not over after the last redirect."""
        ...

    def refused(self, problem: Problem) -> Response[Any]:
        """The answer for a request that is refused."""
        ...


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as the body of POST /generate; how it is answered, and which members were left out of it."""

    fields: Mapping[str, Any]
    contract: Contract
    ignored: tuple[str, ...] = ()


def answer(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response[Any]:
    """A JSON answer that no cache keeps."""
    return Response(
        status_code=status,
        content_type="application/json",
        body=msgspec.json.encode(body).decode(),
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def file(service: Service, job: Job) -> Response[Any]:
    """The job's first file, or a redirect to it where it is too large for an answer."""
    output = job.outputs[0]
    headers: dict[str, str | list[str]] = {"Cache-Control": "no-store", "X-Longplay-Job": job.id}
    if output.bytes > MOST_INLINE:
        headers["Location"] = service.presigned(output)
        return Response(status_code=303, content_type="text/plain", body="", headers=headers)
    return Response(status_code=200, content_type=output.content_type, body=service.bytes_of(output), headers=headers)


def told(job: Job) -> str:
    """The end of a job without a result, and what it cost."""
    what = job.error.message if job.error else f"Job {job.id} was canceled."
    return f"{what} {_cost(job)}"


def found_again(job: Job, contract: Contract) -> bool:
    """Whether the same request finds the job, so that a client may repeat it without paying twice."""
    return job.cache_key is not None and not contract.fresh


def under_way(job: Job, contract: Contract) -> str:
    """The advice about a job that is not over yet, and its cost so far."""
    how = _ASK_AGAIN if found_again(job, contract) else _READ_IT
    return f"Job {job.id} is still under way. {how} {_cost(job)}"


_ASK_AGAIN = "Send the same request again: it finds this job and makes no second one."
_READ_IT = "Read it at GET /jobs/{id} of Longplay's own API, since the same request would make a second one."


def _cost(job: Job) -> str:
    spent, perhaps = job.usd(Charged.YES), job.usd(Charged.UNKNOWN)
    if not perhaps:
        return f"It cost ${spent:g}." if spent else "Nothing was charged."
    return f"It cost ${spent:g}, and perhaps ${perhaps:g} more." if spent else f"It may have cost ${perhaps:g}."
