"""The function of the faces: Hugging Face's contract and OpenAI's, for clients that are there already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.utilities.typing import LambdaContext
from longplay.domain.errors import PathNotFound, Problem
from longplay.domain.job import Job
from longplay.domain.request import Submission, submission_of
from longplay.http.api import body_of
from longplay.http.faces import hugging_face, openai
from longplay.http.faces.chain import Chain
from longplay.http.faces.contract import Asked, Contract
from longplay.http.holding import time_left
from wiring import dependencies

logger = Logger()
api = APIGatewayRestResolver(
    cors=CORSConfig(
        allow_headers=["X-Use-Cache"], expose_headers=["Retry-After", "X-Longplay-Ignored", "X-Longplay-Job"]
    )
)

_NO_PATH = "There is no such path. Faces have POST /models/{id} and POST /v1/images/generations."


@api.post("/models/<name>")
def short(name: str) -> Response[Any]:
    """Hugging Face's call, with one of our names of a model."""
    return _of_hugging_face(name, lambda job: f"../waits/{job.id}")


@api.post("/models/<owner>/<name>")
def call(owner: str, name: str) -> Response[Any]:
    """Hugging Face's call: the file, as soon as it is there."""
    return _of_hugging_face(f"{owner}/{name}", lambda job: f"../../waits/{job.id}")


@api.get("/waits/<job_id>")
@api.post("/waits/<job_id>")
def wait(job_id: str) -> Response[Any]:
    """The next held answer of such a call."""
    return _go_on(hugging_face.HuggingFace(fresh="fresh" in _query()), job_id)


@api.post("/v1/images/generations")
def images() -> Response[Any]:
    """OpenAI's call for images."""
    asked = openai.asked(body_of(api.current_event), dependencies().service.catalogue)
    return _begin(asked, lambda job: f"generations/{job.id}")


@api.get("/v1/images/generations/<job_id>")
@api.post("/v1/images/generations/<job_id>")
def wait_for_images(job_id: str) -> Response[Any]:
    """The next held answer of such a call."""
    return _go_on(openai.OpenAi(urls=_query().get("format") == "url", fresh="fresh" in _query()), job_id)


@api.get("/v1/models")
def models() -> Response[Any]:
    """The models offered here, in OpenAI's form."""
    return openai.models(dependencies().service.catalogue)


@api.get("/v1/models/<name>")
def model(name: str) -> Response[Any]:
    """One of them."""
    return openai.one_model(dependencies().service.catalogue, name)


@api.exception_handler(Problem)  # type: ignore[untyped-decorator]
def refuse(problem: Problem) -> Response[Any]:
    """The problem in the words of the contract that was asked."""
    return _contract().refused(problem)


@api.not_found
def nothing(_: Exception) -> Response[Any]:
    """No contract has this path."""
    return _contract().refused(PathNotFound(_NO_PATH))


def _contract() -> Contract:
    return openai.OpenAi() if api.current_event.path.startswith("/v1/") else hugging_face.HuggingFace()


def _of_hugging_face(name: str, here: Callable[[Job], str]) -> Response[Any]:
    event, catalogue = api.current_event, dependencies().service.catalogue
    asked = hugging_face.asked(body_of(event), catalogue.find(name), name, event.headers)
    return _begin(asked, here)


def _begin(asked: Asked, here: Callable[[Job], str]) -> Response[Any]:
    service, owner = dependencies().service, _owner()
    longest = service.settings.longest_deadline
    submission = submission_of(asked.fields, service.catalogue, longest_deadline=longest)
    answer = _chain(asked.contract).begin(
        lambda: _submitted(owner, submission), is_cached=lambda: service.is_cached(owner, submission), here=here
    )
    if asked.ignored:
        answer.headers["X-Longplay-Ignored"] = ", ".join(ascii(name)[1:-1] for name in asked.ignored)[:1_000]
    return answer


def _go_on(contract: Contract, job_id: str) -> Response[Any]:
    return _chain(contract).go_on(dependencies().service.find(_owner(), job_id), _query())


def _query() -> Mapping[str, str]:
    return api.current_event.query_string_parameters


def _chain(contract: Contract) -> Chain:
    return Chain(holding=dependencies().holding, contract=contract, seconds=time_left(api))


def _submitted(owner: str, submission: Submission) -> Job:
    job = dependencies().service.submit(owner, submission).job
    logger.info("submitted", job=job.id, owner=job.owner, model=job.request.model)
    return job


def _owner() -> str:
    """The owner of the key, as the authorizer found it."""
    owner: str = api.current_event.request_context.authorizer["owner"]
    return owner


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The Lambda entry point."""
    return api.resolve(event, context)
