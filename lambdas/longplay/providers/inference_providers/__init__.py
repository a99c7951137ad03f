"""Hugging Face's Inference Providers: partners reached through its router, with its token and on its bill."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from longplay.providers.inference_providers.fal_ai import RoutedFal
from longplay.providers.inference_providers.images import Images, nscale_body, together_body
from longplay.providers.inference_providers.mapping import ProviderMapping
from longplay.providers.inference_providers.replicate import RoutedReplicate
from longplay.providers.inference_providers.router import Router, router_api
from longplay.providers.inference_providers.together import TogetherVideo
from longplay.providers.inference_providers.wavespeed import WaveSpeed
from longplay.providers.protocol import Provider


def routed_providers(
    read_token: Callable[[str], str | None], *, forget_tokens: Callable[[], None]
) -> Mapping[str, Provider]:
    """Every partner by the name routes use; they share what the Hub says of the models."""
    mapping, api = ProviderMapping(), router_api(read_token, forget_tokens=forget_tokens)

    def router(partner: str) -> Router:
        return Router(partner=partner, mapping=mapping, api=api)

    return {
        "hf-fal-ai": RoutedFal(router("fal-ai")),
        "hf-replicate": RoutedReplicate(router("replicate")),
        "hf-together": Images(router("together"), together_body),
        "hf-together-video": TogetherVideo(router("together")),
        "hf-nscale": Images(router("nscale"), nscale_body),
        "hf-wavespeed": WaveSpeed(router("wavespeed")),
    }
