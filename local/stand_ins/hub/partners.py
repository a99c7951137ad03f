"""The partners: the paths of each, and its answers.

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
_FAL_FILES = {"audio/wav": "audio_file", "video/mp4": "video"}
_OPENAI_IMAGES = re.compile(r"/v1/images/generations")


@dataclass(frozen=True, kw_only=True)
class PartnerRoute:
    """One route to a generation: `orders` is the path (with its query) of an order, a group may name the `model`.

    `accepts` words the answer to the order. That is the result itself if the order is answered `at_once`, and can be
    the result if the partner `waits` before it answers. `reads` words the answer at each path that names an `id`.
    """

    orders: re.Pattern[str]
    accepts: Words
    reads: tuple[tuple[re.Pattern[str], Words], ...] = ()
    at_once: bool = False
    waits: bool = False


def openai_images(generation: Generation, _: str) -> Answer:
    """The image itself; Together's answer had `retry-after: 2` at status 200 (recorded 2025-04)."""
    packed = base64.b64encode(generation.file.content).decode()
    return says(200, {"created": 1, "data": [{"index": 0, "b64_json": packed}]}, **{"retry-after": "2"})


def fal_accepted(generation: Generation, _: str) -> Answer:
    """A request in fal's queue."""
    address = f"https://queue.fal.run/{_app(generation)}/requests/{generation.id}"
    ticket = {"request_id": generation.id, "response_url": address, "status_url": f"{address}/status"}
    return says(200, {"status": "IN_QUEUE", "queue_position": 0, "cancel_url": f"{address}/cancel", **ticket})


def fal_status(generation: Generation, _: str) -> Answer:
    """The status of a request at fal."""
    if not generation.over:
        return says(202, {"status": "IN_PROGRESS", "logs": None})
    failed = generation.outcome.error and generation.outcome.status >= 500
    why = {"error": generation.outcome.error, "error_type": "runner_server_error"} if failed else {}
    return says(200, {"status": "COMPLETED", "metrics": {"inference_time": 1.0}, **why})


def fal_result(generation: Generation, url: str) -> Answer:
    """The result of a request at fal, or its error."""
    if generation.outcome.error:
        fault = {"loc": ["body", "prompt"], "msg": generation.outcome.error, "type": "value_error"}
        return says(generation.outcome.status, {"detail": [fault]}, **{"x-fal-retryable": "false"})
    files = [{"url": address, "content_type": generation.file.content_type} for address in generation.addresses(url)]
    if place := _FAL_FILES.get(generation.file.content_type):
        return says(200, {place: next(iter(files), None), "seed": 1})
    return says(200, {"images": files, "seed": 1, "has_nsfw_concepts": [generation.outcome.unsafe]})


def replicate_shown(generation: Generation, url: str) -> Answer:
    """A prediction; if it ended before its order was answered, it has its output but says `processing` (2025-04)."""
    failed = generation.over and generation.outcome.error
    output = generation.addresses(url) if generation.over and not failed else None
    ended = ("failed" if failed else "succeeded") if generation.polls and generation.over else "processing"
    shown = {"id": generation.id, "model": generation.model, "status": ended, "output": output}
    return says(201 if output else 202, {**shown, "error": generation.outcome.error if failed else None})


def together_shown(generation: Generation, url: str) -> Answer:
    """A video at Together."""
    shown: dict[str, Any] = {"id": generation.id, "model": generation.model, "object": "video"}
    if not generation.over:
        return says(200, {**shown, "status": "in_progress" if generation.polls else "queued"})
    if generation.outcome.error:
        return says(
            200, {**shown, "status": "failed", "error": {"message": generation.outcome.error, "code": "failed"}}
        )
    address = next(iter(generation.addresses(url)), None)
    return says(200, {**shown, "status": "completed", "outputs": {"cost": 0.28, "video_url": address}})


def wavespeed_shown(generation: Generation, url: str) -> Answer:
    """A prediction at WaveSpeed."""
    failed = generation.over and generation.outcome.error
    ended = "failed" if failed else "completed"
    data = {
        "id": generation.id,
        "model": generation.model,
        "status": ended if generation.over else ("processing" if generation.polls else "created"),
        "outputs": generation.addresses(url) if generation.over and not failed else [],
        "error": generation.outcome.error if failed else "",
        "urls": {"get": f"https://api.wavespeed.ai/api/v3/predictions/{generation.id}/result"},
    }
    return says(200, {"code": 200, "message": "success", "data": data})


def _app(generation: Generation) -> str:
    """Owner and app: the only parts of an endpoint's id that are in a request's URL."""
    return "/".join(generation.model.split("/")[:2])


PARTNERS: Mapping[str, tuple[PartnerRoute, ...]] = {
    "fal-ai": (
        PartnerRoute(
            orders=re.compile(r"/(?P<model>[\w./-]+)\?_subdomain=queue"),
            accepts=fal_accepted,
            reads=(
                (re.compile(r"/[\w-]+/[\w-]+/requests/(?P<id>\w+)/status\?_subdomain=queue"), fal_status),
                (re.compile(r"/[\w-]+/[\w-]+/requests/(?P<id>\w+)\?_subdomain=queue"), fal_result),
            ),
        ),
        PartnerRoute(orders=re.compile(r"/(?P<model>[\w./-]+)"), accepts=fal_result, at_once=True),
    ),
    "replicate": (
        PartnerRoute(
            orders=re.compile(r"/v1/(?:models/(?P<model>[\w.-]+/[\w.-]+)/)?predictions"),
            accepts=replicate_shown,
            reads=((re.compile(r"/v1/predictions/(?P<id>\w+)"), replicate_shown),),
            waits=True,
        ),
    ),
    "together": (
        PartnerRoute(orders=_OPENAI_IMAGES, accepts=openai_images, at_once=True),
        PartnerRoute(
            orders=re.compile(r"/v2/videos"),
            accepts=together_shown,
            reads=((re.compile(r"/v2/videos/(?P<id>\w+)"), together_shown),),
        ),
    ),
    "nscale": (PartnerRoute(orders=_OPENAI_IMAGES, accepts=openai_images, at_once=True),),
    "wavespeed": (
        PartnerRoute(
            orders=re.compile(r"/api/v3/(?P<model>[\w./-]+)"),
            accepts=wavespeed_shown,
            reads=((re.compile(r"/api/v3/predictions/(?P<id>\w+)/result"), wavespeed_shown),),
        ),
    ),
}
