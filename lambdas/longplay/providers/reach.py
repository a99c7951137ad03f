"""URLs that Longplay gives to a provider, for callbacks and for the input image.

A provider can reach https URLs only. A stand-in on this machine can also reach http URLs.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from urllib.parse import urlsplit

from longplay.media.files import HEAD, sniff
from longplay.providers.protocol import Call


def callback_url(call: Call) -> str | None:
    """The URL for the provider's callback; None if the provider cannot reach it."""
    return _within_reach(call.callback_url, call)


def image_url(call: Call) -> str | None:
    """The URL of the input image; None if the provider cannot reach it."""
    return _within_reach(call.image_url, call)


def image_inline(call: Call) -> str:
    """The input image as a data URI; its type is read from its bytes."""
    image = call.image or b""
    return f"data:{sniff(image[:HEAD]) or 'image/png'};base64,{base64.b64encode(image).decode()}"


def path_of(url: object) -> str:
    """The path of a URL in a provider's answer; empty if it has none or is not a URL."""
    with suppress(ValueError):
        return urlsplit(str(url)).path
    return ""


def _within_reach(url: str | None, call: Call) -> str | None:
    return url if url and urlsplit(url).scheme in ("https", urlsplit(call.url).scheme) else None
