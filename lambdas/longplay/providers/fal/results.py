"""Reads the results of fal's models: the URLs of files, and the findings of a safety checker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from longplay.domain.errors import Charged, ProviderError
from longplay.providers.decoding import decode
from longplay.providers.protocol import Call
from longplay.providers.results import bad_output, unsafe_image

MOST_OUTPUTS = 8

_FILE_KEYS = ("images", "image", "audio_file", "audio", "video")


def read_result(body: Path) -> dict[str, Any] | None:
    """The model's result, None if it is not a JSON object."""
    return decode(body.read_bytes(), dict[str, Any])


def urls_in(result: dict[str, Any]) -> list[str]:
    """The URLs of a result's files, at most eight: `{"images": [{"url"}]}`, `{"audio": {"url"}}` and similar."""
    files = [file for key in _FILE_KEYS for file in _listed(result.get(key)) if isinstance(file, dict)]
    return [file["url"] for file in files if isinstance(file.get("url"), str)][:MOST_OUTPUTS]


def is_unsafe(result: dict[str, Any]) -> bool:
    """Whether the safety checker found an image unsafe; fal then delivers a black image."""
    return any(found is True for found in _listed(result.get("has_nsfw_concepts")))


def result_urls(result: dict[str, Any], call: Call, *, succeeded: bool) -> list[str]:
    """The URLs of a result's files; raises ProviderError if it is unsafe or has no files.

    `succeeded` is whether fal says that the request did not fail.
    """
    if is_unsafe(result):
        raise unsafe(call)
    urls = urls_in(result)
    if not urls:
        raise bad_output(call, "it returned no file", charged=Charged.YES if succeeded else Charged.UNKNOWN)
    return urls


def unsafe(call: Call) -> ProviderError:
    """The error of an image that the safety checker replaced with a black one."""
    return unsafe_image(f"fal's safety checker blocked the image by {call.model}; it is billed")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
