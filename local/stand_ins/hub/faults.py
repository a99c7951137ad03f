"""Everything that can go wrong on the way to a partner, or at one, by name."""

from collections.abc import Mapping

from local.stand_ins.framework.answers import Answer, says
from local.stand_ins.framework.faults import Fault, Mishaps, Refusal, Stage
from local.stand_ins.hub.generations import Fate
from local.stand_ins.model.faults import CLOUDFRONT


def not_supported(partner: str) -> Answer:
    return says(400, {"error": f"Model not supported by provider {partner}"})


def _throttled(fault: Fault) -> Answer:
    """The Hub says `RateLimit`, a partner mostly nothing (hub-docs, hub/rate-limits.md)."""
    told = {} if fault.retry_after is None else {"RateLimit": f'"api";r=0;t={fault.retry_after:g}'}
    return says(429, {"error": "We had to rate limit you"}, **told)


_REFUSALS: Mapping[str, Refusal] = {
    "unauthorized": lambda _: says(401, {"error": "Invalid credentials in Authorization header"}),
    "credits": lambda _: says(
        402, {"error": "You have depleted your monthly included credits. Purchase pre-paid credits to continue."}
    ),
    "forbidden": lambda _: says(
        403,
        {
            "error": "This authentication method does not have sufficient permissions to call Inference Providers on "
            "behalf of user longplay"
        },
    ),
    "missing": lambda _: says(404, {"error": "Not Found"}),
    "not_supported": lambda _: not_supported("this"),
    "gone": lambda _: says(
        410, {"error": "The requested model is deprecated and no longer supported by this provider"}
    ),
    "invalid": lambda _: says(
        422, {"detail": [{"loc": ["body", "prompt"], "msg": "field required", "type": "value_error.missing"}]}
    ),
    "throttled": _throttled,
    "server_error": lambda _: says(500, {"error": "unknown error"}),
    "html": lambda _: Answer(status=502, content_type="text/html", body=CLOUDFRONT),
    "error_200": lambda _: says(200, {"error": "Something went wrong"}),
    "not_json": lambda _: Answer(body=b"{"),
    "nameless": lambda _: says(200, {"id": "../x", "request_id": "../x", "data": {"urls": {"get": "https://x/../.."}}}),
    "drop": lambda _: Answer(raw=True),
    "cut": lambda _: Answer(body=b"\x89PNG", length=10_000),
    "redirect": lambda fault: Answer(status=302, headers={"Location": fault.location}),
}
_FATES: Mapping[str, Fate] = {
    "failed": Fate(error="The worker died", status=500, billed=False),
    "refused": Fate(error="The prompt is longer than the model takes", status=422),
    "moderated": Fate(error="NSFW content detected. Try a different prompt. flagged by a content checker", status=422),
    "out_of_memory": Fate(error="CUDA out of memory. Tried to allocate 2.00 GiB", status=422),
    "unsafe": Fate(unsafe=True),
    "no_output": Fate(output=()),
    "foreign_file": Fate(output=("https://files.elsewhere.invalid/out-0.png",)),
    "lookalike_file": Fate(output=("https://fal.media.elsewhere.invalid/out-0.png",)),
    "insecure_file": Fate(output=("http://fal.media/out-0.png",)),
}

MISHAPS = Mishaps(
    stages={Stage.MAPPING, Stage.CREATE, Stage.POLL, Stage.RESULT, Stage.FILE},
    refusals=_REFUSALS,
    created={"drop", "not_json", "nameless", "cut"},
    fates=_FATES,
)
