"""WaveSpeed: a prediction at the model's path, polled at the URL in the answer (wavespeed.ai/docs, 2026-11)."""

from __future__ import annotations

import re
from typing import Any

from longplay.providers.inference_providers.polled import FAILED, Polled, Progress, Request
from longplay.providers.inference_providers.router import failure_of, payload_of, router_to
from longplay.providers.loading import AdapterContext
from longplay.providers.own_api import Reply
from longplay.providers.protocol import Call
from longplay.providers.reach import image_inline, image_url, path_of
from longplay.providers.translation import given, within

_PATH = re.compile(r"/api/v3/predictions/[\w-]{6,64}(/result)?", re.ASCII)
_WORKING = ("created", "processing")
_LARGEST_SEED = 2**31 - 1  # wavespeed.ai/docs-api, 2026-11
_LEAST_SIDE, _MOST_SIDE = 512, 1536  # pixels (wavespeed.ai/docs-api/flux-dev)


class WaveSpeed(Polled):
    """Images and videos by WaveSpeed. Its documentation shows results on all three hosts."""

    domains = ("wavespeed.ai", "d1q70pf5vjeyhc.cloudfront.net", "d11ewybssaphwx.cloudfront.net")

    def request_for(self, call: Call, model: str) -> Request:
        """The request: prompt, size, seed and input image; for images also steps and guidance."""
        body = {"prompt": call.prompt, **_seed(call), **_BODIES[call.kind](call)}
        return Request(path=f"/api/v3/{model}", body=body)

    def reference(self, reply: Reply) -> str | None:
        """The path of the URL to poll; its host is the partner's, behind the router, and is not used."""
        match payload_of(reply):
            case {"data": {"urls": {"get": str(url)}}}:
                path = path_of(url)
                return path if _PATH.fullmatch(path) else None
        return None

    def path(self, ref: str) -> str:
        """The reference is the path."""
        return ref

    def progress(self, reply: Reply, ref: str) -> Progress | None:  # noqa: ARG002
        """`created` or `processing`, then `completed` with URLs, or a status that ended it, with an error."""
        match payload_of(reply).get("data"):
            case {"status": "completed", **rest}:
                outputs = rest.get("outputs")
                return Progress(files=outputs if isinstance(outputs, list) else [])
            case {"status": str(status), **rest} if status in FAILED:
                return Progress(failure=failure_of(reply, rest.get("error") or status))
            case {"status": status} if status in _WORKING:
                return Progress()
        return None


def _seed(call: Call) -> dict[str, int]:
    """The seed modulo 2**31, because WaveSpeed's largest seed is half of ours."""
    return {name: int(seed) % (_LARGEST_SEED + 1) for name, seed in given(call, "seed").items()}


def _image(call: Call) -> dict[str, Any]:
    return {**given(call, "num_inference_steps", "guidance_scale"), **_size(call)}


def _size(call: Call) -> dict[str, str]:
    sides = [within(pixels, _LEAST_SIDE, _MOST_SIDE) for pixels in given(call, "width", "height").values()]
    return {"size": "*".join(map(str, sides))} if len(sides) == 2 else {}


def _video(call: Call) -> dict[str, Any]:
    if call.image is not None:
        return {"image": image_url(call) or image_inline(call)}
    portrait = call.parameters.get("height", 0) > call.parameters.get("width", 0)  # type: ignore[operator]
    return {"size": "720*1280" if portrait else "1280*720"}


_BODIES = {"image": _image, "video": _video}


def make_adapter(context: AdapterContext) -> WaveSpeed:
    """The adapter for this deployment."""
    return WaveSpeed(router_to("wavespeed", context))
