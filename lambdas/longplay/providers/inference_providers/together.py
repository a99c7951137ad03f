"""Together's videos: a job at `/v2/videos`, polled by its id (docs.together.ai/reference/create-videos, 2026-11)."""

from __future__ import annotations

import re
from typing import Any

from longplay.domain.errors import Case, FailureKind, ProviderError
from longplay.providers.inference_providers.polled import FAILED, Polled, Progress, Request
from longplay.providers.inference_providers.router import failure_of, payload_of, router_to
from longplay.providers.loading import AdapterContext
from longplay.providers.own_api import Reply
from longplay.providers.protocol import Call
from longplay.providers.reach import image_inline, image_url
from longplay.providers.translation import given, within

LARGEST_IMAGE = 60_000  # characters of an input image in base64 (`huggingface_hub` 2.4.0, together.py)

_PATH = "/v2/videos"
_ID = re.compile(r"[\w-]{6,64}", re.ASCII)
_WORKING = ("queued", "in_progress")
_STEPS = (10, 50)


class TogetherVideo(Polled):
    """Videos by Together.

    Its results are short links (`https://api.together.ai/shrt/…`). Their targets are not confirmed, and redirects are
    not followed.
    """

    domains = ("together.ai", "together.xyz")

    def request_for(self, call: Call, model: str) -> Request:
        """The request, with whole seconds, and 10 to 50 steps."""
        body = {
            "model": model,
            "prompt": call.prompt,
            **given(call, "width", "height", "negative_prompt", "seed"),
            **_rounded(call),
            **_first_frame(call),
        }
        return Request(path=_PATH, body=body)

    def reference(self, reply: Reply) -> str | None:
        """The job's id."""
        job_id = payload_of(reply).get("id")
        return job_id if isinstance(job_id, str) and _ID.fullmatch(job_id) else None

    def path(self, ref: str) -> str:
        """The path of a job, below the path where it was created."""
        return f"{_PATH}/{ref}"

    def progress(self, reply: Reply, ref: str) -> Progress | None:
        """`queued` or `in_progress`, then `completed` with a URL, or a status that ended it, with an error."""
        match payload_of(reply):
            case {"status": "completed", **rest}:
                return Progress(files=[_member(rest.get("outputs"), "video_url")])
            case {"status": str(status), **rest} if status in FAILED:
                return Progress(failure=failure_of(reply, _member(rest.get("error"), "message") or status))
            case {"id": job_id, **rest} if job_id == ref and rest.get("status", "queued") in _WORKING:
                return Progress()  # a new job may have no status yet
        return None


def _rounded(call: Call) -> dict[str, Any]:
    rounded: dict[str, Any] = {}
    if "duration" in call.parameters:
        rounded["seconds"] = str(round(float(call.parameters["duration"])))
    if "num_inference_steps" in call.parameters:
        rounded["steps"] = within(int(call.parameters["num_inference_steps"]), *_STEPS)
    if "guidance_scale" in call.parameters:
        rounded["guidance_scale"] = round(float(call.parameters["guidance_scale"]))
    return rounded


def _first_frame(call: Call) -> dict[str, Any]:
    if call.image is None:
        return {}
    image = image_url(call) or image_inline(call)
    if len(image) > LARGEST_IMAGE:
        raise ProviderError(
            FailureKind.BAD_INPUT,
            f"the input image is too large: Together accepts {LARGEST_IMAGE:,} characters in a request, and in base64 "
            f"it has {len(image):,}. Send a smaller image, or a JPEG. Nothing was sent.",
            case=Case.LARGE_REQUEST,
        )
    return {"frame_images": [{"input_image": image, "frame": "first"}]}


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else value


def make_adapter(context: AdapterContext) -> TogetherVideo:
    """The adapter for this deployment."""
    return TogetherVideo(router_to("together", context))
