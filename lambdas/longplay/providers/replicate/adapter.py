"""The adapter for Replicate's API: create a prediction, poll it or get a callback, and download its files.

From replicate.com/docs/reference/http and the vendor's Python client (`replicate` 1.0.7). `Prefer: wait` is never sent,
because no function waits for a result.
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
from longplay.providers.references import LATER, SOON, pause
from longplay.providers.replicate.inputs import input_of
from longplay.providers.replicate.predictions import (
    LARGEST_PREDICTION,
    Prediction,
    failure_of,
    not_found,
    read_prediction,
    reference_in,
)
from longplay.providers.replicate.refusals import STORE_ADVICE, explain

OWN_TOKEN = OwnToken(name="replicate", host="api.replicate.com", advice=STORE_ADVICE)
RESULT_DOMAINS = ("replicate.delivery",)
SHORTEST_DEADLINE = 5  # seconds

_TOO_LATE_TO_CANCEL = (400, 404, 409, 410, 422)


class Replicate:
    """Predictions at the server in a call's `url` (`https://api.replicate.com`), by the model's id.

    `owner/name` runs an official model, `owner/name:version` a version of any model. `read_token` finds a stored token
    by name, and `forget_tokens` is called when a token was refused.
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
        """Create the prediction; raises ProviderError."""
        path, body = _request(call)
        reply = self._api.request("POST", path, call, json=body, headers=_deadline(call))
        prediction = self._api.read(reply, read_prediction, "prediction")
        return Accepted(ref=prediction.id, poll_after=pause(call, SOON), request_id=prediction.id)

    def poll(self, ref: str, call: Call) -> Done | Accepted:
        """The files of a succeeded prediction, or that it is not finished. Raises ProviderError and PollError."""
        until = time.monotonic() + call.timeout
        prediction, credential = self._prediction(ref, call)
        if failure := failure_of(prediction, call, secret=credential.token):
            raise failure
        if prediction.status != "succeeded":
            return Accepted(ref=ref, poll_after=pause(call, LATER), request_id=ref)
        files = fetch_results(prediction.files, call, domains=RESULT_DOMAINS, until=until)
        return Done(files=files, request_id=ref)

    def cancel(self, ref: str, call: Call) -> None:
        """Cancel the prediction, unless it is over; raises PollError."""
        self._api.cancel("POST", f"/v1/predictions/{ref}/cancel", call, too_late=_TOO_LATE_TO_CANCEL)

    def reference_in(self, body: bytes) -> str | None:
        """The prediction's id in a callback."""
        return reference_in(body)

    def _prediction(self, ref: str, call: Call) -> tuple[Prediction, Credential]:
        found = self._api.find(f"/v1/predictions/{ref}", call, read_prediction, "prediction")
        if found is None:
            raise not_found(ref, call)
        return found


def _request(call: Call) -> tuple[str, dict[str, Any]]:
    """The path and body of a request for a new prediction."""
    body = {"input": input_of(call), **_callback(call)}
    if ":" in call.model:
        return "/v1/predictions", {"version": call.model, **body}
    return f"/v1/models/{call.model}/predictions", body


def _callback(call: Call) -> dict[str, Any]:
    url = callback_url(call)
    return {"webhook": url, "webhook_events_filter": ["completed"]} if url else {}


def _deadline(call: Call) -> dict[str, str]:
    """The deadline: Replicate stops a prediction at the end of the job's time, and bills none that had not started.

    From replicate.com/docs/reference/http, predictions.create (read 2026-11).
    """
    return {"Cancel-After": f"{max(int(call.ends_within), SHORTEST_DEADLINE)}s"}


def make_adapter(context: AdapterContext) -> Replicate:
    """The adapter for this deployment."""
    return Replicate(context.read_token, forget_tokens=context.forget_tokens)
