"""A partner that answers with a reference and is asked by it: all of it but what is particular to one.

The router is not known to let callbacks or cancellations through, so neither is asked for.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.downloads import fetch_results
from longplay.providers.http_client import server_of
from longplay.providers.inference_providers.router import Router, payload_of, within
from longplay.providers.own_api import Reply
from longplay.providers.protocol import Accepted, Call, Done, PollError
from longplay.providers.references import LATER, SOON, only_asking
from longplay.providers.results import bad_output

MOST_FILES = 8

_FORGOTTEN = (404, 410)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a generation is asked for with, at the partner's `path`."""

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a generation is: the addresses of its `files` (None: it still works), or its `failure`."""

    files: Sequence[object] | None = None
    failure: ProviderError | None = None


class Polled(ABC):
    """Generations at one partner; a subclass says what it is asked, and what it answers."""

    #: where its result files may lie, beside the very server that was called
    domains: ClassVar[tuple[str, ...]]

    def __init__(self, router: Router) -> None:
        self._router = router

    def submit(self, call: Call) -> Done | Accepted:
        """Ask for the generation; raises ProviderError."""
        until = time.monotonic() + call.timeout
        order = self.order(call, self._router.model_of(call))
        reply = self._router.ask("POST", order.path, within(call, until), json=order.body, headers=order.headers)
        ref = self.reference(reply) if reply.answer.success else None
        if ref is None:
            raise self._not_taken(reply)
        try:
            with only_asking():
                progress = self.progress(reply, ref)
            return _result(ref, progress, call, domains=self.domains, until=until, pause=SOON)
        except PollError:  # it is done already, but its file is not here
            return Accepted(ref=ref, poll_after=SOON, request_id=ref)

    def poll(self, ref: str, call: Call) -> Done | Accepted:
        """How far the generation is; its files once it is done. Raises ProviderError and PollError."""
        until = time.monotonic() + call.timeout
        with only_asking():
            reply = self._router.ask("GET", self.path(ref), call)
        progress = self._read(reply, ref, call)
        return _result(ref, progress, call, domains=self.domains, until=until, pause=LATER)

    def cancel(self, ref: str, call: Call) -> None:  # noqa: B027
        """Nothing: no way to cancel through the router is confirmed (2026-11), so the generation runs to its end."""

    def reference_in(self, body: bytes) -> None:  # noqa: B027
        """None: nobody calls back through the router."""

    @abstractmethod
    def order(self, call: Call, model: str) -> Order:
        """What to ask for, of the partner's own `model`."""

    @abstractmethod
    def reference(self, reply: Reply) -> str | None:
        """The reference in the answer to an order, None where it names none that can be used."""

    @abstractmethod
    def path(self, ref: str) -> str:
        """Where to ask by a reference."""

    @abstractmethod
    def progress(self, reply: Reply, ref: str) -> Progress | None:
        """How far it is by an answer, None where the answer does not say."""

    def _read(self, reply: Reply, ref: str, call: Call) -> Progress:
        if reply.answer.status in _FORGOTTEN:
            raise forgotten(ref, call)
        with only_asking():
            if not reply.answer.success:
                raise self._router.refused(reply)
            progress = self.progress(reply, ref)
            if progress is None:
                raise self._router.refused(reply)
            return progress

    def _not_taken(self, reply: Reply) -> ProviderError:
        """The error of an order that was refused, or of an answer to it that cannot be followed."""
        refused = not reply.answer.success or "error" in payload_of(reply)
        return self._router.refused(reply) if refused else _nameless(reply)


def forgotten(ref: str, call: Call) -> ProviderError:
    """The error of a generation that is not known there, or no longer; made again, it would be lost the same way."""
    return ProviderError(
        FailureKind.BAD_OUTPUT,
        f"{server_of(call.url)} does not know the generation {ref} by {call.model} any more: its result has expired, "
        "or the token now stored is another account's; it may have been billed. Submit the request again.",
        charged=Charged.UNKNOWN,
        request_id=ref,
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
        raise bad_output(call, "it finished without a file. Where the prompt was held back, change it")
    return Done(files=fetch_results(urls, call, domains=domains, until=until), request_id=ref)


def _nameless(reply: Reply) -> ProviderError:
    return ProviderError(
        FailureKind.UPSTREAM,
        f"the answer names no generation: {server_of(reply.call.url)} answered {reply.answer.status} for "
        f"{reply.call.model}; it may have been started and billed",
        charged=Charged.UNKNOWN,
    )
