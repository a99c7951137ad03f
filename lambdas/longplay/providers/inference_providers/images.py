"""Together and Nscale: partners that keep the connection open and answer like OpenAI's images API, in base64."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from longplay.providers.hugging_face.answers import read_media
from longplay.providers.inference_providers.router import Router, router_to, within
from longplay.providers.loading import AdapterContext
from longplay.providers.protocol import Call, Done
from longplay.providers.refusals import request_id
from longplay.providers.translation import given

_PATH = "/v1/images/generations"


class Images:
    """Images at one partner; `body_of` builds the request body from a call and the partner's id of the model."""

    def __init__(self, router: Router, body_of: Callable[[Call, str], dict[str, Any]]) -> None:
        self._router = router
        self._body_of = body_of

    def prepare(self, call: Call) -> None:
        """Read who serves the model; raises ProviderError."""
        self._router.model_of(call)

    def submit(self, call: Call) -> Done:
        """Generate one image; raises ProviderError."""
        until = time.monotonic() + call.timeout
        body = self._body_of(call, self._router.model_of(call))
        reply = self._router.request("POST", _PATH, within(call, until), json=body)
        if not reply.answer.success:
            raise self._router.refused(reply)
        media = read_media(reply.answer, call, reply.credential)
        return Done(files=(media,), request_id=request_id(reply.answer, secret=reply.credential.token))


def together_body(call: Call, model: str) -> dict[str, Any]:
    """A body with Together's names (docs.together.ai/reference/post-images-generations, 2026-11)."""
    return {
        "model": model,
        "prompt": call.prompt,
        "response_format": "base64",
        **given(call, "width", "height", "guidance_scale", "negative_prompt", "seed", steps="num_inference_steps"),
    }


def nscale_body(call: Call, model: str) -> dict[str, Any]:
    """A body for Nscale, which takes only a size (docs.nscale.com/api-reference/inferencing/create-image, 2026-11)."""
    sides = given(call, "width", "height").values()
    size = {"size": "x".join(map(str, sides))} if len(sides) == 2 else {}
    return {"model": model, "prompt": call.prompt, "response_format": "b64_json", **size}


def make_together(context: AdapterContext) -> Images:
    """Together's adapter for this deployment."""
    return Images(router_to("together", context), together_body)


def make_nscale(context: AdapterContext) -> Images:
    """Nscale's adapter for this deployment."""
    return Images(router_to("nscale", context), nscale_body)
