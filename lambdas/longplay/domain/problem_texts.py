"""The pages about each error code: what it means and what a caller can do, at `/problems/{code}`.

A refusal has its own `detail`, with the facts of the request. A page is for the code itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from longplay.domain.caller_texts import Text
from longplay.domain.errors import Problem

_NOT_YOURS = "It was never made, or it belongs to another key's owner; the answer is the same for both."
_SAME_KEY = "Repeat the request with the same `Idempotency-Key`: nothing is made or charged twice."
_ROOM = "Wait for `Retry-After` seconds, then repeat the request."

TEXTS: Mapping[str, Text] = {
    "invalid_request": Text(
        "A member of the body, a parameter of the query or a header is not valid.",
        "`errors` names each fault by its JSON pointer and its bounds. Correct them all and send the request again.",
    ),
    "too_large": Text(
        "The body is larger than the API takes.",
        "Send a large image by `POST /uploads`, and a large batch in several parts.",
    ),
    "not_found": Text(
        "The API has no such path or method.",
        "`GET /openapi.json` describes all paths. An address needs its stage, as in `…/prod/generate`.",
    ),
    "job_not_found": Text(f"There is no job of this id. {_NOT_YOURS}", "Compare the id. `GET /jobs` lists your jobs."),
    "job_expired": Text(
        "The job's time is over, and its files are deleted.",
        "Make it again with `POST /generate`. `expires_at` of a job says how long its files are kept.",
    ),
    "output_not_found": Text(
        f"The job has no such file, or not yet. {_NOT_YOURS}",
        "Read the job: `outputs` lists its files once it has succeeded.",
    ),
    "idempotency_key_reused": Text(
        "An earlier request with this `Idempotency-Key` had another body, and its job stands.",
        "Use a new key for each new request, and the same key only to repeat one.",
    ),
    "model_unavailable": Text(
        "The model has no way to a provider on this deployment, so a wait does not help.",
        "Choose another one (`GET /models`), or ask the operator to set this one up.",
    ),
    "too_many_open_jobs": Text(
        "As many of your jobs are open as the operator allows. `open_jobs_left` says how many may follow.",
        f"{_ROOM} A batch (`POST /batches`) waits for room by itself.",
    ),
    "over_daily_budget": Text(
        "A cap on the day's dollars or jobs is used up, or is reserved by open jobs.",
        "Wait until `resets_at`, or ask the operator for a higher cap. `GET /usage` shows what is left.",
    ),
    "exceeds_budget": Text(
        "The job may cost `needs_usd`, more than a whole day's cap.",
        "Ask for something shorter or smaller, lower `max_charges`, or ask the operator for a higher cap.",
    ),
    "line_too_long": Text(
        "So many jobs wait that this one would not start before its deadline.",
        f"{_ROOM} A longer `deadline_seconds` or another model can help, too.",
    ),
    "too_many_open_batches": Text(
        "As many of your batches still let lines in as may.", "Wait until one has let all its lines in, or cancel one."
    ),
    "batch_not_found": Text(
        f"There is no batch of this id. {_NOT_YOURS}", "Compare the id. `GET /batches` lists your batches."
    ),
    "batch_expired": Text("The batch's time is over, and its results are deleted.", "Send it again."),
    "paused": Text(
        "The operator has paused new jobs. Those under way finish.",
        f"{_ROOM} `GET /jobs/{{id}}` works all the while.",
    ),
    "temporarily_unavailable": Text(
        "AWS did not answer Longplay in time, although it was asked several times.", f"{_ROOM} {_SAME_KEY}"
    ),
    "too_many_waiting": Text(
        "Answers that wait for a result are few, so that they cannot crowd out the work itself.",
        f"{_ROOM} `POST /generate` does not wait.",
    ),
    "too_many_rotations": Text(
        "The secret of your webhooks was renewed as often as signatures can carry.",
        "Wait until the oldest secret ends, a day after it was replaced.",
    ),
    "nothing_to_tell": Text(
        "The job has no webhook, or has not ended.", "Read the job: its `status` says whether it is over."
    ),
    "not_retryable": Text(
        "Only a job that failed or was canceled can be retried.", "To make another result, send the request again."
    ),
    "not_finished": Text("Only a job that is over can be deleted.", "Cancel it first: `POST /jobs/{id}/cancel`."),
    "callback_unknown": Text(
        "No job waits for this callback of a provider.", "There is nothing to do: the provider may have called twice."
    ),
    "unauthorized": Text(
        "The request has no key that Longplay accepts.",
        "Send your key in the header `x-api-key`. The operator of the deployment issues keys.",
    ),
    "forbidden": Text(
        "The key is missing, wrong or revoked.",
        "Send your key in the header `x-api-key`, exactly as you got it. The operator issues new ones.",
    ),
    "too_many_requests": Text("Requests come faster than the deployment takes them.", _ROOM),
    "timeout": Text("The answer took longer than API Gateway waits.", _SAME_KEY),
    "internal_error": Text(
        "Longplay failed to answer.", f"{_SAME_KEY} If it fails again, give the operator the `request_id`."
    ),
}


def problems() -> Iterator[type[Problem]]:
    """Every kind of problem that has a code, each once."""
    yield from _under(Problem)


def _under(kind: type[Problem]) -> Iterator[type[Problem]]:
    for inner in kind.__subclasses__():
        if "code" in vars(inner):
            yield inner
        yield from _under(inner)
