"""Answers in Hugging Face's contract: every shape of a result, and answers that are no result."""

from __future__ import annotations

import json
import wave
from typing import Any

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.hugging_face.answers import LARGEST_JSON, MOST_VALUES

from tests.harness.media import kind_of, whole_files
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
        {"audio": [[[0.0, 0.5, 1.0]]], "sampling_rate": 16000},
        {"audio": [[0.0, 0.5, 1.0]], "sampling_rate": 16000},
        {"audio": [0.0, 0.5, 1.0], "sampling_rate": 16000},
        {"audio": {"array": [0.0, 0.5, 1.0], "sample_rate": "16000"}},
        [{"audio": [0, 0.5, 1], "sampling_rate": 16000}],
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


def test_samples_beyond_full_scale_are_said_in_the_output(server: RawServer, submit: Submit) -> None:
    """They are scaled by their peak."""
    server.says(200, encoded({"audio": [0.0, 2.5], "sampling_rate": 16000}))
    [media] = submit().files
    assert media.warnings == (
        "The model's samples reached 2.5 times full scale. The sound was made quieter by this factor.",
    )


@pytest.mark.parametrize("size", [70_000, 300_000])
def test_a_large_answer_of_any_shape_is_read_whole(server: RawServer, submit: Submit, size: int) -> None:
    """Not only the 64 KB that are read of a refusal."""
    wav = whole_files()["music float wav"]
    for payload in ([{"generated_audio": packed(wav)}], {"log": "x" * size, "wav": packed(wav)}):
        server.says(200, encoded(payload))
        assert submit().files[0].path.read_bytes() == wav


@pytest.mark.parametrize("name", ["music wav", "music mp3", "music flac"])
def test_a_file_in_plain_base64_is_decoded(server: RawServer, submit: Submit, name: str) -> None:
    """Without quotation marks, as text/plain."""
    server.says(200, packed(whole_files()[name]).encode(), {"Content-Type": "text/plain"})
    assert submit().files[0].path.read_bytes() == whole_files()[name]


def test_json_with_a_byte_order_mark_is_read(server: RawServer, submit: Submit) -> None:
    """Servers on Windows write one."""
    server.says(200, b"\xef\xbb\xbf" + SOUND)
    assert submit().files[0].content_type == "audio/wav"


@pytest.mark.parametrize("name", whole_files())
@pytest.mark.parametrize("form", ["bytes", "base64"])
def test_half_a_file_is_bad_output_and_charged(server: RawServer, failure: Failure, name: str, form: str) -> None:
    """Whether it comes as bytes or in JSON: the generation was made, and is not made again."""
    data = whole_files()[name]
    half = data[: len(data) // 2]
    server.says(200, half if form == "bytes" else encoded({"result": packed(half)}))
    error = failure(kind_of(name))
    assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
    assert "breaks off" in error.message


@pytest.mark.parametrize("name", ["music wav", "image png", "video mp4"])
def test_a_body_that_is_cut_on_http_1_0_is_bad_output(server: RawServer, failure: Failure, name: str) -> None:
    """Such a body has no length, so only the file shows it."""
    data = whole_files()[name]
    half = data[: len(data) // 2]
    server.script = lambda connection: connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + half)
    assert facts(failure(kind_of(name))) == (FailureKind.BAD_OUTPUT, Charged.YES)


def test_a_partial_answer_is_bad_output(server: RawServer, failure: Failure) -> None:
    """No part was requested, so 206 is the answer of a broken cache; even if the file looks whole."""
    server.says(206, whole_files()["image png"])
    error = failure("image")
    assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
    assert "206" in error.message


@pytest.mark.parametrize(
    "body", [b'{"audio": [0.1, NaN], "sampling_rate": 32000}', b'{"audio": [Infinity]}', b'{"audio": [0.5, null]}']
)
def test_nan_in_the_sound_is_named(server: RawServer, failure: Failure, body: bytes) -> None:
    """Python's own JSON writes NaN; other writers send null."""
    server.says(200, body)
    error = failure()
    assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
    assert "the model produced NaN" in error.message


def test_a_file_of_unknown_type_is_kept(server: RawServer, submit: Submit) -> None:
    """It is charged, and its caller may know the type."""
    data = b"FORM\0\0\1\0AIFF" + bytes(range(256)) * 12
    for body in (data, encoded({"audio": packed(data)})):
        server.says(200, body)
        [media] = submit().files
        assert (media.content_type, media.path.read_bytes()) == ("application/octet-stream", data)


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
        b"{}",
        b"[]",
        b'""',
        b'{"image": 1}',
        b'{"image": {"image": {"image": {"image": {"image": "aGVsbG8="}}}}}',
        encoded(packed(b"no image at all")),
        b'"\xff\xfe"',
        b"BM no known type",
        b"12345",
        encoded("something went wrong"),
        encoded({"message": "done", "result": 7}),
        encoded({"title": "x", "audio_url": "https://example.com/x.wav"}),
        encoded({"detail": "x" * 100_000}),
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
        ([{"error": "unknown error"}], FailureKind.UPSTREAM, Charged.UNKNOWN),
        ({"error": "unknown error", "trace": "x" * 100_000}, FailureKind.UPSTREAM, Charged.UNKNOWN),
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
