"""Checks that a result file is media of the requested kind, typed by its bytes."""

from __future__ import annotations

from pathlib import Path

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.media.files import BrokenMedia, MediaFile, describe
from longplay.media.pixels import is_black
from longplay.providers.http_client import server_of
from longplay.providers.protocol import Call

_TYPES = {"music": ("audio/",), "image": ("image/",), "video": ("video/", "image/gif")}


def read_result(path: Path, call: Call) -> MediaFile:
    """The file as media; raises ProviderError if it is not of the call's kind."""
    try:
        media = describe(path)
    except BrokenMedia as error:
        raise bad_output(call, str(error)) from error
    if not media.content_type.startswith(_TYPES[call.kind]):
        raise bad_output(call, f"it sent {media.content_type} instead of {call.kind}")
    if is_black(media):  # from Stable Diffusion's safety checker (huggingface/diffusers, safety_checker.py)
        raise unsafe_image(f"the image by {call.model} is all black: a safety checker blocked it; it is billed")
    return media


def unsafe_image(what: str) -> ProviderError:
    """The error for an image that a safety checker blocked after it was generated."""
    return ProviderError(FailureKind.MODERATED, f"{what}. Change the prompt.", charged=Charged.YES)


def bad_output(call: Call, what: str, *, charged: Charged = Charged.YES) -> ProviderError:
    """The error for an answer that cannot be used."""
    return ProviderError(
        FailureKind.BAD_OUTPUT,
        f"the answer cannot be used: {server_of(call.url)} was asked for {call.kind} by {call.model}, "
        f"but {what}. Check that this server serves this model.",
        charged=charged,
    )
