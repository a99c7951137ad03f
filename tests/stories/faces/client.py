"""A client of a face: it sends its key as a Bearer token and follows redirects, as the real ones do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from tests.harness.product import Answer, Product

MOST_REDIRECTS = 20  # of fetch and httpx


def ask(
    product: Product,
    path: str,
    body: Any,
    *,
    redirects: int = MOST_REDIRECTS,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The last answer to a POST, after so many redirects within the face."""
    answer = product.face("POST", path, body, headers=headers)
    for _ in range(redirects):
        location = answer.headers.get("Location", "")
        if answer.status != 303 or "://" in location:
            break
        path = urljoin(path, location)
        answer = product.face("GET", path)
    return answer
