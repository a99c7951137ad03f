"""The providers a route can name, one file each."""

from __future__ import annotations

from collections.abc import Mapping

from longplay.providers.fal.adapter import Fal
from longplay.providers.hugging_face.adapter import HuggingFace
from longplay.providers.inference_providers import routed_providers
from longplay.providers.protocol import Provider
from longplay.providers.replicate.adapter import Replicate
from longplay.providers.sagemaker.adapter import SageMaker
from longplay.providers.sagemaker.payloads import Payloads
from longplay.storage.tokens import ProviderTokens, SecretsClient


def load_providers(secrets: SecretsClient, secret_id: str, payloads: Payloads) -> Mapping[str, Provider]:
    """Every provider by the name routes use, each with its tokens from the one secret.

    `payloads` are for the one that is spoken to through the bucket.
    """
    tokens = ProviderTokens(secrets, secret_id)
    return {
        "huggingface": HuggingFace(tokens.get, forget_tokens=tokens.forget),
        "replicate": Replicate(tokens.get, forget_tokens=tokens.forget),
        "sagemaker": SageMaker(payloads),
        "fal": Fal(tokens.get, forget_tokens=tokens.forget),
        **routed_providers(tokens.get, forget_tokens=tokens.forget),
    }
