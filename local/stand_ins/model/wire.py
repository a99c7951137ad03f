"""Hugging Face's wire contract: what a request asks for, and how results and refusals are written."""

import json
import re
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum
from typing import Any, NoReturn

from local.stand_ins.framework.answers import Answer, Refused, decode_image, refuse


class Task(StrEnum):
    TEXT_TO_AUDIO = "text-to-audio"
    TEXT_TO_IMAGE = "text-to-image"
    TEXT_TO_VIDEO = "text-to-video"
    IMAGE_TO_VIDEO = "image-to-video"


class AudioShape(StrEnum):
    """How audio is answered: as the inference toolkit does, as the tutorial's handler does, or as a file."""

    TOOLKIT = "toolkit"
    TUTORIAL = "tutorial"
    WAV = "wav"
    FLAC = "flac"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request for a generation; `toolkit` tells the container's own routes from the router's."""

    task: Task
    model: str | None
    toolkit: bool
    accept: str | None
    inputs: Any
    parameters: dict[str, Any]

    @property
    def prompt(self) -> str:
        """The text asked for; beside an input image it is a parameter."""
        told = self.parameters.get("prompt", "") if self.task is Task.IMAGE_TO_VIDEO else self.inputs
        return told if isinstance(told, str) else ""


TASK_OF_MODEL = (
    (r"musicgen|music|audio", Task.TEXT_TO_AUDIO),
    (r"ti2v|t2v|text-to-video", Task.TEXT_TO_VIDEO),
    (r"stable-video-diffusion|i2v|image-to-video", Task.IMAGE_TO_VIDEO),
)
MODEL_ROUTE = re.compile(r"(?:/hf-inference)?/models/(?P<model>[\w.-]+/[\w.-]+)")
TOOLKIT_ROUTES = ("/", "/predict")
JSON_TYPES = ("application/json", "application/json; charset=UTF-8")


def parse(path: str, headers: Message, body: bytes, *, model: str | None = None) -> Asked:
    """Read a POST as the inference toolkit does; `model` is the one a dedicated server was started for."""
    route = MODEL_ROUTE.fullmatch(path)
    if route is None and path not in TOOLKIT_ROUTES:
        raise Refused(Answer(status=404, content_type="text/plain", body=f"Cannot POST {path}".encode()))
    payload = _payload(headers.get("Content-Type"), body)
    named, accept = (route["model"] if route else model), headers.get("Accept")
    inputs = payload["inputs"]
    return Asked(
        task=task_of_model(named) if named else _task_of_accept(accept, inputs),
        model=named,
        toolkit=route is None,
        accept=None if accept == "*/*" else accept,
        inputs=inputs,
        parameters=_parameters(payload),
    )


def task_of_model(model: str) -> Task:
    found = (task for words, task in TASK_OF_MODEL if re.search(words, model.lower()))
    return next(found, Task.TEXT_TO_IMAGE)


def _payload(content_type: str | None, body: bytes) -> dict[str, Any]:
    if content_type not in JSON_TYPES:
        refuse(f'Content type "{content_type}" not supported. Supported content types are: {", ".join(JSON_TYPES)}')
    try:
        payload = json.loads(body, parse_constant=_not_json)
    except (ValueError, RecursionError) as error:
        refuse(str(error))
    if not isinstance(payload, dict) or "inputs" not in payload:
        received = json.dumps(payload, separators=(",", ":"))
        refuse(f"Body needs to provide a inputs key, received: b'{received}'")
    return payload


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"unexpected character: {constant}")


def _parameters(payload: dict[str, Any]) -> dict[str, Any]:
    parameters = payload.get("parameters", {})
    if not isinstance(parameters, dict):
        refuse(f"argument after ** must be a mapping, not {type(parameters).__name__}")
    return parameters


def _task_of_accept(accept: str | None, inputs: object) -> Task:
    kind = (accept or "").partition("/")[0]
    if kind == "video":
        return Task.IMAGE_TO_VIDEO if decode_image(inputs) else Task.TEXT_TO_VIDEO
    return Task.TEXT_TO_IMAGE if kind == "image" else Task.TEXT_TO_AUDIO
