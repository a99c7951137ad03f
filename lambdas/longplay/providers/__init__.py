"""The table of providers: one row for each name that a route in models.toml can give as its `provider`.

Nothing is imported for a row before its adapter or its checkup is used (docs/adding-a-provider.md).
"""

from __future__ import annotations

from collections.abc import Mapping

from longplay.domain.providers import ProviderEntry

_ROUTER_CHECKUP = "longplay.providers.hugging_face.router_checkup:CHECKUP"
_HUGGING_FACE = ("huggingface",)

_ROWS = (
    ProviderEntry(
        name="huggingface",
        adapter="longplay.providers.hugging_face.adapter:make_adapter",
        checkup="longplay.providers.hugging_face.checkup:CHECKUP",
        tokens=("huggingface", "self_hosted"),
        holds_connection=True,
        own_contract=False,
    ),
    ProviderEntry(
        name="replicate",
        adapter="longplay.providers.replicate.adapter:make_adapter",
        checkup="longplay.providers.replicate.checkup:CHECKUP",
        tokens=("replicate",),
        calls_back=True,
    ),
    ProviderEntry(
        name="fal",
        adapter="longplay.providers.fal.adapter:make_adapter",
        checkup="longplay.providers.fal.checkup:CHECKUP",
        tokens=("fal",),
        calls_back=True,
    ),
    ProviderEntry(
        name="sagemaker",
        adapter="longplay.providers.sagemaker.adapter:make_adapter",
        checkup="longplay.providers.sagemaker.checkup:CHECKUP",
        calls_back=True,
    ),
    ProviderEntry(
        name="space",
        adapter="longplay.providers.space.adapter:make_adapter",
        checkup="longplay.providers.space.checkup:CHECKUP",
        tokens=("space",),
        holds_polls=True,
        free=True,
    ),
    ProviderEntry(
        name="hf-fal-ai",
        adapter="longplay.providers.inference_providers.fal_ai:make_adapter",
        checkup=_ROUTER_CHECKUP,
        tokens=_HUGGING_FACE,
    ),
    ProviderEntry(
        name="hf-replicate",
        adapter="longplay.providers.inference_providers.replicate:make_adapter",
        checkup=_ROUTER_CHECKUP,
        tokens=_HUGGING_FACE,
    ),
    ProviderEntry(
        name="hf-together",
        adapter="longplay.providers.inference_providers.images:make_together",
        checkup=_ROUTER_CHECKUP,
        tokens=_HUGGING_FACE,
        holds_connection=True,
    ),
    ProviderEntry(
        name="hf-together-video",
        adapter="longplay.providers.inference_providers.together:make_adapter",
        checkup=_ROUTER_CHECKUP,
        tokens=_HUGGING_FACE,
    ),
    ProviderEntry(
        name="hf-nscale",
        adapter="longplay.providers.inference_providers.images:make_nscale",
        checkup=_ROUTER_CHECKUP,
        tokens=_HUGGING_FACE,
        holds_connection=True,
    ),
    ProviderEntry(
        name="hf-wavespeed",
        adapter="longplay.providers.inference_providers.wavespeed:make_adapter",
        checkup=_ROUTER_CHECKUP,
        tokens=_HUGGING_FACE,
    ),
)

PROVIDERS: Mapping[str, ProviderEntry] = {row.name: row for row in _ROWS}

TOKENS = tuple(dict.fromkeys(token for row in _ROWS for token in row.tokens))
"""The names that tokens can be stored under."""
