"""Hugging Face's contract: `POST /models/{id}` with `inputs` and `parameters`, answered by the file itself.

Facts from huggingface_hub 2.4.0 and @huggingface/inference 4.13.30, read and tried 2026-11. The JavaScript client
repeats after a 503 at once and without end, so a 503 is given only to a request that finds the same job again.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler import Response

from longplay.domain.body import decode_body
from longplay.domain.catalogue import Model
from longplay.domain.errors import Problem
from longplay.domain.job import Job, Status
from longplay.http.faces.contract import Asked, answer, file, found_again, told, under_way
from longplay.http.service import Service

_OFF = ("false", "0")
_REFERENCES = ("data:", "upload:", "job:")


@dataclass(frozen=True)
class HuggingFace:
    """Answers as Hugging Face's inference API does. A `fresh` request takes no result that is there already."""

    fresh: bool = False

    @property
    def notes(self) -> Mapping[str, str]:
        """Whether it is fresh."""
        return {"fresh": "true"} if self.fresh else {}

    def over(self, job: Job, service: Service) -> Response[Any]:
        """The file; a reason with 500 for a failure that may pass, with 400 for any other."""
        if job.status is Status.SUCCEEDED:
            return file(service, job)
        passes = job.error is not None and job.error.retryable
        return answer(500 if passes else 400, {"error": told(job), "job": job.id})

    def late(self, job: Job) -> Response[Any]:
        """503 as for a model that loads: clients ask again, and find the job. 504 where they would not find it."""
        seconds = max(1.0, round(job.leg.typical_seconds, 1))
        body = {"error": under_way(job, self), "estimated_time": seconds, "job": job.id}
        return answer(503, body, {"Retry-After": f"{seconds:.0f}"}) if found_again(job, self) else answer(504, body)

    def refused(self, problem: Problem) -> Response[Any]:
        """The reason, with the problem's status; with 500 in place of 503."""
        wait = {"Retry-After": str(problem.retry_after)} if problem.retry_after else {}
        return answer(
            500 if problem.status == 503 else problem.status, {"error": problem.detail, "code": problem.code}, wait
        )


def asked(body: bytes, model: Model | None, name: str, headers: Mapping[str, str]) -> Asked:
    """The request in a body, which is JSON or the bytes of an image; raises InvalidRequest and TooLarge.

    A parameter that the model does not take is left out, because clients send those of all models.
    """
    given = _members(body, model)
    inputs, options, parameters = (given.pop(member, None) for member in ("inputs", "options", "parameters"))
    fresh = headers.get("x-use-cache", "").lower() in _OFF or _mapping(options).get("use_cache") is False
    fields = {"model": name, "inputs": inputs, "parameters": parameters, **({"fresh": True} if fresh else {})}
    ignored: list[str] = [*given]
    if model is not None and isinstance(parameters, dict):
        fields["parameters"] = {name: value for name, value in parameters.items() if name in model.parameters}
        ignored += [name for name in parameters if name not in model.parameters and name != "prompt"]
    if model is not None and model.from_image:
        fields |= {"inputs": None, "prompt": _mapping(parameters).get("prompt"), "image": _data_uri(inputs)}
    return Asked(fields=fields, contract=HuggingFace(fresh), ignored=tuple(ignored))


def _data_uri(image: object) -> object:
    """The image, which clients send in base64 alone; its type is read from its bytes."""
    return f"data:;base64,{image}" if isinstance(image, str) and not image.startswith(_REFERENCES) else image


def _members(body: bytes, model: Model | None) -> dict[str, Any]:
    if model is not None and model.from_image and not body.lstrip().startswith(b"{"):
        return {"inputs": base64.b64encode(body).decode()}
    return decode_body(body)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
