"""The faults of an asynchronous endpoint, by name."""

import json
from collections.abc import Mapping
from typing import Any

from local.stand_ins.framework.answers import Answer
from local.stand_ins.framework.common_faults import DROP
from local.stand_ins.framework.faults import FaultTable, Kind, answers, ends
from local.stand_ins.sagemaker.invocations import ACCOUNT, Outcome


def refusal(status: int, code: str, message: str) -> Answer:
    """An error of AWS's REST services."""
    return Answer(status=status, headers={"x-amzn-ErrorType": code}, body=json.dumps({"message": message}).encode())


def not_found(endpoint: str = "it") -> Answer:
    """The refusal of an endpoint that does not exist."""
    return refusal(400, "ValidationError", f"Endpoint {endpoint} of account {ACCOUNT} not found.")


_ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/generator/generator"

_REFUSALS: Mapping[str, Kind[Any]] = {
    "throttled": answers(refusal(400, "ThrottlingException", "Rate exceeded")),
    "invalid": answers(refusal(400, "ValidationError", "Value at 'inputLocation' failed to satisfy constraint")),
    "missing": answers(not_found()),
    "starting": answers(refusal(400, "ValidationError", f"Endpoint it of account {ACCOUNT} is not in service.")),
    "not_ready": answers(
        refusal(429, "ModelNotReadyException", "The model is not ready. Wait and try your request again.")
    ),
    "forbidden": answers(
        refusal(
            403, "AccessDeniedException", f"User: {_ROLE} is not authorized to perform: sagemaker:InvokeEndpointAsync"
        )
    ),
    "stale": answers(refusal(403, "ExpiredTokenException", "The security token included in the request is expired")),
    "unavailable": answers(refusal(503, "ServiceUnavailable", "The service is unavailable. Try your call again.")),
    "server_error": answers(refusal(500, "InternalFailure", "An internal failure occurred.")),
    "drop": DROP,
    "not_json": answers(Answer(status=202, body=b"{"), created=True),
}
_OUTCOMES: Mapping[str, Kind[Outcome]] = {
    "out_of_memory": ends(Outcome(end="Failed", status=400, error="CUDA out of memory. Tried to allocate 2.00 GiB")),
    "bad_input": ends(Outcome(end="Failed", status=400, error="`height` and `width` have to be divisible by 8")),
    "model_error": ends(Outcome(end="Failed", status=500, error="Worker died.")),
    "expired": ends(Outcome(end="Expired")),
    "page": ends(Outcome(answer=b"<html><title>502 Bad Gateway</title></html>")),
    "empty": ends(Outcome(answer=b"")),
    "nothing": ends(Outcome(answer=b'{"audio":[],"sampling_rate":32000}')),
}
FAULTS: FaultTable[Outcome] = FaultTable(kinds={**_REFUSALS, **_OUTCOMES})
