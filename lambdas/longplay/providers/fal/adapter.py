"""The adapter for fal's queue API: submit a request, poll it or get a callback, and download its files.

From fal_client 1.0.3 and fal.ai/docs/inference-api (read 2026-11). fal itself retries a request that its runners fail,
up to ten times (`x-fal-no-retry` would stop that). This costs nothing, because fal never bills its own faults, and the
deadline sent with the request limits the retries too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from longplay.domain.errors import Charged, ProviderError
from longplay.providers.credential import Credential, OwnToken
from longplay.providers.downloads import fetch_results
from longplay.providers.fal.inputs import input_of
from longplay.providers.fal.queue import (
    LARGEST_ANSWER,
    Progress,
    id_of,
    read_progress,
    read_reference,
    reference_in,
    request_path,
    result_path,
    submit_path,
)
from longplay.providers.fal.refusals import (
    STORE_ADVICE,
    explain,
    generation_error,
    is_the_models,
    refusal_in,
    result_unavailable,
)
from longplay.providers.fal.results import read_result, result_urls
from longplay.providers.loading import AdapterContext
from longplay.providers.own_api import NOT_FOUND, OwnApi, Reply
from longplay.providers.protocol import Accepted, Call, Done
from longplay.providers.references import LATER, SOON, only_asking, pause

OWN_TOKEN = OwnToken(name="fal", host="queue.fal.run", advice=STORE_ADVICE, scheme="Key")
RESULT_DOMAINS = ("fal.media",)
SHORTEST_DEADLINE = 2  # seconds; the least that fal_client accepts

_TOO_LATE_TO_CANCEL = (400, 404, 409, 410)


class Fal:
    """Requests to the server in a call's `url` (`https://queue.fal.run`), by the endpoint's id.

    `read_token` finds a stored token by name, and `forget_tokens` is called when a token was refused.
    """

    def __init__(self, read_token: Callable[[str], str | None], *, forget_tokens: Callable[[], None]) -> None:
        self._api = OwnApi(
            token=OWN_TOKEN,
            largest=LARGEST_ANSWER,
            explain=explain,
            read_token=read_token,
            forget_tokens=forget_tokens,
        )

    def submit(self, call: Call) -> Accepted:
        """Submit the request; raises ProviderError."""
        reply = self._api.request("POST", submit_path(call), call, json=input_of(call), headers=_deadline(call))
        ref = self._api.read(reply, partial(read_reference, call=call), "request")
        return Accepted(ref=ref, poll_after=pause(call, SOON), request_id=id_of(ref))

    def poll(self, ref: str, call: Call) -> Done | Accepted:
        """The files of a completed request, or that it is not completed. Raises ProviderError and PollError."""
        until = time.monotonic() + call.timeout
        progress, credential = self._progress(ref, call)
        if not progress.completed:
            return Accepted(ref=ref, poll_after=pause(call, LATER), request_id=id_of(ref))
        if refusal := refusal_in(progress, request_id=id_of(ref), secret=credential.token):
            raise generation_error(refusal, call, credential)
        files = fetch_results(self._result(progress, ref, call), call, domains=RESULT_DOMAINS, until=until)
        return Done(files=files, request_id=id_of(ref))

    def cancel(self, ref: str, call: Call) -> None:
        """Cancel the request, unless it is over; raises PollError."""
        self._api.cancel("PUT", f"{request_path(ref, call)}/cancel", call, too_late=_TOO_LATE_TO_CANCEL)

    def reference_in(self, body: bytes) -> str | None:
        """The request id in a callback; `poll` and `cancel` accept it like the reference from `submit`."""
        return reference_in(body)

    def _progress(self, ref: str, call: Call) -> tuple[Progress, Credential]:
        found = self._api.find(f"{request_path(ref, call)}/status", call, read_progress, "status")
        if found is None:
            why = "fal does not know it, or the stored token now belongs to another account"
            raise result_unavailable(id_of(ref), call, why)
        return found

    def _result(self, progress: Progress, ref: str, call: Call) -> list[str]:
        """The URLs of the files of a completed request."""
        with only_asking():
            reply = self._api.request("GET", result_path(progress, ref, call), call)
            failure = _failure(reply, progress, ref)
            result = {} if failure else self._api.read(reply, read_result, "result")
        if failure:
            raise failure
        return result_urls(result, call, succeeded=progress.error is None)


def _deadline(call: Call) -> dict[str, str]:
    """The deadline: fal gives up a request that has not started by then (504, not billed); a started one continues."""
    return {"X-Fal-Request-Timeout": str(max(int(call.ends_within), SHORTEST_DEADLINE))}


def _failure(reply: Reply, progress: Progress, ref: str) -> ProviderError | None:
    """The error of a generation that failed; None if the answer says nothing about the generation."""
    if is_the_models(reply.answer, progress):
        return generation_error(reply.refusal, reply.call, reply.credential)
    if reply.answer.status in NOT_FOUND:
        why = "fal keeps results only for a short time"
        charged = Charged.YES if progress.error is None else Charged.UNKNOWN
        return result_unavailable(id_of(ref), reply.call, why, charged=charged)
    return None


def make_adapter(context: AdapterContext) -> Fal:
    """The adapter for this deployment."""
    return Fal(context.read_token, forget_tokens=context.forget_tokens)
