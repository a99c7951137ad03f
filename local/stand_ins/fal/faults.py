"""Everything that can go wrong at fal, by name."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local.stand_ins.fal.requests import CANCELED, Fate
from local.stand_ins.framework.answers import Answer, says
from local.stand_ins.framework.faults import Fault, Mishaps, Refusal, Stage, cut, large
from local.stand_ins.model.faults import CLOUDFRONT


def detail(status: int, text: str, **headers: str) -> Answer:
    """An error of fal's own."""
    return says(status, {"detail": text}, **headers)


def infrastructure(status: int, text: str, error_type: str) -> Answer:
    """An error between fal's gateway and its runners."""
    return says(status, {"detail": text, "error_type": error_type}, **{"X-Fal-Error-Type": error_type})


def no_such_request(_: Fault | None = None) -> Answer:
    return says(404, {"status": "NOT_FOUND"})


def no_such_app(app: str) -> Answer:
    return detail(404, f"Application '{app.rpartition('/')[2]}' not found")


def invalid(fields: list[tuple[str, str]]) -> Fate:
    """What becomes of an input that is not what the model's schema says: it is queued, and refused by the model."""
    return _model_error(422, [{"loc": ["body", name], "msg": what, "type": "value_error"} for name, what in fields])


def _model_error(status: int, errors: list[dict[str, Any]], *, marked: bool = True) -> Fate:
    headers = {"X-Fal-Retryable": "false"} if marked else {}
    return Fate(status=status, body={"detail": errors}, headers=headers, error=str(errors[0]["msg"]))


def _infrastructure(status: int, text: str, error_type: str) -> Fate:
    body = {"detail": text, "error_type": error_type}
    headers = {"X-Fal-Error-Type": error_type}
    return Fate(status=status, body=body, headers=headers, error=text, error_type=error_type)


def _throttled(fault: Fault) -> Answer:
    headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    return detail(429, "Too many requests. Please try again later.", **headers)


_REFUSALS: Mapping[str, Refusal] = {
    "unauthorized": lambda _: detail(401, "Authentication is required to access this application"),
    "credits": lambda _: detail(402, "Payment required"),
    "exhausted": lambda _: detail(
        403, "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."
    ),
    "locked": lambda _: detail(403, "User is locked. Reason: Admin lock. Please contact support@fal.ai"),
    "forbidden": lambda _: detail(403, "Access denied"),
    "missing": lambda _: no_such_app("fal-ai/flux"),
    "gone": no_such_request,
    "invalid": lambda _: says(
        422, {"detail": [{"loc": ["body", "prompt"], "msg": "field required", "type": "missing"}]}
    ),
    "throttled": _throttled,
    "server_error": lambda _: detail(500, "Internal Server Error"),
    "unavailable": lambda _: infrastructure(503, "No runner available", "runner_scheduling_failure"),
    "gateway_timeout": lambda _: infrastructure(504, "Request timed out", "request_timeout"),
    "html": lambda _: Answer(status=502, content_type="text/html", body=CLOUDFRONT),
    "not_json": lambda _: Answer(body=b"{"),
    "wrong_types": lambda _: says(200, {"request_id": 7, "status": ["COMPLETED"], "images": "x"}),
    "nameless": lambda _: says(200, {"request_id": "../../account", "status": "IN_QUEUE"}),
    "endless": lambda fault: large(fault, Answer()),
    "drop": lambda _: Answer(raw=True),
    "redirect": lambda fault: Answer(status=302, headers={"Location": fault.location}),
}
_FATES: Mapping[str, Fate] = {
    "failed": _infrastructure(500, "Internal server error", "runner_server_error"),
    "runner_lost": _infrastructure(503, "Runner disconnected", "runner_disconnected"),
    "not_started": _infrastructure(504, "Request timed out", "request_timeout"),
    "canceled": CANCELED,
    "refused_input": invalid([("prompt", "ensure this value has at least 1 characters")]),
    "refused_prompt": _model_error(
        422,
        [
            {
                "loc": ["body", "prompt"],
                "msg": "The content could not be processed because it was flagged by a content checker.",
                "type": "content_policy_violation",
            }
        ],
    ),
    "out_of_memory": _model_error(500, [{"loc": ["body"], "msg": "CUDA out of memory.", "type": "internal"}]),
    "unmarked_error": _model_error(500, [{"loc": ["body"], "msg": "Internal error", "type": "internal"}], marked=False),
    "marked_error": replace(
        _model_error(500, [{"loc": ["body"], "msg": "Internal error", "type": "internal"}]), error=None
    ),
    "silent_error": Fate(body={"detail": "Something went wrong"}, error="Something went wrong"),
    "nsfw": Fate(unsafe=True),
    "erased": Fate(erased=True),
    "erased_fault": replace(_infrastructure(503, "Runner disconnected", "runner_disconnected"), erased=True),
    "erased_error": Fate(erased=True, error="Something went wrong"),
    "no_output": Fate(output=()),
    "shapeless": Fate(body={"images": "none", "audio_file": 7, "audio": [None], "has_nsfw_concepts": {"x": True}}),
    "misdirected": Fate(elsewhere=True),
    "foreign_file": Fate(output=("https://files.elsewhere.invalid/out-0.wav",)),
    "lookalike_file": Fate(output=("https://v3.fal.media.elsewhere.invalid/out-0.wav",)),
    "insecure_file": Fate(output=("http://v3.fal.media/out-0.wav",)),
}

MISHAPS = Mishaps(
    stages={Stage.CREATE, Stage.POLL, Stage.RESULT, Stage.CANCEL, Stage.FILE},
    refusals=_REFUSALS,
    created={"drop", "not_json", "wrong_types", "nameless", "endless"},
    fates=_FATES,
    files={
        "cut": cut,
        "page": lambda *_: Answer(content_type="audio/wav", body=CLOUDFRONT),
        "large": large,
    },
)
