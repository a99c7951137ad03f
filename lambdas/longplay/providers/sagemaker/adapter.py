"""The adapter for SageMaker's asynchronous endpoints: queue a generation, and find its answer in our bucket.

The container is Hugging Face's for PyTorch inference. According to aws/sagemaker-huggingface-inference-toolkit
(2026-11), its answers are always JSON, a pipeline refuses arguments it does not know (a seed), and there is no task
for video. An endpoint is paid by the hour, not by the call: the cost of a generation is its share of the hour, and a
call that the endpoint or its model refused costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import msgspec

from longplay.domain.errors import Case, Charged, FailureKind, ProviderError
from longplay.providers.credential import Credential
from longplay.providers.http_client import LARGEST_REFUSAL
from longplay.providers.hugging_face.adapter import request_body
from longplay.providers.hugging_face.answers import read_media
from longplay.providers.loading import AdapterContext
from longplay.providers.protocol import LARGEST_RESULT, Accepted, Call, Done
from longplay.providers.references import SAFETY_NET
from longplay.providers.results import bad_output
from longplay.providers.sagemaker.locations import Reference, read_notice, read_reference
from longplay.providers.sagemaker.payloads import ANSWERS, Payloads
from longplay.providers.sagemaker.refusals import failure_in
from longplay.providers.sagemaker.runtime import Runtime, TimeLimits

GRACE = 60.0  # seconds waited beyond the last time an answer can arrive by SageMaker's clock

_KINDS = ("music", "image")
_REFUSED_ARGUMENTS = ("seed",)
_NO_CREDENTIAL = Credential("aws", None)


class SageMaker:
    """The endpoint in a call's `url` (`https://runtime.sagemaker.{region}.amazonaws.com/endpoints/{name}`).

    `payloads` stores requests and fetches answers; `clock` returns epoch seconds.
    """

    def __init__(self, payloads: Payloads, *, clock: Callable[[], float] = time.time) -> None:
        self._payloads = payloads
        self._runtime = Runtime()
        self._clock = clock

    def submit(self, call: Call) -> Accepted:
        """Queue the generation with the attempt's name as its id; raises ProviderError."""
        body = _body(call)
        limits = TimeLimits.until(call.ends_within)
        endpoint = self._runtime.endpoint(call)
        location = self._payloads.store(call.attempt, body)
        queued = endpoint.invoke(location, limits)
        output = self._payloads.key_in(queued.output)
        if output is None:
            raise _unreadable_location(call)
        failure = self._payloads.key_in(queued.failure)
        until = self._clock() + limits.total + GRACE
        ref = Reference(attempt=call.attempt, output=output, failure=failure, until=until)
        return Accepted(ref=ref.text, poll_after=SAFETY_NET, request_id=call.attempt)

    def poll(self, ref: str, call: Call) -> Done | Accepted:
        """The answer, once it or a failure is in the bucket. Raises ProviderError and PollError."""
        reference, ends_at = read_reference(ref), time.monotonic() + call.timeout
        if found := self._payloads.fetch(reference.output, call, most=LARGEST_RESULT, until=ends_at):
            if found.bytes > LARGEST_RESULT:
                raise bad_output(call, f"it has {found.bytes:,} bytes, more than {LARGEST_RESULT:,}")
            return Done(files=(read_media(found, call, _NO_CREDENTIAL),), request_id=reference.attempt)
        if found := self._payloads.fetch(reference.failure, call, most=LARGEST_REFUSAL, until=ends_at):
            raise failure_in(found, call, reference.attempt)
        if reference.until is not None and self._clock() > reference.until:
            raise _expired(call, reference.attempt)
        return Accepted(ref=ref, poll_after=SAFETY_NET, request_id=reference.attempt)

    def cancel(self, ref: str, call: Call) -> None:
        """Do nothing: SageMaker cannot cancel an invocation, so it runs to its end and its answer is stored."""

    def reference_in(self, body: bytes) -> str | None:
        """The reference in a notice, None if it names no answer location that belongs to its attempt."""
        notice = read_notice(body)
        if notice is None:
            return None
        output, failure = (self._own_key(location, notice.attempt) for location in (notice.output, notice.failure))
        return Reference(attempt=notice.attempt, output=output, failure=failure).text if output or failure else None

    def _own_key(self, location: str | None, attempt: str) -> str | None:
        key = self._payloads.key_in(location)
        return key if key and attempt in key.split("/") else None


def _body(call: Call) -> bytes:
    if call.kind not in _KINDS:
        raise ProviderError(
            FailureKind.NOT_SERVED,
            f"the endpoint's container cannot generate {call.kind}: remove the route to {call.model} from models.toml. "
            "Nothing was sent.",
        )
    known = {name: value for name, value in call.parameters.items() if name not in _REFUSED_ARGUMENTS}
    return msgspec.json.encode(request_body(replace(call, parameters=known)))


def _unreadable_location(call: Call) -> ProviderError:
    return bad_output(
        call,
        f"its answer is stored where Longplay cannot read it. The endpoint must write to {ANSWERS} in its bucket",
        charged=Charged.UNKNOWN,
        detail="it is stored where it cannot be read",
    )


def _expired(call: Call, attempt: str) -> ProviderError:
    return ProviderError(
        FailureKind.UPSTREAM,
        f"the generation by {call.model} expired: its endpoint stored neither an answer nor a failure in time. "
        "Check its instances in SageMaker's console: the account's quota for their type may be zero.",
        charged=Charged.UNKNOWN,
        request_id=attempt,
        case=Case.EXPIRED,
    )


def make_adapter(context: AdapterContext) -> SageMaker:
    """The adapter for this deployment; requests and answers go through its bucket."""
    return SageMaker(Payloads(context.open_s3, context.bucket_name))
