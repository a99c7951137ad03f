"""Checks that a result file is whole media of the requested kind, typed by its bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.media.broken import BrokenMedia
from longplay.media.description import describe
from longplay.media.files import UNKNOWN, MediaFile
from longplay.media.pixels import BLACK, is_black
from longplay.providers.http_client import server_of
from longplay.providers.protocol import Call
from longplay.providers.refusals import for_callers

_TYPES = {"music": ("audio/",), "image": ("image/",), "video": ("video/", "image/gif")}


def read_result(path: Path, call: Call, *, warnings: Iterable[str] = ()) -> MediaFile:
    """The file as media, with these warnings and its own; raises ProviderError if it is a part or of another kind.

    A file of unknown type is kept, and so is a black image: both are paid for.
    """
    try:
        media = describe(path)
    except BrokenMedia as error:
        raise bad_output(call, str(error)) from error
    if media.content_type != UNKNOWN and not media.content_type.startswith(_TYPES[call.kind]):
        raise bad_output(call, f"it sent {media.content_type} instead of {call.kind}")
    black = (BLACK,) if is_black(media) else ()
    return replace(media, warnings=(*warnings, *media.warnings, *black))


def unsafe_image(what: str) -> ProviderError:
    """The error for an image that a safety checker blocked after it was generated."""
    return ProviderError(FailureKind.MODERATED, f"{what}. Change the prompt.", charged=Charged.YES)


def bad_output(call: Call, what: str, *, charged: Charged = Charged.YES, detail: str | None = None) -> ProviderError:
    """The error for an answer that cannot be used; callers read `detail`, or `what` without the addresses in it."""
    return ProviderError(
        FailureKind.BAD_OUTPUT,
        f"the answer cannot be used: {server_of(call.url)} was asked for {call.kind} by {call.model}, "
        f"but {what}. Check that this server serves this model.",
        charged=charged,
        detail=for_callers(what) if detail is None else detail,
    )
