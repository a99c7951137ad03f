"""fal's queue: a request is made and referred to, called back about, and asked for with our token.

From fal_client 1.0.3 and fal.ai/docs/inference-api (read 2026-11). fal repeats by itself what its runners fail at, up
to ten times (`x-fal-no-retry` would stop that): its own faults are never billed, so the repeats cost nothing, and the
deadline that is sent along bounds them too.
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
from longplay.providers.fal.refusals import STORE_ADVICE, end_of, explain, is_the_models, lost, refusal_in
from longplay.providers.fal.results import delivered, read_result
from longplay.providers.loading import AdapterContext
from longplay.providers.own_api import OwnApi, Reply
from longplay.providers.protocol import Accepted, Call, Done
from longplay.providers.references import LATER, SOON, only_asking, pause

OWN_TOKEN = OwnToken(name="fal", host="queue.fal.run", advice=STORE_ADVICE, scheme="Key")
RESULT_DOMAINS = ("fal.media",)
SHORTEST_DEADLINE = 2  # seconds; the vendor's client takes no less

_FORGOTTEN = (404, 410)
_NOTHING_TO_STOP = (400, 404, 409, 410)


class Fal:
    """Requests at the server in a call's `url` (`https://queue.fal.run`), by the endpoint's id.

    `read_token` finds a stored token by name, and `forget_tokens` is called when it has been refused.
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
        """Make the request; raises ProviderError."""
        reply = self._api.ask("POST", submit_path(call), call, json=input_of(call), headers=_deadline(call))
        ref = self._api.read(reply, partial(read_reference, call=call), "request")
        return Accepted(ref=ref, poll_after=pause(call, SOON), request_id=id_of(ref))

    def poll(self, ref: str, call: Call) -> Done | Accepted:
        """How far the request is; its files once it is completed. Raises ProviderError and PollError."""
        until = time.monotonic() + call.timeout
        progress, credential = self._progress(ref, call)
        if not progress.completed:
            return Accepted(ref=ref, poll_after=pause(call, LATER), request_id=id_of(ref))
        if refusal := refusal_in(progress, request_id=id_of(ref), secret=credential.token):
            raise end_of(refusal, call, credential)
        files = fetch_results(self._result(progress, ref, call), call, domains=RESULT_DOMAINS, until=until)
        return Done(files=files, request_id=id_of(ref))

    def cancel(self, ref: str, call: Call) -> None:
        """Stop the request, if there is anything left to stop; raises PollError."""
        with only_asking():
            reply = self._api.ask("PUT", f"{request_path(ref, call)}/cancel", call)
            if not reply.answer.success and reply.answer.status not in _NOTHING_TO_STOP:
                raise self._api.refused(reply)

    def reference_in(self, body: bytes) -> str | None:
        """The id of the request a callback is about; `poll` and `cancel` take it as they take what `submit` gave."""
        return reference_in(body)

    def _progress(self, ref: str, call: Call) -> tuple[Progress, Credential]:
        with only_asking():
            reply = self._api.ask("GET", f"{request_path(ref, call)}/status", call)
            if reply.answer.status not in _FORGOTTEN:
                return self._api.read(reply, read_progress, "status"), reply.credential
        raise lost(id_of(ref), call, "fal does not know it, or the token now stored is another account's")

    def _result(self, progress: Progress, ref: str, call: Call) -> list[str]:
        """The addresses of the files a completed request brought."""
        with only_asking():
            reply = self._api.ask("GET", result_path(progress, ref, call), call)
            failure = _failure(reply, progress, ref)
            result = {} if failure else self._api.read(reply, read_result, "result")
        if failure:
            raise failure
        return delivered(result, call, sound=progress.error is None)


def _deadline(call: Call) -> dict[str, str]:
    """fal gives up what has not begun when the job's time is up (504, not billed); what has begun goes on."""
    return {"X-Fal-Request-Timeout": str(max(int(call.ends_within), SHORTEST_DEADLINE))}


def _failure(reply: Reply, progress: Progress, ref: str) -> ProviderError | None:
    """What the generation ended with instead of a result; None where that is not what the answer says."""
    if is_the_models(reply.answer, progress):
        return end_of(reply.refusal, reply.call, reply.credential)
    if reply.answer.status in _FORGOTTEN:
        why = "fal does not keep results for long"
        charged = Charged.YES if progress.error is None else Charged.UNKNOWN
        return lost(id_of(ref), reply.call, why, charged=charged)
    return None


def make_adapter(context: AdapterContext) -> Fal:
    """The adapter for this deployment."""
    return Fal(context.read_token, forget_tokens=context.forget_tokens)
