"""The faults of Replicate, by name."""

import json
from collections.abc import Mapping
from typing import Any

from local.stand_ins.framework.answers import Answer
from local.stand_ins.framework.common_faults import DROP, HTML, NOT_JSON, REDIRECT, SLOW, SPOILED_FILES
from local.stand_ins.framework.faults import FaultTable, Kind, Occasion, Operation, answers, ends
from local.stand_ins.replicate.predictions import Outcome


def problem(status: int, title: str, detail: str, **more: object) -> Answer:
    """An error of the API, a problem document (RFC 9457)."""
    body = {"title": title, "detail": detail, "status": status, **more}
    return Answer(status=status, content_type="application/problem+json", body=json.dumps(body).encode())


def invalid(fields: list[tuple[str, str]]) -> Answer:
    """The refusal of an input that breaks the model's schema."""
    return problem(
        422,
        "Input validation failed",
        "".join(f"- input.{name}: {error}\n" for name, error in fields),
        invalid_fields=[{"type": "invalid", "field": f"input.{name}", "description": error} for name, error in fields],
    )


def not_found() -> Answer:
    """The answer about anything that does not exist."""
    return problem(404, "Not found", "The requested resource could not be found.")


def unknown_version() -> Answer:
    """The refusal of a version that does not exist."""
    detail = "The specified version does not exist (or perhaps you don't have permission to use it?)"
    return problem(422, "Invalid version or not permitted", detail)


def _throttled(occasion: Occasion) -> Answer:
    """Without `retry_after` as accounts in good standing get it, with it as those short of credit do."""
    wait = occasion.fault.retry_after
    if wait is None:
        return problem(429, "Too many requests", "Request was throttled. Your rate limit resets in ~30s.")
    detail = "Request was throttled. Your rate limit for creating predictions is reduced to 6 requests per minute."
    return problem(429, "Too many requests", detail, retry_after=wait)


_REFUSALS: Mapping[str, Kind[Any]] = {
    "unauthorized": answers(problem(401, "Unauthenticated", "You did not pass a valid authentication token")),
    "credits": answers(
        problem(
            402,
            "Insufficient credit",
            "You have insufficient credit to run this model. Go to billing to purchase credit.",
        )
    ),
    "forbidden": answers(problem(403, "Forbidden", "You do not have permission to perform this action.")),
    "missing": answers(not_found()),
    "invalid": answers(invalid([("prompt", "prompt is required")])),
    "unknown_version": answers(unknown_version()),
    "throttled": answers(_throttled, "retry_after"),
    "server_error": answers(problem(500, "Internal server error", "Something went wrong.")),
    "html": HTML,
    "slow": SLOW,
    "not_json": NOT_JSON,
    "nameless": answers(Answer(body=b'{"id": "../../account", "status": "starting"}'), created=True),
    "drop": DROP,
    "redirect": REDIRECT,
}
_OUTCOMES: Mapping[str, Kind[Outcome]] = {
    "failed": ends(Outcome(status="failed", error="Prediction failed for an unknown reason.")),
    "nsfw": ends(
        Outcome(status="failed", error="NSFW content detected. Try running it again, or try a different prompt.")
    ),
    "sensitive": ends(
        Outcome(
            status="failed",
            error="The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
        )
    ),
    "out_of_memory": ends(Outcome(status="failed", error="CUDA out of memory. Tried to allocate 2.00 GiB")),
    "interrupted": ends(Outcome(status="failed", error="Prediction interrupted; please retry (code: PA)")),
    "canceled": ends(Outcome(status="canceled")),
    "aborted": ends(Outcome(status="aborted")),
    "erased": ends(Outcome(erased=True)),
    "no_output": ends(Outcome(output=())),
    "foreign_file": ends(Outcome(output=("https://files.elsewhere.invalid/out-0.wav",))),
    "lookalike_file": ends(Outcome(output=("https://replicate.delivery.elsewhere.invalid/out-0.wav",))),
    "insecure_file": ends(Outcome(output=("http://replicate.delivery/out-0.wav",))),
}
FAULTS: FaultTable[Outcome] = FaultTable(
    kinds={**_REFUSALS, **_OUTCOMES, **SPOILED_FILES},
    operations={Operation.CREATE, Operation.POLL, Operation.CANCEL, Operation.FILE},
)
