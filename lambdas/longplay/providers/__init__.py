"""The providers a route can name, one file each."""

from __future__ import annotations

from collections.abc import Mapping

from longplay.providers.hugging_face.adapter import HuggingFace
from longplay.providers.protocol import Provider
from longplay.providers.replicate.adapter import Replicate
from longplay.tokens import ProviderTokens, SecretsClient


def load_providers(secrets: SecretsClient, secret_id: str) -> Mapping[str, Provider]:
    """Every provider by the name routes use, each with its tokens from the one secret."""
    tokens = ProviderTokens(secrets, secret_id)
    return {
        "huggingface": HuggingFace(tokens.get, forget_tokens=tokens.forget),
        "replicate": Replicate(tokens.get, forget_tokens=tokens.forget),
    }
