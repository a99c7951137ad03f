"""The base class for partners that return a reference and are polled.

It is not confirmed that the router passes on callbacks or cancellations, so neither is used.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from longplay.domain.errors import Case, Charged, FailureKind, ProviderError
from longplay.providers.downloads import fetch_results
from longplay.providers.http_client import server_of
from longplay.providers.inference_providers.router import Router, payload_of, within
from longplay.providers.own_api import NOT_FOUND, Reply, unreadable
from longplay.providers.protocol import Accepted, Call, Done, PollError
from longplay.providers.references import LATER, SOON, only_asking
from longplay.providers.results import bad_output

MOST_FILES = 8
FAILED = frozenset(
    {"failed", "error", "cancelled", "canceled", "timeout", "timed_out", "expired", "deleted", "aborted", "rejected"}
)
"""Statuses of a generation that has ended without a result, in any partner's words; an unknown one is polled again."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request for a generation at the partner's `path`."""

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The progress of a generation: URLs of its `files` (None: still running), or its `failure`."""

    files: Sequence[object] | None = None
    failure: ProviderError | None = None


class Polled(ABC):
    """Generations at one partner; a subclass builds the requests and reads the answers."""

    #: domains of its result files, in addition to the called server
    domains: ClassVar[tuple[str, ...]]

    def __init__(self, router: Router) -> None:
        self._router = router

    def prepare(self, call: Call) -> None:
        """Read who serves the model; raises ProviderError."""
        self._router.model_of(call)

    def submit(self, call: Call) -> Done | Accepted:
        """Start the generation; raises ProviderError."""
        until = time.monotonic() + call.timeout
        request = self.request_for(call, self._router.model_of(call))
        reply = self._router.request(
            "POST", request.path, within(call, until), json=request.body, headers=request.headers
        )
        ref = self.reference(reply) if reply.answer.success else None
        if ref is None:
            raise self._not_accepted(reply)
        try:
            with only_asking():
                progress = self.progress(reply, ref)
            return _result(ref, progress, call, domains=self.domains, until=until, pause=SOON)
        except PollError:  # the generation is done, but its files could not be fetched
            return Accepted(ref=ref, poll_after=SOON, request_id=ref)

    def poll(self, ref: str, call: Call) -> Done | Accepted:
        """The files of a finished generation, or that it is not finished. Raises ProviderError and PollError."""
        until = time.monotonic() + call.timeout
        with only_asking():
            reply = self._router.request("GET", self.path(ref), call)
        progress = self._read(reply, ref, call)
        return _result(ref, progress, call, domains=self.domains, until=until, pause=LATER)

    def cancel(self, ref: str, call: Call) -> None:  # noqa: B027
        """Do nothing: canceling through the router is not confirmed (2026-11), so the generation runs to its end."""

    def reference_in(self, body: bytes) -> None:  # noqa: B027
        """None: there are no callbacks through the router."""

    @abstractmethod
    def request_for(self, call: Call, model: str) -> Request:
        """The request for a call, with the partner's id of the model."""

    @abstractmethod
    def reference(self, reply: Reply) -> str | None:
        """The reference in the answer to a new request, None if it has none that can be used."""

    @abstractmethod
    def path(self, ref: str) -> str:
        """The path to poll for a reference."""

    @abstractmethod
    def progress(self, reply: Reply, ref: str) -> Progress | None:
        """The progress in an answer, None if the answer has none."""

    def _read(self, reply: Reply, ref: str, call: Call) -> Progress:
        if reply.answer.status in NOT_FOUND:
            raise not_found(ref, call)
        with only_asking():
            if not reply.answer.success:
                raise self._router.refused(reply)
            progress = self.progress(reply, ref)
            if progress is None:
                raise self._router.refused(reply)
            return progress

    def _not_accepted(self, reply: Reply) -> ProviderError:
        """The error of a request that was refused, or of an answer without a usable reference."""
        refused = not reply.answer.success or "error" in payload_of(reply)
        return self._router.refused(reply) if refused else unreadable(reply, "generation")


def not_found(ref: str, call: Call) -> ProviderError:
    """The error of a generation the server does not know, or no longer; BAD_OUTPUT, so it is not retried."""
    return ProviderError(
        FailureKind.BAD_OUTPUT,
        f"{server_of(call.url)} does not know the generation {ref} by {call.model}: its result has expired, or the "
        "stored token now belongs to another account; it may have been billed. Submit the request again.",
        charged=Charged.UNKNOWN,
        request_id=ref,
        case=Case.EXPIRED,
    )


def _result(
    ref: str, progress: Progress | None, call: Call, *, domains: tuple[str, ...], until: float, pause: float
) -> Done | Accepted:
    if progress is None or (progress.failure is None and progress.files is None):
        return Accepted(ref=ref, poll_after=pause, request_id=ref)
    if progress.failure:
        raise progress.failure
    urls = [file for file in progress.files or () if isinstance(file, str)][:MOST_FILES]
    if not urls:
        raise bad_output(call, "it finished without a file. If moderation blocked the prompt, change it")
    return Done(files=fetch_results(urls, call, domains=domains, until=until), request_id=ref)
