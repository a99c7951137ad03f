"""The partners: where each is asked, and how it words what it answers.

From `huggingface_hub` 2.4.0 (`inference/_providers`), and the partners' documents (2026-11).
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.stand_ins.framework.answers import Answer, says
from local.stand_ins.hub.generations import Generation

Words = Callable[[Generation, str], Answer]
_OPENAI_IMAGES = re.compile(r"/v1/images/generations")


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to a generation: the path (with its query) it is ordered at, of which a group may name the `model`.

    `taken` words the answer to the order; it is the result itself where the order is answered `at_once`, and may be
    where it `holds`. `reads` words the answer at each path where a generation is asked for by its `id`.
    """

    ordered: re.Pattern[str]
    taken: Words
    reads: tuple[tuple[re.Pattern[str], Words], ...] = ()
    at_once: bool = False
    holds: bool = False


def openai_images(generation: Generation, _: str) -> Answer:
    """Together's answer bore `retry-after: 2` at status 200 (recorded 2025-04)."""
    packed = base64.b64encode(generation.file.content).decode()
    return says(200, {"created": 1, "data": [{"index": 0, "b64_json": packed}]}, **{"retry-after": "2"})


def fal_taken(generation: Generation, _: str) -> Answer:
    address = f"https://queue.fal.run/{_app(generation)}/requests/{generation.id}"
    ticket = {"request_id": generation.id, "response_url": address, "status_url": f"{address}/status"}
    return says(200, {"status": "IN_QUEUE", "queue_position": 0, "cancel_url": f"{address}/cancel", **ticket})


def fal_status(generation: Generation, _: str) -> Answer:
    if not generation.over:
        return says(202, {"status": "IN_PROGRESS", "logs": None})
    failed = generation.fate.error and generation.fate.status >= 500
    why = {"error": generation.fate.error, "error_type": "runner_server_error"} if failed else {}
    return says(200, {"status": "COMPLETED", "metrics": {"inference_time": 1.0}, **why})


def fal_result(generation: Generation, url: str) -> Answer:
    if generation.fate.error:
        fault = {"loc": ["body", "prompt"], "msg": generation.fate.error, "type": "value_error"}
        return says(generation.fate.status, {"detail": [fault]}, **{"x-fal-retryable": "false"})
    files = [{"url": address, "content_type": generation.file.content_type} for address in generation.addresses(url)]
    if generation.file.content_type == "video/mp4":
        return says(200, {"video": next(iter(files), None), "seed": 1})
    return says(200, {"images": files, "seed": 1, "has_nsfw_concepts": [generation.fate.unsafe]})


def replicate_shown(generation: Generation, url: str) -> Answer:
    """An order held until it is over shows its output while it still says `processing` (recorded 2025-04)."""
    failed = generation.over and generation.fate.error
    output = generation.addresses(url) if generation.over and not failed else None
    ended = ("failed" if failed else "succeeded") if generation.polls and generation.over else "processing"
    shown = {"id": generation.id, "model": generation.model, "status": ended, "output": output}
    return says(201 if output else 202, {**shown, "error": generation.fate.error if failed else None})


def together_shown(generation: Generation, url: str) -> Answer:
    shown: dict[str, Any] = {"id": generation.id, "model": generation.model, "object": "video"}
    if not generation.over:
        return says(200, {**shown, "status": "in_progress" if generation.polls else "queued"})
    if generation.fate.error:
        return says(200, {**shown, "status": "failed", "error": {"message": generation.fate.error, "code": "failed"}})
    address = next(iter(generation.addresses(url)), None)
    return says(200, {**shown, "status": "completed", "outputs": {"cost": 0.28, "video_url": address}})


def wavespeed_shown(generation: Generation, url: str) -> Answer:
    failed = generation.over and generation.fate.error
    ended = "failed" if failed else "completed"
    data = {
        "id": generation.id,
        "model": generation.model,
        "status": ended if generation.over else ("processing" if generation.polls else "created"),
        "outputs": generation.addresses(url) if generation.over and not failed else [],
        "error": generation.fate.error if failed else "",
        "urls": {"get": f"https://api.wavespeed.ai/api/v3/predictions/{generation.id}/result"},
    }
    return says(200, {"code": 200, "message": "success", "data": data})


def _app(generation: Generation) -> str:
    """Of an endpoint's id only owner and app are part of a request's address."""
    return "/".join(generation.model.split("/")[:2])


PARTNERS: Mapping[str, tuple[Way, ...]] = {
    "fal-ai": (
        Way(
            ordered=re.compile(r"/(?P<model>[\w./-]+)\?_subdomain=queue"),
            taken=fal_taken,
            reads=(
                (re.compile(r"/[\w-]+/[\w-]+/requests/(?P<id>\w+)/status\?_subdomain=queue"), fal_status),
                (re.compile(r"/[\w-]+/[\w-]+/requests/(?P<id>\w+)\?_subdomain=queue"), fal_result),
            ),
        ),
        Way(ordered=re.compile(r"/(?P<model>[\w./-]+)"), taken=fal_result, at_once=True),
    ),
    "replicate": (
        Way(
            ordered=re.compile(r"/v1/(?:models/(?P<model>[\w.-]+/[\w.-]+)/)?predictions"),
            taken=replicate_shown,
            reads=((re.compile(r"/v1/predictions/(?P<id>\w+)"), replicate_shown),),
            holds=True,
        ),
    ),
    "together": (
        Way(ordered=_OPENAI_IMAGES, taken=openai_images, at_once=True),
        Way(
            ordered=re.compile(r"/v2/videos"),
            taken=together_shown,
            reads=((re.compile(r"/v2/videos/(?P<id>\w+)"), together_shown),),
        ),
    ),
    "nscale": (Way(ordered=_OPENAI_IMAGES, taken=openai_images, at_once=True),),
    "wavespeed": (
        Way(
            ordered=re.compile(r"/api/v3/(?P<model>[\w./-]+)"),
            taken=wavespeed_shown,
            reads=((re.compile(r"/api/v3/predictions/(?P<id>\w+)/result"), wavespeed_shown),),
        ),
    ),
}
