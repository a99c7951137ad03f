"""What of ours a provider gets to: the address it may call back at, and the input image, by address or in the request.

A provider gets to https alone; a stand-in on this machine also to what its own server is called by.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from urllib.parse import urlsplit

from longplay.media.files import HEAD, sniff
from longplay.providers.protocol import Call


def callback_url(call: Call) -> str | None:
    """Where the provider may say that it is done; None where it would not get there."""
    return _within_reach(call.callback_url, call)


def image_url(call: Call) -> str | None:
    """Where the provider may fetch the input image; None where it would not get there."""
    return _within_reach(call.image_url, call)


def image_inline(call: Call) -> str:
    """The input image as a data URI, its type read from its bytes."""
    image = call.image or b""
    return f"data:{sniff(image[:HEAD]) or 'image/png'};base64,{base64.b64encode(image).decode()}"


def path_of(url: object) -> str:
    """The path of an address that a stranger named; empty where it has none, or is no address."""
    with suppress(ValueError):
        return urlsplit(str(url)).path
    return ""


def _within_reach(url: str | None, call: Call) -> str | None:
    return url if url and urlsplit(url).scheme in ("https", urlsplit(call.url).scheme) else None
