"""OpenAI's contract for images: `POST /v1/images/generations`, and the list of models.

Facts from openai 3.57.0 (Python) and 6.49.0 (Node), read and tried 2026-11: both follow redirects, and repeat a request
after 408, 409, 429 and 5xx unless `x-should-retry` says otherwise.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler import Response

from longplay.domain.body import decode_body
from longplay.domain.catalogue import Catalogue, Kind, Model
from longplay.domain.errors import InvalidRequest, Problem
from longplay.domain.job import Job, Output, Status
from longplay.http.faces.contract import MOST_INLINE, Asked, answer, found_again, told, under_way
from longplay.http.service import Service

_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)
_FORMATS = ("b64_json", "url")
_OURS = ("prompt", "image", "parameters", "fresh", "max_charges", "deadline_seconds", "tags")
_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


@dataclass(frozen=True)
class OpenAi:
    """Answers as OpenAI's API does: with images in base64, or with their URLs.

    A `fresh` request takes no result that is there already.
    """

    urls: bool = False
    fresh: bool = False

    @property
    def notes(self) -> Mapping[str, str]:
        """Its two choices."""
        return {**({"format": "url"} if self.urls else {}), **({"fresh": "true"} if self.fresh else {})}

    def over(self, job: Job, service: Service) -> Response[Any]:
        """The images in base64, or as URLs where the request wants them or they are too large."""
        if job.status is not Status.SUCCEEDED:
            passes = job.error is not None and job.error.retryable
            code = job.error.code if job.error else job.status.value
            return _error(500 if passes else 400, told(job), code=code, again=False)
        inline = not self.urls and sum(output.bytes for output in job.outputs) <= MOST_INLINE
        data = [_image(service, output, inline=inline) for output in job.outputs]
        return answer(200, {"created": int(job.created_at), "data": data}, {"X-Longplay-Job": job.id})

    def late(self, job: Job) -> Response[Any]:
        """504; the client asks again if that finds the job."""
        return _error(504, under_way(job, self), code="still_generating", again=found_again(job, self))

    def refused(self, problem: Problem) -> Response[Any]:
        """The reason, with the problem's status."""
        field = problem.extra.get("field")
        wait = {"Retry-After": str(problem.retry_after)} if problem.retry_after else {}
        return _error(
            problem.status, problem.detail, code=problem.code, again=problem.retryable, param=field, headers=wait
        )


def asked(body: bytes, catalogue: Catalogue) -> Asked:
    """The request in a body; raises InvalidRequest and TooLarge. Members for OpenAI's own models are left out."""
    given = decode_body(body)
    model = _model(given.pop("model", None), catalogue)
    if given.pop("n", None) not in (None, 1):
        raise InvalidRequest(
            "n", "`n` must be 1: send a request for each image, with a `seed` each. Nothing was charged."
        )
    if given.pop("stream", None):
        raise InvalidRequest("stream", "`stream` must be false: images come whole. Nothing was created or charged.")
    urls = _format(given.pop("response_format", None)) == "url"
    size = _size(given.pop("size", None))
    takes = (*_OURS, *(model.parameters if model else ()))
    fields = {name: value for name, value in given.items() if name in takes} | size
    fields |= {"model": model.name if model else None, "kind": Kind.IMAGE}
    contract = OpenAi(urls, given.get("fresh") is True)
    return Asked(fields=fields, contract=contract, ignored=tuple(name for name in given if name not in takes))


def models(catalogue: Catalogue) -> Response[Any]:
    """The models that are offered here, of every kind."""
    return answer(200, {"object": "list", "data": [_model_view(model) for model in catalogue.offered]})


def one_model(catalogue: Catalogue, name: str) -> Response[Any]:
    """The model of this name, or 404."""
    model = catalogue.find(name)
    return answer(200, _model_view(model)) if model else _error(404, _no_model(catalogue), code="model_not_found")


def _model(name: object, catalogue: Catalogue) -> Model | None:
    """The model of a request; None stands for the one that is served by default."""
    if name is None:
        return catalogue.default(Kind.IMAGE)
    model = catalogue.find(name) if isinstance(name, str) else None
    if model is None:
        raise InvalidRequest("model", _no_model(catalogue))
    return model


def _no_model(catalogue: Catalogue) -> str:
    names = ", ".join(model.name for model in catalogue.offered if model.kind is Kind.IMAGE)
    return f"There is no such model here; for images there are {names}. Nothing was created or charged."


def _model_view(model: Model) -> dict[str, Any]:
    return {"id": model.name, "object": "model", "created": 0, "owned_by": "longplay"}


def _format(value: object) -> str:
    if value is not None and value not in _FORMATS:
        raise InvalidRequest("response_format", f"`response_format` must be one of {', '.join(_FORMATS)}.")
    return str(value or "b64_json")


def _size(value: object) -> dict[str, int]:
    if value in (None, "auto"):
        return {}
    named = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if named is None:
        raise InvalidRequest("size", "`size` must be WIDTHxHEIGHT, such as 512x512, or auto. Nothing was charged.")
    return {"width": int(named[1]), "height": int(named[2])}


def _image(service: Service, output: Output, *, inline: bool) -> dict[str, str]:
    if not inline:
        return {"url": service.presigned(output)}
    return {"b64_json": base64.b64encode(service.bytes_of(output)).decode()}


def _error(
    status: int,
    message: str,
    *,
    code: str,
    again: bool = False,
    param: object = None,
    headers: Mapping[str, str] | None = None,
) -> Response[Any]:
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return answer(status, body, {**(headers or {}), "X-Should-Retry": "true" if again else "false"})
