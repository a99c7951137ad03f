"""The files of a result: media of the kind that was asked for, typed by their bytes."""

from __future__ import annotations

from pathlib import Path

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.media.files import BrokenMedia, MediaFile, describe
from longplay.media.pixels import is_black
from longplay.providers.http_client import server_of
from longplay.providers.protocol import Call

LARGEST_RESULT = 200_000_000  # bytes; temporary storage holds 512 MB

_TYPES = {"music": ("audio/",), "image": ("image/",), "video": ("video/", "image/gif")}


def read_result(path: Path, call: Call) -> MediaFile:
    """The file as media; raises ProviderError unless it is of the call's kind."""
    try:
        media = describe(path)
    except BrokenMedia as error:
        raise bad_output(call, str(error)) from error
    if not media.content_type.startswith(_TYPES[call.kind]):
        raise bad_output(call, f"it sent {media.content_type} where {call.kind} was asked for")
    if is_black(media):
        raise _blackened(call)
    return media


def _blackened(call: Call) -> ProviderError:
    """As the safety checker of Stable Diffusion's pipelines does it (huggingface/diffusers, safety_checker.py)."""
    return ProviderError(
        FailureKind.MODERATED,
        f"the image by {call.model} came back black: a safety checker held it back, and it is paid for. "
        "Change the prompt.",
        charged=Charged.YES,
    )


def bad_output(call: Call, what: str, *, charged: Charged = Charged.YES) -> ProviderError:
    """The error of an answer that came, but is of no use."""
    return ProviderError(
        FailureKind.BAD_OUTPUT,
        f"the answer is of no use: {server_of(call.url)} was asked for {call.kind} by {call.model}, "
        f"but {what}. Check that this server serves this model.",
        charged=charged,
    )
