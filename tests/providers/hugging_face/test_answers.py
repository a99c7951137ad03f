"""Answers in Hugging Face's contract: every shape of a result, and answers that are no result."""

from __future__ import annotations

import json
import wave
from typing import Any

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.hugging_face.answers import LARGEST_JSON, MOST_VALUES

from tests.providers.failures import facts, raised
from tests.providers.hugging_face.calls import Failure, Submit
from tests.providers.payloads import SOUND, encoded, image_file, packed, video_file
from tests.providers.raw_server import RawServer


def test_a_file_is_typed_by_its_bytes(server: RawServer, submit: Submit) -> None:
    """The type of a result is read from its bytes, not from the headers."""
    server.says(200, image_file("JPEG"), {"Content-Type": "image/png", "X-Inference-Id": "i1"})
    done = submit("image")
    [media] = done.files
    assert (media.content_type, media.width, media.height) == ("image/jpeg", 64, 48)
    assert (media.path.read_bytes(), done.request_id) == (image_file("JPEG"), "i1")


@pytest.mark.parametrize(
    "payload",
    [
        {"audio": [[[0.0, 0.5, 1.5]]], "sampling_rate": 16000},
        {"audio": [[0.0, 0.5, 1.5]], "sampling_rate": 16000},
        {"audio": [0.0, 0.5, 1.5], "sampling_rate": 16000},
        [{"audio": [0, 0.5, 2], "sampling_rate": 16000}],
    ],
)
def test_samples_become_a_wav_file(server: RawServer, submit: Submit, payload: Any) -> None:
    """Samples are read at any depth of nesting and become a WAV file."""
    server.says(200, encoded(payload))
    [media] = submit().files
    assert media.content_type == "audio/wav"
    with wave.open(str(media.path)) as file:
        assert file.getparams()[:4] == (1, 2, 16000, 3)
        assert file.readframes(3) == b"\0\0\0\x40\xff\x7f"


def test_too_many_samples_are_bad_output(server: RawServer, submit: Submit) -> None:
    """More samples than a worker's memory can take are BAD_OUTPUT, and were charged."""
    server.says(200, b"[" + b"0," * (MOST_VALUES + 1) + b"0]")
    error = raised(submit)
    assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
    assert "4,000,000 values" in error.message


@pytest.mark.parametrize(
    ("payload", "channels"),
    [([{"generated_audio": [[0.0, 0.5]]}], 1), ({"generated_audio": [[0.0, 0.5], [0.0, 0.5]]}, 2)],
)
def test_a_tutorial_handlers_sound_has_musicgens_rate(
    server: RawServer, submit: Submit, payload: Any, channels: int
) -> None:
    """Sound from a tutorial handler, which names no rate, has MusicGen's 32,000 samples a second."""
    server.says(200, encoded(payload))
    with wave.open(str(submit(style="flat").files[0].path)) as file:
        assert file.getparams()[:4] == (channels, 2, 32000, 2)


@pytest.mark.parametrize(
    "payload",
    [
        packed(image_file()),
        "data:image/png;base64," + packed(image_file()),
        packed(image_file())[:60] + "\n" + packed(image_file())[60:],
        [packed(image_file())],
        {"image": packed(image_file())},
        [{"image": packed(image_file())}],
        {"images": [packed(image_file())]},
        {"data": [{"b64_json": packed(image_file())}]},
        {"output": {"image": "data:image/png;base64," + packed(image_file())}, "seed": 3},
    ],
    ids=lambda payload: json.dumps(payload)[:30],
)
def test_a_base64_image_is_decoded(server: RawServer, submit: Submit, payload: Any) -> None:
    """An image in base64 is found in any of the known shapes and decoded."""
    server.says(200, encoded(payload))
    [media] = submit("image").files
    assert media.path.read_bytes() == image_file()


def test_a_base64_video_is_decoded(server: RawServer, submit: Submit) -> None:
    """A video in base64 is decoded."""
    server.says(200, encoded({"video": packed(video_file()), "format": "mp4", "frames": 49}))
    assert submit("video").files[0].content_type == "video/mp4"


@pytest.mark.parametrize(
    ("kind", "body"),
    [("music", image_file()), ("image", SOUND), ("video", image_file()), ("image", video_file())],
)
def test_a_result_of_another_kind_is_bad_output(server: RawServer, failure: Failure, kind: str, body: bytes) -> None:
    """A file of another kind is BAD_OUTPUT, and was charged."""
    server.says(200, body)
    error = failure(kind)
    assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
    assert kind in error.message


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 100_000,
        b'{"audio": [NaN], "sampling_rate": 32000}',
        b'{"audio": [null], "sampling_rate": 32000}',
        b'{"audio": [1e999], "sampling_rate": 32000}',
        b'{"audio": [0.5], "sampling_rate": 1e9}',
        b'{"audio": [0.5], "sampling_rate": "fast"}',
        b'{"audio": [[[[0.5]]]]}',
        b"{}",
        b"[]",
        b'""',
        b'{"image": 1}',
        b'{"image": {"image": {"image": {"image": {"image": "aGVsbG8="}}}}}',
        encoded(packed(b"no image at all")),
        b'"\xff\xfe"',
        b"BM no known type",
        b"12345",
        b" " * (LARGEST_JSON + 1),
        b'"' + b"A" * LARGEST_JSON,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_an_unreadable_result_is_bad_output(server: RawServer, failure: Failure, body: bytes) -> None:
    """An answer that cannot be read as a result is BAD_OUTPUT, was charged, and names the model."""
    server.says(200, body, {"Content-Type": "application/json"})
    error = failure()
    assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
    assert "facebook/musicgen-small" in error.message


def test_an_html_page_is_bad_output(server: RawServer, failure: Failure) -> None:
    """An HTML page is BAD_OUTPUT, and may have been charged."""
    server.says(200, b"<html><title>Sign in</title>", {"Content-Type": "image/png"})
    error = failure("image")
    assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.UNKNOWN)
    assert "HTML" in error.message


def test_an_empty_answer_may_be_charged(server: RawServer, failure: Failure) -> None:
    """An empty answer is UPSTREAM, and may have been charged."""
    server.says(200)
    error = failure()
    assert facts(error) == (FailureKind.UPSTREAM, Charged.UNKNOWN)


def test_a_cut_answer_may_be_charged(server: RawServer, failure: Failure) -> None:
    """An answer that breaks off is UPSTREAM, and may have been charged."""
    server.says(200, image_file()[:50], {"Content-Length": str(len(image_file()))})
    error = failure("image")
    assert facts(error) == (FailureKind.UPSTREAM, Charged.UNKNOWN)


@pytest.mark.parametrize(
    ("payload", "kind", "charged"),
    [
        ({"error": "unknown error"}, FailureKind.UPSTREAM, Charged.UNKNOWN),
        ("something went wrong", FailureKind.UPSTREAM, Charged.UNKNOWN),
        ({"error": "CUDA out of memory"}, FailureKind.OUT_OF_MEMORY, Charged.UNKNOWN),
        ({"error": "Model not supported by provider hf-inference"}, FailureKind.NOT_SERVED, Charged.NO),
        ({"error": "currently loading", "estimated_time": 20}, FailureKind.LOADING, Charged.NO),
    ],
)
def test_an_error_with_status_200_is_a_failure(
    server: RawServer, failure: Failure, payload: Any, kind: FailureKind, charged: Charged
) -> None:
    """An error that comes with status 200 is the failure it describes."""
    server.says(200, encoded(payload))
    error = failure()
    assert facts(error) == (kind, charged)
