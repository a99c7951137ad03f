"""The adapter for Hugging Face's contract, `POST {"inputs", "parameters"}`.

The router, Inference Endpoints and self-hosted servers use it. Its limits: music has no seed (neither the inference
toolkit nor MusicGen's tutorial handler takes one), and a track's length is a multiple of 1/50 second.
"""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.credential import Credential
from longplay.providers.http_client import exchange, server_of
from longplay.providers.hugging_face.answers import read_media
from longplay.providers.hugging_face.billing import billing_headers
from longplay.providers.hugging_face.refusals import PERMISSION_ADVICE, explain
from longplay.providers.loading import AdapterContext
from longplay.providers.protocol import LARGEST_RESULT, Call, Done
from longplay.providers.refusals import read_refusal, request_id

TOKENS_PER_SECOND = 50  # of MusicGen's audio codec
TEXT_TO_VIDEO_FPS = 24  # what Wan 2.2 was trained for
IMAGE_TO_VIDEO_FPS = 7  # what Stable Video Diffusion was trained for

_OWN_DOMAINS = (".huggingface.co", ".endpoints.huggingface.cloud")
# exactly one known type each, or the inference toolkit answers 400; for audio it knows only JSON
_ACCEPT = {"music": "application/json", "image": "image/png", "video": "video/mp4"}
FLAT = "flat"  # the style of a handler that takes generation arguments at the top level

_NESTED = "generate_kwargs"
_SHORTEST = 0.1  # seconds
_MUSIC_PARAMETERS = ("guidance_scale", "temperature", "top_k", "top_p")


class HuggingFace:
    """A server with Hugging Face's contract; keeps the connection open until the result arrives.

    `read_token` finds a stored token by name, and `forget_tokens` is called when a server refused a token. `bill_to` is
    the organization that pays for calls through the router.
    """

    def __init__(
        self,
        read_token: Callable[[str], str | None],
        *,
        forget_tokens: Callable[[], None],
        bill_to: str | None = None,
    ) -> None:
        self._read_token = read_token
        self._forget_tokens = forget_tokens
        self._bill_to = bill_to
        self._flat: set[str] = set()

    def submit(self, call: Call) -> Done:
        """Generate one file; raises ProviderError.

        A handler like that of Hugging Face's MusicGen tutorial refuses nested arguments, free of charge, before it
        generates. It is asked again with flat ones, and its address is remembered.
        """
        until = time.monotonic() + call.timeout
        if call.url in self._flat:
            return self._generate(replace(call, style=FLAT))
        try:
            return self._generate(call)
        except ProviderError as error:
            if not _wants_flat(error, call):
                raise
        self._flat.add(call.url)
        return self._generate(replace(call, style=FLAT, timeout=max(until - time.monotonic(), _SHORTEST)))

    def _generate(self, call: Call) -> Done:
        credential = self._credential(call)
        answer = exchange(
            "POST",
            call.url,
            headers={
                "Accept": _ACCEPT[call.kind],
                **credential.headers,
                **billing_headers(call.url, self._bill_to),
            },
            json=request_body(call),
            save_to=call.folder / "answer",
            largest=LARGEST_RESULT,
            timeout=call.timeout,
        )
        if answer.success:
            media = read_media(answer, call, credential)
            return Done(files=(media,), request_id=request_id(answer, secret=credential.token))
        if answer.status == 401:
            self._forget_tokens()
        raise explain(read_refusal(answer, secret=credential.token), call, credential)

    def _credential(self, call: Call) -> Credential:
        name = token_name(call.url)
        token = self._read_token(name)
        if token is None and name == "huggingface":
            raise ProviderError(
                FailureKind.NO_TOKEN,
                f"no token stored: {call.model} at {server_of(call.url)} needs one. "
                + PERMISSION_ADVICE.format(token=name),
            )
        return Credential(name, token)


def token_name(url: str) -> str:
    """The name of the stored token for a server: Hugging Face's token is sent only to Hugging Face's hosts.

    `server_of` allows only https and this machine, so a token is never sent unencrypted.
    """
    host = server_of(url).partition(":")[0].lower()
    return "huggingface" if f".{host}".endswith(_OWN_DOMAINS) else "self_hosted"


def request_body(call: Call) -> dict[str, Any]:
    """The request body for a server with this contract."""
    parameters = _PARAMETERS[call.kind](call)
    if call.image is None:
        return {"inputs": call.prompt, "parameters": parameters}
    # like huggingface_hub: the image as plain base64 in inputs, the prompt in parameters
    image = base64.b64encode(call.image).decode()
    return {"inputs": image, "parameters": {"prompt": call.prompt, **parameters}}


def _music(call: Call) -> dict[str, Any]:
    """The toolkit takes nested generation arguments, a tutorial-style handler ("flat") takes them at the top level."""
    given = {name: call.parameters[name] for name in _MUSIC_PARAMETERS if name in call.parameters}
    arguments = {"do_sample": True, **given, **_length(call.parameters)}
    return arguments if call.style == FLAT else {_NESTED: arguments}


def _wants_flat(error: ProviderError, call: Call) -> bool:
    """Whether a refusal, which cost nothing, is about the nested arguments of music."""
    is_refusal = error.kind is FailureKind.BAD_INPUT and error.charged is Charged.NO
    return is_refusal and call.kind == "music" and call.style != FLAT and _NESTED in error.message


def _length(parameters: Mapping[str, Any]) -> dict[str, int]:
    if "duration" not in parameters:
        return {}
    # rounded first, because 1.1 s gives 55.00000000000001 tokens in floating point
    return {"max_new_tokens": math.ceil(round(parameters["duration"] * TOKENS_PER_SECOND, 6))}


def _image(call: Call) -> dict[str, Any]:
    return dict(call.parameters)


def _video(call: Call) -> dict[str, Any]:
    parameters = dict(call.parameters)
    fps = parameters.setdefault("fps", IMAGE_TO_VIDEO_FPS if call.image else TEXT_TO_VIDEO_FPS)
    if duration := parameters.pop("duration", None):
        parameters["num_frames"] = _frames(float(duration) * float(fps))
    return parameters


def _frames(count: float) -> int:
    """The nearest frame count a video model can generate: a multiple of 4, plus 1."""
    return 4 * round((count - 1) / 4) + 1


_PARAMETERS: Mapping[str, Callable[[Call], dict[str, Any]]] = {
    "music": _music,
    "image": _image,
    "video": _video,
}


def make_adapter(context: AdapterContext) -> HuggingFace:
    """The adapter for this deployment."""
    return HuggingFace(context.read_token, forget_tokens=context.forget_tokens, bill_to=context.bill_to)
