"""The header that makes an organization pay for calls through Hugging Face's router.

`X-HF-Bill-To` is from huggingface_hub 2.4.0 (`InferenceClient(bill_to=…)`) and hub-docs, pricing.md (2026-08).
"""

from __future__ import annotations

from longplay.providers.http_client import server_of

_ROUTER = "router.huggingface.co"


def billing_headers(url: str, bill_to: str | None) -> dict[str, str]:
    """The header for a call to the router, or to a stand-in on this machine; empty for any other server."""
    is_router = server_of(url) == _ROUTER or url.startswith("http:")
    return {"X-HF-Bill-To": bill_to} if bill_to and is_router else {}
