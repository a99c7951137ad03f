"""The faults of an app and of its Space, by name; texts of ZeroGPU are those of `spaces` 0.51.3 (`zero/client.py`)."""

from collections.abc import Mapping
from typing import Any

from local.stand_ins.framework.answers import Answer, says
from local.stand_ins.framework.common_faults import DROP, NOT_JSON, REDIRECT, SLOW, SPOILED_FILES
from local.stand_ins.framework.faults import FaultTable, Kind, Operation, answers, ends
from local.stand_ins.space.calls import Outcome

_PAGE = b"<!DOCTYPE html><html><head><title>Hugging Face</title></head><body>%s</body></html>"
NO_SPACE = Answer(status=404, content_type="text/html", body=_PAGE % b"Sorry, we can't find the page")
STARTING = Answer(status=503, content_type="text/html", body=_PAGE % b"Preparing Space")
REFUSED_TOKEN = says(401, {"error": "Invalid credentials in Authorization header"})

_REFUSALS: Mapping[str, Kind[Any]] = {
    "unauthorized": answers(NO_SPACE),  # a private Space does not show that it is there
    "hidden": answers(NO_SPACE),
    "waking": answers(STARTING),
    "queue_full": answers(says(503, {"detail": "Queue is full. Max size is 2 and size is 2."})),
    "internal": answers(Answer(status=500, content_type="text/plain", body=b"Internal Server Error")),
    "refused_token": answers(REFUSED_TOKEN),
    "nameless": answers(says(200, {"event_id": "../x"}), created=True),
    "not_json": NOT_JSON,
    "slow": SLOW,
    "drop": DROP,
    "redirect": REDIRECT,
}


def _fails(text: str, title: str = "Error") -> Kind[Outcome]:
    return ends(Outcome(error=text, title=title))


_QUOTA = "You have exceeded your free ZeroGPU quota (60s requested vs. 42s left). Try again in 0:12:34. "
_OUTCOMES: Mapping[str, Kind[Outcome]] = {
    "failed": _fails("GPU task aborted"),
    "quota": _fails(_QUOTA, "ZeroGPU quota exceeded"),
    "runs": _fails("You have exceeded your ZeroGPU runs limit. ", "ZeroGPU quota exceeded"),
    "anonymous_quota": _fails("Space app has reached its GPU limit. Try re-running outside of examples", "ZeroGPU"),
    "no_gpu": _fails("No GPU was available after 60s. Retry later", "ZeroGPU queue timeout"),
    "too_long": _fails("The requested GPU duration (900s) is larger than the maximum allowed", "ZeroGPU"),
    "out_of_memory": _fails("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "hides": ends(Outcome(error="", hidden=True)),
    "no_output": ends(Outcome(output=())),
    "foreign_file": ends(Outcome(output=("https://elsewhere.invalid/x.wav",))),
    "climbing_file": ends(Outcome(output=("/tmp/gradio/../../etc/passwd",))),  # noqa: S108
}
FAULTS: FaultTable[Outcome] = FaultTable(
    kinds={**_REFUSALS, **SPOILED_FILES, **_OUTCOMES},
    operations={Operation.MAPPING, Operation.CREATE, Operation.POLL, Operation.CANCEL, Operation.FILE},
)

#: What may go wrong before a request reaches the app, or after its answer has left it.
FRONT_FAULTS: FaultTable[Outcome] = FaultTable(
    kinds={**_REFUSALS, **SPOILED_FILES}, operations={Operation.CREATE, Operation.POLL, Operation.FILE}
)
