"""Reads the media in an answer of Hugging Face's contract: plain bytes, or JSON with base64 or samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.media.broken import BrokenMedia
from longplay.media.files import HEAD, MediaFile, is_text, sniff
from longplay.media.samples import write_wav
from longplay.providers.credential import Credential
from longplay.providers.http_client import Answer, server_of
from longplay.providers.hugging_face.refusals import explain
from longplay.providers.hugging_face.shapes import Sound, from_base64, has_address, is_error, media_in
from longplay.providers.protocol import Call
from longplay.providers.refusals import refusal_with
from longplay.providers.results import bad_output, read_result

LARGEST_JSON = 32_000_000  # bytes; 30 s of audio as a list of numbers has 10 to 20 MB
MOST_VALUES = 4_000_000  # samples of two minutes of audio; each is a Python object in a worker of 512 MB

_PARTIAL = 206
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_media(answer: Answer, call: Call, credential: Credential) -> MediaFile:
    """The file in a 2xx answer, typed by its bytes; raises ProviderError if it is not whole, or not of the call's kind.

    Only a whole answer in JSON that names an error is an error with status 2xx. Any other answer without media is
    BAD_OUTPUT: the generation was made, and is not made again.
    """
    if not answer.bytes:
        raise _empty(call)
    if answer.status == _PARTIAL:
        raise bad_output(call, "it sent only a part of the file (206)")
    head = _head(answer)
    if sniff(head) or not is_text(head):
        return read_result(answer.body, call)
    return _in_text(answer, call, credential)


def _head(answer: Answer) -> bytes:
    with answer.body.open("rb") as file:
        return file.read(HEAD)


def _in_text(answer: Answer, call: Call, credential: Credential) -> MediaFile:
    payload = _payload(answer, call)
    found, path = media_in(payload, call.kind), call.folder / "output"
    if isinstance(found, Sound):
        return read_result(path, call, warnings=_write_sound(found, path, call))
    if found:
        path.write_bytes(found)
        return read_result(path, call)
    if is_error(payload):
        raise explain(refusal_with(payload, answer, secret=credential.token), call, credential)
    raise bad_output(call, _what_it_is(payload))


def _payload(answer: Answer, call: Call) -> Any:
    """The JSON in an answer, or the text of a file in base64."""
    if answer.bytes > LARGEST_JSON:
        raise bad_output(call, f"it sent {answer.bytes:,} bytes of text, more than {LARGEST_JSON:,}")
    body = answer.body.read_bytes().removeprefix(_BYTE_ORDER_MARK).strip()
    if body.count(b",") > MOST_VALUES:
        raise bad_output(call, f"its JSON contains more than {MOST_VALUES:,} values")
    if body[:1] in (b"{", b"[", b'"'):
        return _decoded(body, call)
    if body[:1] == b"<":
        raise bad_output(call, "it sent an HTML page", charged=Charged.UNKNOWN)
    text = body.decode("ascii", "replace")
    return text if from_base64(text) else None


def _decoded(body: bytes, call: Call) -> Any:
    """The JSON of a body; Python's own NaN and Infinity, which are no JSON, are read too."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise bad_output(call, "its JSON breaks off, or cannot be read") from error


def _write_sound(sound: Sound, path: Path, call: Call) -> tuple[str, ...]:
    try:
        return write_wav(sound.samples, sound.sampling_rate, path)
    except BrokenMedia as error:
        raise bad_output(call, str(error)) from error


def _what_it_is(payload: Any) -> str:
    if isinstance(payload, dict | list) and has_address(payload):
        return "it sent the address of a file instead of the file, and addresses are not followed there"
    return "its answer contains no audio, image or video"


def _empty(call: Call) -> ProviderError:
    return ProviderError(
        FailureKind.UPSTREAM,
        f"the answer is empty: {server_of(call.url)} sent nothing for {call.model}; "
        "the call may have run and been billed",
        charged=Charged.UNKNOWN,
    )
