"""fal through the router: always its queue, polled for the status and then the result (`huggingface_hub` 2.4.0).

Inputs and answers are the same as fal's own; only the URL and the token are the router's. Music goes the same way
(huggingface.js #2249, merged 2026-06-29).
"""

from __future__ import annotations

import re
from typing import Any

from longplay.providers.fal.adapter import RESULT_DOMAINS
from longplay.providers.fal.inputs import input_of
from longplay.providers.fal.queue import Progress as Queued
from longplay.providers.fal.queue import read_progress
from longplay.providers.fal.refusals import generation_error, is_the_models, refusal_in
from longplay.providers.fal.results import is_unsafe, read_result, unsafe, urls_in
from longplay.providers.inference_providers.polled import Polled, Progress, Request, not_found
from longplay.providers.inference_providers.router import payload_of, router_to
from longplay.providers.loading import AdapterContext
from longplay.providers.own_api import NOT_FOUND, Reply
from longplay.providers.protocol import Call
from longplay.providers.reach import path_of

_QUEUE = "?_subdomain=queue"
_PATH = re.compile(r"(/\w[\w.-]*){2,6}/requests/[\w-]{8,64}", re.ASCII)
_LONGEST_PATH = 200  # characters


class RoutedFal(Polled):
    """Music, images and videos by fal, with the models' own inputs in the route's `style`."""

    domains = RESULT_DOMAINS

    def request_for(self, call: Call, model: str) -> Request:
        """The request for the model's path in the queue."""
        return Request(path=f"/{model}{_QUEUE}", body=input_of(call))

    def reference(self, reply: Reply) -> str | None:
        """The path of the result, which may be shorter than the model's; the URL's host is fal's and is not used."""
        path = path_of(payload_of(reply).get("response_url"))
        return path if _PATH.fullmatch(path) and len(path) <= _LONGEST_PATH else None

    def path(self, ref: str) -> str:
        """The path of the status."""
        return f"{ref}/status{_QUEUE}"

    def progress(self, reply: Reply, ref: str) -> Progress | None:
        """In queue or in progress, then completed, either with a result or a failure."""
        queued = read_progress(reply.answer.body)
        if queued is None or not queued.completed:
            return Progress() if queued else None
        if refusal := refusal_in(queued, request_id=ref, secret=reply.credential.token):
            return Progress(failure=generation_error(refusal, reply.call, reply.credential))
        return self._result(queued, ref, reply.call)

    def _result(self, queued: Queued, ref: str, call: Call) -> Progress:
        reply = self._router.request("GET", f"{ref}{_QUEUE}", call)
        if reply.answer.success and (result := read_result(reply.answer.body)) is not None:
            return _finished(result, call)
        if reply.answer.status in NOT_FOUND:
            return Progress(failure=not_found(ref, call))
        # fal's errors have a detail; the router's have none and say nothing about the generation
        if "detail" in payload_of(reply) and is_the_models(reply.answer, queued):
            return Progress(failure=generation_error(reply.refusal, call, reply.credential))
        raise self._router.refused(reply)


def _finished(result: dict[str, Any], call: Call) -> Progress:
    return Progress(failure=unsafe(call)) if is_unsafe(result) else Progress(files=urls_in(result))


def make_adapter(context: AdapterContext) -> RoutedFal:
    """The adapter for this deployment."""
    return RoutedFal(router_to("fal-ai", context))
