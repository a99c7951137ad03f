"""The faults of fal, by name."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local.stand_ins.fal.requests import CANCELED, Outcome
from local.stand_ins.framework.answers import Answer, says
from local.stand_ins.framework.common_faults import DROP, ENDLESS, HTML, NOT_JSON, REDIRECT, SLOW, SPOILED_FILES
from local.stand_ins.framework.faults import FaultTable, Kind, Occasion, Operation, answers, ends


def detail(status: int, text: str, **headers: str) -> Answer:
    """An error of fal's API."""
    return says(status, {"detail": text}, **headers)


def no_such_request() -> Answer:
    """The answer about a request that does not exist."""
    return says(404, {"status": "NOT_FOUND"})


def no_such_app(app: str) -> Answer:
    """The answer to a request to an app that does not exist."""
    return detail(404, f"Application '{app.rpartition('/')[2]}' not found")


def invalid(fields: list[tuple[str, str]]) -> Outcome:
    """The outcome of an input that breaks the model's schema: the queue takes it, and the model refuses it."""
    return _model_error(422, [{"loc": ["body", name], "msg": error, "type": "value_error"} for name, error in fields])


def _model_error(status: int, errors: list[dict[str, Any]], *, marked: bool = True) -> Outcome:
    headers = {"X-Fal-Retryable": "false"} if marked else {}
    return Outcome(status=status, body={"detail": errors}, headers=headers, error=str(errors[0]["msg"]))


def _infrastructure_error(status: int, text: str, error_type: str) -> Outcome:
    """An error between fal's gateway and its runners."""
    body = {"detail": text, "error_type": error_type}
    headers = {"X-Fal-Error-Type": error_type}
    return Outcome(status=status, body=body, headers=headers, error=text, error_type=error_type)


def _unavailable(status: int, text: str, error_type: str) -> Answer:
    return says(status, {"detail": text, "error_type": error_type}, **{"X-Fal-Error-Type": error_type})


def _throttled(occasion: Occasion) -> Answer:
    wait = occasion.fault.retry_after
    headers = {} if wait is None else {"Retry-After": f"{wait:g}"}
    return detail(429, "Too many requests. Please try again later.", **headers)


_INTERNAL = [{"loc": ["body"], "msg": "Internal error", "type": "internal"}]
_FLAGGED = {
    "loc": ["body", "prompt"],
    "msg": "The content could not be processed because it was flagged by a content checker.",
    "type": "content_policy_violation",
}
_LOST_RUNNER = _infrastructure_error(503, "Runner disconnected", "runner_disconnected")

_REFUSALS: Mapping[str, Kind[Any]] = {
    "unauthorized": answers(detail(401, "Authentication is required to access this application")),
    "credits": answers(detail(402, "Payment required")),
    "exhausted": answers(
        detail(403, "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing.")
    ),
    "locked": answers(detail(403, "User is locked. Reason: Admin lock. Please contact support@fal.ai")),
    "forbidden": answers(detail(403, "Access denied")),
    "missing": answers(no_such_app("fal-ai/flux")),
    "gone": answers(no_such_request()),
    "invalid": answers(
        says(422, {"detail": [{"loc": ["body", "prompt"], "msg": "field required", "type": "missing"}]})
    ),
    "throttled": answers(_throttled, "retry_after"),
    "server_error": answers(detail(500, "Internal Server Error")),
    "unavailable": answers(_unavailable(503, "No runner available", "runner_scheduling_failure")),
    "gateway_timeout": answers(_unavailable(504, "Request timed out", "request_timeout")),
    "html": HTML,
    "slow": SLOW,
    "not_json": NOT_JSON,
    "wrong_types": answers(says(200, {"request_id": 7, "status": ["COMPLETED"], "images": "x"}), created=True),
    "nameless": answers(says(200, {"request_id": "../../account", "status": "IN_QUEUE"}), created=True),
    "endless": ENDLESS,
    "drop": DROP,
    "redirect": REDIRECT,
}
_OUTCOMES: Mapping[str, Kind[Outcome]] = {
    "failed": ends(_infrastructure_error(500, "Internal server error", "runner_server_error")),
    "runner_lost": ends(_LOST_RUNNER),
    "not_started": ends(_infrastructure_error(504, "Request timed out", "request_timeout")),
    "canceled": ends(CANCELED),
    "refused_input": ends(invalid([("prompt", "ensure this value has at least 1 characters")])),
    "refused_prompt": ends(_model_error(422, [_FLAGGED])),
    "out_of_memory": ends(_model_error(500, [{"loc": ["body"], "msg": "CUDA out of memory.", "type": "internal"}])),
    "unmarked_error": ends(_model_error(500, _INTERNAL, marked=False)),
    "marked_error": ends(replace(_model_error(500, _INTERNAL), error=None)),
    "silent_error": ends(Outcome(body={"detail": "Something went wrong"}, error="Something went wrong")),
    "nsfw": ends(Outcome(unsafe=True)),
    "erased": ends(Outcome(erased=True)),
    "erased_fault": ends(replace(_LOST_RUNNER, erased=True)),
    "erased_error": ends(Outcome(erased=True, error="Something went wrong")),
    "no_output": ends(Outcome(output=())),
    "shapeless": ends(
        Outcome(body={"images": "none", "audio_file": 7, "audio": [None], "has_nsfw_concepts": {"x": True}})
    ),
    "misdirected": ends(Outcome(elsewhere=True)),
    "foreign_file": ends(Outcome(output=("https://files.elsewhere.invalid/out-0.wav",))),
    "lookalike_file": ends(Outcome(output=("https://v3.fal.media.elsewhere.invalid/out-0.wav",))),
    "insecure_file": ends(Outcome(output=("http://v3.fal.media/out-0.wav",))),
}
FAULTS: FaultTable[Outcome] = FaultTable(
    kinds={**_REFUSALS, **_OUTCOMES, **SPOILED_FILES},
    operations={Operation.CREATE, Operation.POLL, Operation.RESULT, Operation.CANCEL, Operation.FILE},
)
