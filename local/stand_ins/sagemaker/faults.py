"""Everything that can go wrong at an asynchronous endpoint, by name, and the rules that say when it does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from local.stand_ins.framework.answers import Answer
from local.stand_ins.framework.rules import Rules
from local.stand_ins.sagemaker.invocations import ACCOUNT, Fate


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A rule: an invocation (of `endpoint`, None for any) goes wrong, `times` times, null for ever.

    `queued` says whether a refused one was queued nonetheless, null what is usual.
    """

    fault: str
    endpoint: str | None = None
    times: int | None = 1
    queued: bool | None = None

    def __post_init__(self) -> None:
        if self.fault not in {*REFUSALS, *FATES}:
            raise ValueError(f"no fault is called {self.fault!r}")

    @property
    def queues(self) -> bool:
        return self.fault in QUEUED if self.queued is None else self.queued


class Faults(Rules[Fault]):
    """What befalls invocations."""

    def fate(self, endpoint: str) -> Fate:
        """What becomes of an invocation queued now."""
        fault = self.take(lambda rule: rule.fault in FATES and rule.endpoint in (None, endpoint))
        return FATES[fault.fault] if fault else Fate()

    def refusal(self, endpoint: str) -> Fault | None:
        """What is wrong with an invocation before it is queued."""
        return self.take(lambda rule: rule.fault in REFUSALS and rule.endpoint in (None, endpoint))


def refusal(status: int, code: str, message: str) -> Answer:
    """An error as AWS's REST services word it."""
    return Answer(status=status, headers={"x-amzn-ErrorType": code}, body=json.dumps({"message": message}).encode())


def not_found(endpoint: str = "it") -> Answer:
    return refusal(400, "ValidationError", f"Endpoint {endpoint} of account {ACCOUNT} not found.")


_ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/generator/generator"

REFUSALS: Mapping[str, Answer] = {
    "throttled": refusal(400, "ThrottlingException", "Rate exceeded"),
    "invalid": refusal(400, "ValidationError", "Value at 'inputLocation' failed to satisfy constraint"),
    "missing": not_found(),
    "starting": refusal(400, "ValidationError", f"Endpoint it of account {ACCOUNT} is not in service."),
    "not_ready": refusal(429, "ModelNotReadyException", "The model is not ready. Wait and try your request again."),
    "forbidden": refusal(
        403, "AccessDeniedException", f"User: {_ROLE} is not authorized to perform: sagemaker:InvokeEndpointAsync"
    ),
    "stale": refusal(403, "ExpiredTokenException", "The security token included in the request is expired"),
    "unavailable": refusal(503, "ServiceUnavailable", "The service is unavailable. Try your call again."),
    "server_error": refusal(500, "InternalFailure", "An internal failure occurred."),
    "drop": Answer(raw=True),
    "not_json": Answer(status=202, body=b"{"),
}
QUEUED = {"drop", "not_json"}

FATES: Mapping[str, Fate] = {
    "out_of_memory": Fate(end="Failed", status=400, said="CUDA out of memory. Tried to allocate 2.00 GiB"),
    "bad_input": Fate(end="Failed", status=400, said="`height` and `width` have to be divisible by 8"),
    "model_error": Fate(end="Failed", status=500, said="Worker died."),
    "expired": Fate(end="Expired"),
    "page": Fate(answer=b"<html><title>502 Bad Gateway</title></html>"),
    "empty": Fate(answer=b""),
    "nothing": Fate(answer=b'{"audio":[],"sampling_rate":32000}'),
}
