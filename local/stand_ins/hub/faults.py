"""The faults of the Hub, its router and the partners behind it, by name."""

from collections.abc import Mapping
from typing import Any

from local.stand_ins.framework.answers import Answer, says
from local.stand_ins.framework.common_faults import DROP, HTML, NOT_JSON, REDIRECT, SLOW
from local.stand_ins.framework.faults import FaultTable, Kind, Occasion, Operation, answers, ends
from local.stand_ins.hub.generations import Outcome


def not_supported(partner: str) -> Answer:
    """The router's refusal of a model that the partner does not serve."""
    return says(400, {"error": f"Model not supported by provider {partner}"})


def _throttled(occasion: Occasion) -> Answer:
    """The Hub sends `RateLimit`, most partners send nothing (hub-docs, hub/rate-limits.md)."""
    wait = occasion.fault.retry_after
    headers = {} if wait is None else {"RateLimit": f'"api";r=0;t={wait:g}'}
    return says(429, {"error": "We had to rate limit you"}, **headers)


def _error(status: int, text: str) -> Kind[Any]:
    return answers(says(status, {"error": text}))


_REFUSALS: Mapping[str, Kind[Any]] = {
    "unauthorized": _error(401, "Invalid credentials in Authorization header"),
    "credits": _error(402, "You have depleted your monthly included credits. Purchase pre-paid credits to continue."),
    "forbidden": _error(
        403,
        "This authentication method does not have sufficient permissions to call Inference Providers on "
        "behalf of user longplay",
    ),
    "missing": _error(404, "Not Found"),
    "not_supported": answers(not_supported("this")),
    "gone": _error(410, "The requested model is deprecated and no longer supported by this provider"),
    "invalid": answers(
        says(422, {"detail": [{"loc": ["body", "prompt"], "msg": "field required", "type": "value_error.missing"}]})
    ),
    "throttled": answers(_throttled, "retry_after"),
    "server_error": _error(500, "unknown error"),
    "html": HTML,
    "slow": SLOW,
    "error_200": _error(200, "Something went wrong"),
    "not_json": NOT_JSON,
    "nameless": answers(
        says(200, {"id": "../x", "request_id": "../x", "data": {"urls": {"get": "https://x/../.."}}}), created=True
    ),
    "drop": DROP,
    "cut": answers(Answer(body=b"\x89PNG", length=10_000), created=True),
    "redirect": REDIRECT,
}
_OUTCOMES: Mapping[str, Kind[Outcome]] = {
    "failed": ends(Outcome(error="The worker died", status=500, billed=False)),
    "refused": ends(Outcome(error="The prompt is longer than the model takes", status=422)),
    "moderated": ends(
        Outcome(error="NSFW content detected. Try a different prompt. flagged by a content checker", status=422)
    ),
    "out_of_memory": ends(Outcome(error="CUDA out of memory. Tried to allocate 2.00 GiB", status=422)),
    "unsafe": ends(Outcome(unsafe=True)),
    "no_output": ends(Outcome(output=())),
    "foreign_file": ends(Outcome(output=("https://files.elsewhere.invalid/out-0.png",))),
    "lookalike_file": ends(Outcome(output=("https://fal.media.elsewhere.invalid/out-0.png",))),
    "insecure_file": ends(Outcome(output=("http://fal.media/out-0.png",))),
}
FAULTS: FaultTable[Outcome] = FaultTable(
    kinds={**_REFUSALS, **_OUTCOMES},
    operations={Operation.MAPPING, Operation.CREATE, Operation.POLL, Operation.RESULT, Operation.FILE},
)
