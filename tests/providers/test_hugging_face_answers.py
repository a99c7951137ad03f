"""Every shape in which Hugging Face's contract brings a result, and everything that is none."""

import json
import wave

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.hugging_face.answers import LARGEST_JSON, MOST_VALUES

from tests.providers.payloads import SOUND, encoded, image_file, packed, video_file


class TestAnAnswer:
    def test_of_bytes_is_typed_by_them_and_not_by_its_headers(self, server, submit):
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
    def test_of_samples_becomes_a_wav_file(self, server, submit, payload):
        server.says(200, encoded(payload))
        [media] = submit().files
        assert media.content_type == "audio/wav"
        with wave.open(str(media.path)) as file:
            assert file.getparams()[:4] == (1, 2, 16000, 3)
            assert file.readframes(3) == b"\0\0\0\x40\xff\x7f"

    def test_of_more_values_than_a_worker_can_hold_is_refused(self, server, submit):
        server.says(200, b"[" + b"0," * (MOST_VALUES + 1) + b"0]")
        with pytest.raises(ProviderError) as caught:
            submit()
        assert (caught.value.kind, caught.value.charged) == (FailureKind.BAD_OUTPUT, Charged.YES)
        assert "4,000,000 values" in caught.value.message

    @pytest.mark.parametrize(
        ("payload", "channels"),
        [([{"generated_audio": [[0.0, 0.5]]}], 1), ({"generated_audio": [[0.0, 0.5], [0.0, 0.5]]}, 2)],
    )
    def test_of_a_tutorial_handler_has_musicgens_sampling_rate(self, server, submit, payload, channels):
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
    def test_of_base64_is_unpacked(self, server, submit, payload):
        server.says(200, encoded(payload))
        [media] = submit("image").files
        assert media.path.read_bytes() == image_file()

    def test_of_a_video_handler_is_unpacked(self, server, submit):
        server.says(200, encoded({"video": packed(video_file()), "format": "mp4", "frames": 49}))
        assert submit("video").files[0].content_type == "video/mp4"

    @pytest.mark.parametrize(
        ("kind", "body"),
        [("music", image_file()), ("image", SOUND), ("video", image_file()), ("image", video_file())],
    )
    def test_of_another_kind_is_of_no_use_though_paid(self, server, failure, kind, body):
        server.says(200, body)
        error = failure(kind)
        assert (error.kind, error.charged) == (FailureKind.BAD_OUTPUT, Charged.YES)
        assert f"instead of {kind}" in error.message

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
    def test_that_cannot_be_understood_is_of_no_use_though_paid(self, server, failure, body):
        server.says(200, body, {"Content-Type": "application/json"})
        error = failure()
        assert (error.kind, error.charged) == (FailureKind.BAD_OUTPUT, Charged.YES)
        assert "facebook/musicgen-small" in error.message

    def test_of_html_is_no_result(self, server, failure):
        server.says(200, b"<html><title>Sign in</title>", {"Content-Type": "image/png"})
        error = failure("image")
        assert (error.kind, error.charged) == (FailureKind.BAD_OUTPUT, Charged.UNKNOWN)
        assert "an HTML page" in error.message

    def test_of_nothing_may_have_been_billed(self, server, failure):
        server.says(200)
        error = failure()
        assert (error.kind, error.charged) == (FailureKind.UPSTREAM, Charged.UNKNOWN)

    def test_cut_off_may_have_been_billed(self, server, failure):
        server.says(200, image_file()[:50], {"Content-Length": str(len(image_file()))})
        error = failure("image")
        assert (error.kind, error.charged) == (FailureKind.UPSTREAM, Charged.UNKNOWN)

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
    def test_of_an_error_with_status_200_is_that_error(self, server, failure, payload, kind, charged):
        server.says(200, encoded(payload))
        error = failure()
        assert (error.kind, error.charged) == (kind, charged)
