"""The organization that pays for calls through Hugging Face's router."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from longplay.providers import PROVIDERS
from longplay.providers.hugging_face.billing import billing_headers
from longplay.providers.loading import AdapterContext, Adapters
from longplay.providers.protocol import Call

from local.stand_ins.hub import HubServer
from local.stand_ins.hub.served import FLUX_SCHNELL
from local.stand_ins.model import ModelServer
from tests.harness.product import Product
from tests.providers.calls import make_call
from tests.providers.payloads import TOKEN


def image(url: str, folder: Path) -> Call:
    """A call for an image."""
    return make_call(folder, kind="image", model=FLUX_SCHNELL, url=url, style="flux", parameters={"seed": 7})


def billed_to(provider: str, server: Any, call: Call) -> set[str | None]:
    """The organizations that the requests to generate name."""
    context = AdapterContext(
        read_token=lambda _: TOKEN,
        forget_tokens=lambda: None,
        open_s3=lambda: boto3.client("s3"),
        bucket_name="",
        bill_to="acme-labs",
    )
    Adapters(PROVIDERS, context)[provider].submit(call)
    return {request.headers.get("x-hf-bill-to") for request in server.requests if request.method == "POST"}


@pytest.mark.parametrize("provider", ["hf-fal-ai", "hf-replicate", "hf-nscale"])
def test_a_call_to_a_partner_names_the_organization(tmp_path: Path, provider: str) -> None:
    """Calls that keep the connection open, and calls that are polled."""
    with HubServer(quick=True) as hub:
        assert billed_to(provider, hub, image(hub.url, tmp_path)) == {"acme-labs"}


def test_a_call_to_the_routers_own_provider_names_the_organization(tmp_path: Path) -> None:
    """The router's path is that of any server with this contract."""
    with ModelServer(quick=True) as server:
        call = image(f"{server.url}/hf-inference/models/{FLUX_SCHNELL}", tmp_path)
        assert billed_to("huggingface", server, call) == {"acme-labs"}


@pytest.mark.parametrize(
    ("url", "bill_to", "headers"),
    [
        ("https://router.huggingface.co/hf-inference/models/x", "acme", {"X-HF-Bill-To": "acme"}),
        ("https://router.huggingface.co", None, {}),
        ("https://x.eu-west-1.aws.endpoints.huggingface.cloud", "acme", {}),
        ("https://gpu.example.com", "acme", {}),
    ],
)
def test_only_the_router_is_told_who_pays(url: str, bill_to: str | None, headers: dict[str, str]) -> None:
    """An Inference Endpoint has its own account, and other servers need not know it."""
    assert billing_headers(url, bill_to) == headers


def test_the_setting_reaches_the_router(product_with: Callable[..., Product]) -> None:
    """A deployment with `bill_to` sends it with every order."""
    with HubServer(quick=True, token=TOKEN) as hub:
        product = product_with(servers={"inference-providers": hub.url}, bill_to="acme-labs")
        product.aws.secrets.put_secret_value(
            SecretId="provider-tokens", SecretString=json.dumps({"huggingface": TOKEN})
        )
        product.submit({"prompt": "slow jazz", "duration": 2})
        product.deliver()
        assert [r.headers.get("x-hf-bill-to") for r in hub.requests if r.method == "POST"] == ["acme-labs"]
