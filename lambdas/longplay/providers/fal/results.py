"""What fal's models answer with: the addresses of files, and what a safety checker found in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.fal.queue import decode
from longplay.providers.protocol import Call
from longplay.providers.results import bad_output

MOST_OUTPUTS = 8

_PLACES = ("images", "image", "audio_file", "audio", "video")


def read_result(body: Path) -> dict[str, Any] | None:
    """What the model answered, None where that is no JSON object."""
    return decode(body.read_bytes(), dict[str, Any])


def files_in(result: dict[str, Any]) -> list[str]:
    """The addresses of its files, at most eight: `{"images": [{"url"}]}`, `{"audio": {"url"}}` and the like."""
    files = [file for place in _PLACES for file in _listed(result.get(place)) if isinstance(file, dict)]
    return [file["url"] for file in files if isinstance(file.get("url"), str)][:MOST_OUTPUTS]


def held_back(result: dict[str, Any]) -> bool:
    """Whether an image was found unsafe; what is delivered then is black."""
    return any(found is True for found in _listed(result.get("has_nsfw_concepts")))


def delivered(result: dict[str, Any], call: Call, *, sound: bool) -> list[str]:
    """The addresses of files that can be used; raises ProviderError where there are none.

    `sound` is whether fal says that the request has not failed.
    """
    if held_back(result):
        raise ProviderError(
            FailureKind.MODERATED,
            f"the image by {call.model} was held back by fal's safety checker, and is billed. Change the prompt.",
            charged=Charged.YES,
        )
    files = files_in(result)
    if not files:
        raise bad_output(call, "it brought no file", charged=Charged.YES if sound else Charged.UNKNOWN)
    return files


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
