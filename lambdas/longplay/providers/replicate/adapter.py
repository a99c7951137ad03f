"""Replicate's own API: a prediction is made and referred to, called back about, and asked for with our token.

From replicate.com/docs/reference/http and the vendor's Python client (`replicate` 1.0.7). Never `Prefer: wait`: no
function waits for a result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from longplay.errors import Charged, FailureKind, ProviderError
from longplay.providers.credential import Credential
from longplay.providers.downloads import fetch_results
from longplay.providers.http_client import Answer, exchange, server_of
from longplay.providers.protocol import Accepted, Call, Done, PollError
from longplay.providers.refusals import read_refusal, request_id
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

API_HOST = "api.replicate.com"
RESULT_DOMAINS = ("replicate.delivery",)
SOON, LATER = 5.0, 10.0  # seconds until the first poll, and between the others
SAFETY_NET = 60.0  # seconds between polls of what should call back

_TOKEN_NAME = "replicate"  # noqa: S105 - what it is stored under
_FORGOTTEN = (404, 410)
_NOTHING_TO_STOP = (400, 404, 409, 410, 422)


class Replicate:
    """Predictions at the server in a call's `url` (`https://api.replicate.com`), by the model's id.

    `owner/name` runs an official model, `owner/name:version` that version of any. `read_token` finds a stored token
    by name, and `forget_tokens` is called when it has been refused.
    """

    def __init__(self, read_token: Callable[[str], str | None], *, forget_tokens: Callable[[], None]) -> None:
        self._read_token = read_token
        self._forget_tokens = forget_tokens

    def submit(self, call: Call) -> Accepted:
        """Make the prediction; raises ProviderError."""
        path, body = _order(call)
        answer, credential = self._exchange("POST", path, call, json=body)
        prediction = self._read(answer, call, credential)
        return Accepted(ref=prediction.id, poll_after=_pause(body, SOON), request_id=prediction.id)

    def poll(self, ref: str, call: Call) -> Done | Accepted:
        """How far the prediction is; its files once it has succeeded. Raises ProviderError and PollError."""
        until = time.monotonic() + call.timeout
        prediction, credential = self._prediction(ref, call)
        if failure := failure_of(prediction, call, secret=credential.token):
            raise failure
        if prediction.status != "succeeded":
            return Accepted(ref=ref, poll_after=_pause(_callback(call), LATER), request_id=ref)
        files = fetch_results(prediction.files, call, domains=RESULT_DOMAINS, until=until)
        return Done(files=files, request_id=ref)

    def cancel(self, ref: str, call: Call) -> None:
        """Stop the prediction, if there is anything left to stop; raises PollError."""
        with _only_asking():
            answer, credential = self._exchange("POST", f"/v1/predictions/{ref}/cancel", call)
            if not answer.success and answer.status not in _NOTHING_TO_STOP:
                raise self._refused(answer, call, credential)

    def reference_in(self, body: bytes) -> str | None:
        """The id of the prediction a callback is about."""
        return reference_in(body)

    def _prediction(self, ref: str, call: Call) -> tuple[Prediction, Credential]:
        with _only_asking():
            answer, credential = self._exchange("GET", f"/v1/predictions/{ref}", call)
            if answer.status not in _FORGOTTEN:
                return self._read(answer, call, credential), credential
        raise forgotten(ref, call)

    def _exchange(self, method: str, path: str, call: Call, json: object = None) -> tuple[Answer, Credential]:
        credential = self._credential(call)
        answer = exchange(
            method,
            call.url.rstrip("/") + path,
            headers={"Accept": "application/json", **credential.headers},
            json=json,
            save_to=call.folder / "answer",
            largest=LARGEST_PREDICTION,
            timeout=call.timeout,
        )
        return answer, credential

    def _read(self, answer: Answer, call: Call, credential: Credential) -> Prediction:
        if not answer.success:
            raise self._refused(answer, call, credential)
        prediction = read_prediction(answer.body)
        if prediction is None:
            raise _without_reference(answer, call, credential)
        return prediction

    def _credential(self, call: Call) -> Credential:
        """Replicate's token goes to Replicate's API and to a stand-in on this machine, and nowhere else."""
        theirs = server_of(call.url).partition(":")[0].lower() == API_HOST
        # server_of lets http through to this machine alone
        token = self._read_token(_TOKEN_NAME) if theirs or call.url.startswith("http:") else None
        if theirs and token is None:
            raise ProviderError(
                FailureKind.NO_TOKEN,
                f"no token stored: {call.model} at {API_HOST} needs one. {STORE_ADVICE.format(token=_TOKEN_NAME)}",
            )
        return Credential(_TOKEN_NAME, token)

    def _refused(self, answer: Answer, call: Call, credential: Credential) -> ProviderError:
        if answer.status == 401:
            self._forget_tokens()
        return explain(read_refusal(answer, secret=credential.token), call, credential)


def _order(call: Call) -> tuple[str, dict[str, Any]]:
    """Where a prediction is made, and with what."""
    body = {"input": input_of(call), **_callback(call)}
    if ":" in call.model:
        return "/v1/predictions", {"version": call.model, **body}
    return f"/v1/models/{call.model}/predictions", body


def _callback(call: Call) -> dict[str, Any]:
    """Replicate calls back over https alone; a server on this machine over what it is called by itself."""
    url = call.callback_url
    if url is None or urlsplit(url).scheme not in ("https", urlsplit(call.url).scheme):
        return {}
    return {"webhook": url, "webhook_events_filter": ["completed"]}


def _pause(order: dict[str, Any], without_callback: float) -> float:
    return SAFETY_NET if "webhook" in order else without_callback


@contextmanager
def _only_asking() -> Iterator[None]:
    """What goes wrong in here says nothing about the generation."""
    try:
        yield
    except ProviderError as error:
        raise PollError(error) from error


def _without_reference(answer: Answer, call: Call, credential: Credential) -> ProviderError:
    return ProviderError(
        FailureKind.UPSTREAM,
        f"the answer names no prediction: {server_of(call.url)} answered {answer.status} for {call.model}; "
        "the generation may have been started and billed",
        charged=Charged.UNKNOWN,
        request_id=request_id(answer, secret=credential.token),
    )
