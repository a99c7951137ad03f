"""Hugging Face's request contract: the generation that a POST asks for."""

import json
import re
from email.message import Message
from typing import Any, NoReturn

from local.stand_ins.framework.answers import Answer, Refused, decode_image, refuse
from local.stand_ins.pipelines.asked import Asked, Task

TASK_OF_MODEL = (
    (r"musicgen|music|audio", Task.TEXT_TO_AUDIO),
    (r"ti2v|t2v|text-to-video", Task.TEXT_TO_VIDEO),
    (r"stable-video-diffusion|i2v|image-to-video", Task.IMAGE_TO_VIDEO),
)
MODEL_ROUTE = re.compile(r"(?:/hf-inference)?/models/(?P<model>[\w.-]+/[\w.-]+)")
TOOLKIT_ROUTES = ("/", "/predict")
JSON_TYPES = ("application/json", "application/json; charset=UTF-8")


def parse(path: str, headers: Message, body: bytes, *, model: str | None = None) -> Asked:
    """The request in a POST, read as the inference toolkit reads it; raises Refused with its error.

    `model` is the one that a dedicated server runs.
    """
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
    """The task of a model, judged by its name; text to image when the name does not show it."""
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
