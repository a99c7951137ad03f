"""Calls to Hugging Face's routed providers: one of each kind, as a route makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
from longplay.providers import PROVIDERS
from longplay.providers.loading import AdapterContext, Adapters
from longplay.providers.protocol import Call, PolledProvider, Provider

from local.stand_ins.hub import HubServer
from local.stand_ins.hub.served import FLUX_DEV, FLUX_SCHNELL, SDXL, STABLE_AUDIO, WAN, WAN_FROM_IMAGE
from tests.providers.calls import make_call
from tests.providers.payloads import image_file
from tests.providers.tokens import Tokens

#: A route's provider and the call to make of it, by the name of the route and fields of the call.
Routed = Callable[..., tuple[Provider, Call]]
Polled = Callable[..., tuple[PolledProvider, Call]]

ID = "gm3qorzdhgbfurvjtvhg6dckhu"

IMAGE: dict[str, Any] = {"width": 64, "height": 32, "num_inference_steps": 4, "guidance_scale": 3.5, "seed": 7}
VIDEO: dict[str, Any] = {
    "duration": 3,
    "width": 832,
    "height": 480,
    "num_inference_steps": 30,
    "guidance_scale": 5.0,
    "seed": 7,
}

MUSIC: dict[str, Any] = {"duration": 1.5, "num_inference_steps": 20}
PARAMETERS = {"music": MUSIC, "image": IMAGE, "video": VIDEO}

ROUTES = {
    "fal music": ("hf-fal-ai", "music", STABLE_AUDIO, "stable-audio"),
    "fal image": ("hf-fal-ai", "image", FLUX_SCHNELL, "flux"),
    "fal video": ("hf-fal-ai", "video", WAN, "wan"),
    "fal animation": ("hf-fal-ai", "video", WAN_FROM_IMAGE, "wan-i2v"),
    "replicate image": ("hf-replicate", "image", FLUX_SCHNELL, "flux"),
    "replicate version": ("hf-replicate", "image", SDXL, "diffusion"),
    "replicate video": ("hf-replicate", "video", WAN, "wan"),
    "together image": ("hf-together", "image", FLUX_DEV, "toolkit"),
    "together video": ("hf-together-video", "video", WAN, "toolkit"),
    "together animation": ("hf-together-video", "video", WAN_FROM_IMAGE, "toolkit"),
    "nscale image": ("hf-nscale", "image", SDXL, "toolkit"),
    "wavespeed image": ("hf-wavespeed", "image", FLUX_DEV, "toolkit"),
    "wavespeed video": ("hf-wavespeed", "video", WAN, "toolkit"),
    "wavespeed animation": ("hf-wavespeed", "video", WAN_FROM_IMAGE, "toolkit"),
}
#: These providers keep the connection open until the result.
CONNECTED = ("together image", "nscale image")
POLLED = tuple(name for name in ROUTES if name not in CONNECTED)
#: One route for each contract that is polled.
CONTRACTS = ("fal image", "replicate image", "together video", "wavespeed image")


def call(name: str, server: str, folder: Path, **fields: Any) -> Call:
    """The call of this name; `fields` replace the route's."""
    _, kind, model, style = ROUTES[name]
    route = {
        "kind": kind,
        "model": model,
        "style": style,
        "url": server,
        "prompt": "a calm sea",
        "parameters": PARAMETERS[kind],
        "image": image_file() if model == WAN_FROM_IMAGE else None,
    }
    return make_call(folder, **{**route, **fields})


def routed_adapters(tokens: Tokens) -> Mapping[str, Provider]:
    """The routed providers, with these tokens."""
    context = AdapterContext(
        read_token=tokens.get,
        forget_tokens=tokens.forget,
        open_s3=lambda: boto3.client("s3"),
        bucket_name="",
    )
    return Adapters(PROVIDERS, context)


def ordered(hub: HubServer) -> tuple[str, dict[str, Any]]:
    """The path and the body of the first generation that was ordered."""
    exchange = next(exchange for exchange in hub.requests if exchange.method == "POST")
    return exchange.path, dict(exchange.parameters)
