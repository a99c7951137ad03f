"""Replicate's own API: a prediction is made and referred to, called back about, and asked for with our token.

From replicate.com/docs/reference/http and the vendor's Python client (`replicate` 1.0.7). Never `Prefer: wait`: no
function waits for a result.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from longplay.providers.credential import Credential, OwnToken
from longplay.providers.downloads import fetch_results
from longplay.providers.loading import AdapterContext
from longplay.providers.own_api import OwnApi
from longplay.providers.protocol import Accepted, Call, Done
from longplay.providers.reach import callback_url
from longplay.providers.references import LATER, SOON, only_asking, pause
from longplay.providers.replicate.inputs import input_of
from longplay.providers.replicate.predictions import (
    LARGEST_PREDICTION,
    Prediction,
    failure_of,
    forgotten,
    read_prediction,
    reference_in,
)
from longplay.providers.replicate.refusals import STORE_ADVICE, explain

OWN_TOKEN = OwnToken(name="replicate", host="api.replicate.com", advice=STORE_ADVICE)
RESULT_DOMAINS = ("replicate.delivery",)
SHORTEST_DEADLINE = 5  # seconds

_FORGOTTEN = (404, 410)
_NOTHING_TO_STOP = (400, 404, 409, 410, 422)


class Replicate:
    """Predictions at the server in a call's `url` (`https://api.replicate.com`), by the model's id.

    `owner/name` runs an official model, `owner/name:version` that version of any. `read_token` finds a stored token
    by name, and `forget_tokens` is called when it has been refused.
    """

    def __init__(self, read_token: Callable[[str], str | None], *, forget_tokens: Callable[[], None]) -> None:
        self._api = OwnApi(
            token=OWN_TOKEN,
            largest=LARGEST_PREDICTION,
            explain=explain,
            read_token=read_token,
            forget_tokens=forget_tokens,
        )

    def submit(self, call: Call) -> Accepted:
        """Make the prediction; raises ProviderError."""
        path, body = _order(call)
        reply = self._api.ask("POST", path, call, json=body, headers=_deadline(call))
        prediction = self._api.read(reply, read_prediction, "prediction")
        return Accepted(ref=prediction.id, poll_after=pause(call, SOON), request_id=prediction.id)

    def poll(self, ref: str, call: Call) -> Done | Accepted:
        """How far the prediction is; its files once it has succeeded. Raises ProviderError and PollError."""
        until = time.monotonic() + call.timeout
        prediction, credential = self._prediction(ref, call)
        if failure := failure_of(prediction, call, secret=credential.token):
            raise failure
        if prediction.status != "succeeded":
            return Accepted(ref=ref, poll_after=pause(call, LATER), request_id=ref)
        files = fetch_results(prediction.files, call, domains=RESULT_DOMAINS, until=until)
        return Done(files=files, request_id=ref)

    def cancel(self, ref: str, call: Call) -> None:
        """Stop the prediction, if there is anything left to stop; raises PollError."""
        with only_asking():
            reply = self._api.ask("POST", f"/v1/predictions/{ref}/cancel", call)
            if not reply.answer.success and reply.answer.status not in _NOTHING_TO_STOP:
                raise self._api.refused(reply)

    def reference_in(self, body: bytes) -> str | None:
        """The id of the prediction a callback is about."""
        return reference_in(body)

    def _prediction(self, ref: str, call: Call) -> tuple[Prediction, Credential]:
        with only_asking():
            reply = self._api.ask("GET", f"/v1/predictions/{ref}", call)
            if reply.answer.status not in _FORGOTTEN:
                return self._api.read(reply, read_prediction, "prediction"), reply.credential
        raise forgotten(ref, call)


def _order(call: Call) -> tuple[str, dict[str, Any]]:
    """Where a prediction is made, and with what."""
    body = {"input": input_of(call), **_callback(call)}
    if ":" in call.model:
        return "/v1/predictions", {"version": call.model, **body}
    return f"/v1/models/{call.model}/predictions", body


def _callback(call: Call) -> dict[str, Any]:
    url = callback_url(call)
    return {"webhook": url, "webhook_events_filter": ["completed"]} if url else {}


def _deadline(call: Call) -> dict[str, str]:
    """Replicate stops what is not over when the job's time is up; what had not begun by then is not billed.

    From replicate.com/docs/reference/http, predictions.create (read 2026-11).
    """
    return {"Cancel-After": f"{max(int(call.ends_within), SHORTEST_DEADLINE)}s"}


def make_adapter(context: AdapterContext) -> Replicate:
    """The adapter for this deployment."""
    return Replicate(context.read_token, forget_tokens=context.forget_tokens)
