"""How tests call Hugging Face's routed providers: one call of each, as a route would ask for it."""

from pathlib import Path

import pytest
from longplay.domain.errors import ProviderError
from longplay.providers.protocol import Accepted, Call, Done, Provider

from local.stand_ins.hub import HubServer
from local.stand_ins.hub.served import FLUX_DEV, FLUX_SCHNELL, SDXL, WAN, WAN_FROM_IMAGE
from tests.providers.payloads import image_file

PICTURE = {"width": 64, "height": 32, "num_inference_steps": 4, "guidance_scale": 3.5, "seed": 7}
VIDEO = {"duration": 3, "width": 832, "height": 480, "num_inference_steps": 30, "guidance_scale": 5.0, "seed": 7}

ROUTES = {
    "fal image": ("hf-fal-ai", "image", FLUX_SCHNELL, "flux"),
    "fal video": ("hf-fal-ai", "video", WAN, "wan"),
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
HELD = ("together image", "nscale image")
POLLED = tuple(name for name in ROUTES if name not in HELD)
#: One of each contract that is polled.
CONTRACTS = ("fal image", "replicate image", "together video", "wavespeed image")


def call(name: str, server: str, folder: Path, **fields: object) -> Call:
    """One call; `fields` replace what the route says."""
    _, kind, model, style = ROUTES[name]
    plain = {
        "kind": kind,
        "model": model,
        "style": style,
        "url": server,
        "prompt": "a calm sea",
        "parameters": PICTURE if kind == "image" else VIDEO,
        "image": image_file() if model == WAN_FROM_IMAGE else None,
        "timeout": 5.0,
        "folder": folder,
    }
    return Call(**{**plain, **fields})


def settle(provider: Provider, asked: Call) -> Done:
    """Submit, and poll until there is an answer."""
    answer = provider.submit(asked)
    while isinstance(answer, Accepted):
        answer = provider.poll(answer.ref, asked)
    return answer


def failure(provider: Provider, asked: Call) -> ProviderError:
    """What submitting and polling to the end raises."""
    with pytest.raises(ProviderError) as caught:
        settle(provider, asked)
    return caught.value


def ordered(hub: HubServer) -> tuple[str, dict]:
    """Where the first generation was ordered, and with what."""
    exchange = next(exchange for exchange in hub.requests if exchange.method == "POST")
    return exchange.path, exchange.parameters
