"""fal through the router: always its queue, asked for its status and then for the result (`huggingface_hub` 2.4.0).

What it takes and answers is fal's own; only where it is asked, and with whose token, is the router's.
"""

from __future__ import annotations

import re
from typing import Any

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.fal.adapter import RESULT_DOMAINS
from longplay.providers.fal.inputs import input_of
from longplay.providers.fal.queue import Progress as Queued
from longplay.providers.fal.queue import read_progress
from longplay.providers.fal.refusals import end_of, is_the_models, refusal_in
from longplay.providers.fal.results import files_in, held_back, read_result
from longplay.providers.inference_providers.polled import Order, Polled, Progress, forgotten
from longplay.providers.inference_providers.router import payload_of, router_to
from longplay.providers.loading import AdapterContext
from longplay.providers.own_api import Reply
from longplay.providers.protocol import Call
from longplay.providers.reach import path_of

_QUEUE = "?_subdomain=queue"
_PATH = re.compile(r"(/\w[\w.-]*){2,6}/requests/[\w-]{8,64}", re.ASCII)
_LONGEST_PATH = 200  # characters


class RoutedFal(Polled):
    """Images and videos by fal, with its models' own inputs, as the route's `style` says."""

    domains = RESULT_DOMAINS

    def order(self, call: Call, model: str) -> Order:
        """The model's own path, in the queue."""
        return Order(path=f"/{model}{_QUEUE}", body=input_of(call))

    def reference(self, reply: Reply) -> str | None:
        """The path at which the result will lie, which may be shorter than the model's; its host is fal's own."""
        path = path_of(payload_of(reply).get("response_url"))
        return path if _PATH.fullmatch(path) and len(path) <= _LONGEST_PATH else None

    def path(self, ref: str) -> str:
        """Where the status is."""
        return f"{ref}/status{_QUEUE}"

    def progress(self, reply: Reply, ref: str) -> Progress | None:
        """In the queue, in progress, then completed, which may mean that it failed."""
        queued = read_progress(reply.answer.body)
        if queued is None or not queued.completed:
            return Progress() if queued else None
        if refusal := refusal_in(queued, request_id=ref, secret=reply.credential.token):
            return Progress(failure=end_of(refusal, reply.call, reply.credential))
        return self._result(queued, ref, reply.call)

    def _result(self, queued: Queued, ref: str, call: Call) -> Progress:
        reply = self._router.ask("GET", f"{ref}{_QUEUE}", call)
        if reply.answer.success and (result := read_result(reply.answer.body)) is not None:
            return _finished(result, call)
        if reply.answer.status in (404, 410):
            return Progress(failure=forgotten(ref, call))
        # fal's own errors have a detail, the router's have not, and say nothing of the generation
        if "detail" in payload_of(reply) and is_the_models(reply.answer, queued):
            return Progress(failure=end_of(reply.refusal, call, reply.credential))
        raise self._router.refused(reply)


def _finished(result: dict[str, Any], call: Call) -> Progress:
    return Progress(failure=_moderated(call)) if held_back(result) else Progress(files=files_in(result))


def _moderated(call: Call) -> ProviderError:
    return ProviderError(
        FailureKind.MODERATED,
        f"fal blackened the image by {call.model}: its checker found it unsafe. It is billed. Change the prompt.",
        charged=Charged.YES,
    )


def make_adapter(context: AdapterContext) -> RoutedFal:
    """The adapter for this deployment."""
    return RoutedFal(router_to("fal-ai", context))
