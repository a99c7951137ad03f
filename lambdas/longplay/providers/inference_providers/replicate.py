"""Replicate through the router: wait a few seconds for a prediction, then poll it by its id.

`huggingface_hub` 2.4.0 keeps the connection open for a minute and never polls. It is not confirmed that the router
passes on `GET /v1/predictions/{id}` (2026-11). A route to Replicate's API with a Replicate token is more reliable.
"""

from __future__ import annotations

from longplay.providers.inference_providers.polled import Polled, Progress, Request
from longplay.providers.inference_providers.router import router_to
from longplay.providers.loading import AdapterContext
from longplay.providers.own_api import Reply
from longplay.providers.protocol import Call
from longplay.providers.replicate.adapter import RESULT_DOMAINS
from longplay.providers.replicate.inputs import input_of
from longplay.providers.replicate.predictions import failure_of, read_prediction

HELD = 5  # seconds Replicate keeps the connection open


class RoutedReplicate(Polled):
    """Images and videos by Replicate, with the models' own inputs in the route's `style`."""

    domains = RESULT_DOMAINS

    def request_for(self, call: Call, model: str) -> Request:
        """The request for an official model by its path, or for any other model by its version."""
        name, _, version = model.partition(":")
        body = {"input": input_of(call), **({"version": version} if version else {})}
        path = "/v1/predictions" if version else f"/v1/models/{name}/predictions"
        return Request(path=path, body=body, headers={"Prefer": f"wait={HELD}"})

    def reference(self, reply: Reply) -> str | None:
        """The prediction's id."""
        prediction = read_prediction(reply.answer.body)
        return prediction.id if prediction else None

    def path(self, ref: str) -> str:
        """The path of a prediction."""
        return f"/v1/predictions/{ref}"

    def progress(self, reply: Reply, ref: str) -> Progress | None:  # noqa: ARG002
        """A prediction may have its output while its status still says `processing` (recorded 2025-04)."""
        prediction = read_prediction(reply.answer.body)
        if prediction is None:
            return None
        if failure := failure_of(prediction, reply.call, secret=reply.credential.token):
            return Progress(failure=failure)
        return Progress(files=prediction.files or None)


def make_adapter(context: AdapterContext) -> RoutedReplicate:
    """The adapter for this deployment."""
    return RoutedReplicate(router_to("replicate", context))
