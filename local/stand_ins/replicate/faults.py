"""Everything that can go wrong at Replicate, by name."""

import json
from collections.abc import Mapping

from local.stand_ins.framework.answers import Answer
from local.stand_ins.framework.faults import Fault, Mishaps, Refusal, Stage, cut, large
from local.stand_ins.model.faults import CLOUDFRONT
from local.stand_ins.replicate.predictions import Fate


def problem(status: int, title: str, detail: str, **more: object) -> Answer:
    """An error as the API words it (RFC 9457)."""
    body = {"title": title, "detail": detail, "status": status, **more}
    return Answer(status=status, content_type="application/problem+json", body=json.dumps(body).encode())


def invalid(fields: list[tuple[str, str]]) -> Answer:
    """An input that is not what the model's schema says."""
    return problem(
        422,
        "Input validation failed",
        "".join(f"- input.{name}: {what}\n" for name, what in fields),
        invalid_fields=[{"type": "invalid", "field": f"input.{name}", "description": what} for name, what in fields],
    )


def not_found(_: Fault | None = None) -> Answer:
    return problem(404, "Not found", "The requested resource could not be found.")


def unknown_version(_: Fault | None = None) -> Answer:
    detail = "The specified version does not exist (or perhaps you don't have permission to use it?)"
    return problem(422, "Invalid version or not permitted", detail)


def _throttled(fault: Fault) -> Answer:
    """Without `retry_after` as told to accounts in good standing, with it as to those short of credit."""
    if fault.retry_after is None:
        return problem(429, "Too many requests", "Request was throttled. Your rate limit resets in ~30s.")
    detail = "Request was throttled. Your rate limit for creating predictions is reduced to 6 requests per minute."
    return problem(429, "Too many requests", detail, retry_after=fault.retry_after)


_REFUSALS: Mapping[str, Refusal] = {
    "unauthorized": lambda _: problem(401, "Unauthenticated", "You did not pass a valid authentication token"),
    "credits": lambda _: problem(
        402, "Insufficient credit", "You have insufficient credit to run this model. Go to billing to purchase credit."
    ),
    "forbidden": lambda _: problem(403, "Forbidden", "You do not have permission to perform this action."),
    "missing": not_found,
    "invalid": lambda _: invalid([("prompt", "prompt is required")]),
    "unknown_version": unknown_version,
    "throttled": _throttled,
    "server_error": lambda _: problem(500, "Internal server error", "Something went wrong."),
    "html": lambda _: Answer(status=502, content_type="text/html", body=CLOUDFRONT),
    "not_json": lambda _: Answer(body=b"{"),
    "nameless": lambda _: Answer(body=b'{"id": "../../account", "status": "starting"}'),
    "drop": lambda _: Answer(raw=True),
    "redirect": lambda fault: Answer(status=302, headers={"Location": fault.location}),
}
_FATES: Mapping[str, Fate] = {
    "failed": Fate(status="failed", error="Prediction failed for an unknown reason."),
    "nsfw": Fate(status="failed", error="NSFW content detected. Try running it again, or try a different prompt."),
    "sensitive": Fate(
        status="failed",
        error="The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
    ),
    "out_of_memory": Fate(status="failed", error="CUDA out of memory. Tried to allocate 2.00 GiB"),
    "interrupted": Fate(status="failed", error="Prediction interrupted; please retry (code: PA)"),
    "canceled": Fate(status="canceled"),
    "aborted": Fate(status="aborted"),
    "erased": Fate(erased=True),
    "no_output": Fate(output=()),
    "foreign_file": Fate(output=("https://files.elsewhere.invalid/out-0.wav",)),
    "lookalike_file": Fate(output=("https://replicate.delivery.elsewhere.invalid/out-0.wav",)),
    "insecure_file": Fate(output=("http://replicate.delivery/out-0.wav",)),
}

MISHAPS = Mishaps(
    stages={Stage.CREATE, Stage.POLL, Stage.CANCEL, Stage.FILE},
    refusals=_REFUSALS,
    created={"drop", "not_json", "nameless"},
    fates=_FATES,
    files={
        "cut": cut,
        "page": lambda *_: Answer(content_type="audio/wav", body=CLOUDFRONT),
        "large": large,
    },
)
