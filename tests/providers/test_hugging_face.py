"""Hugging Face's contract: what is sent, every shape of answer, and every way a server says no."""

import base64
import io
import json
import wave
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from longplay.errors import Charged, FailureKind, ProviderError
from longplay.providers.hugging_face import HuggingFace, token_name
from longplay.providers.hugging_face_answers import LARGEST_JSON
from longplay.providers.protocol import Call
from PIL import Image

TOKEN = "hf_AbCdEfGh0123456789"
OWN_TOKEN = "own-server-secret"
ROUTER = "https://router.huggingface.co/hf-inference/models/facebook/musicgen-small"


class Tokens(dict):
    """Stored tokens by name; counts how often they were to be read anew."""

    forgotten = 0

    def forget(self):
        self.forgotten += 1


@pytest.fixture
def tokens():
    return Tokens(huggingface=TOKEN, self_hosted=OWN_TOKEN)


@pytest.fixture
def submit(server, tokens, tmp_path):
    def make(kind="music", **fields):
        defaults = {
            "model": "facebook/musicgen-small",
            "url": server.url,
            "style": "toolkit",
            "prompt": "slow jazz",
            "parameters": {"duration": 8} if kind == "music" else {},
            "image": None,
            "timeout": 5,
            "folder": tmp_path,
        }
        provider = HuggingFace(tokens.get, forget_tokens=tokens.forget)
        return provider.submit(Call(**{"kind": kind, **defaults, **fields}))

    return make


@pytest.fixture
def failure(submit):
    def make(*args, **fields):
        with pytest.raises(ProviderError) as caught:
            submit(*args, **fields)
        return caught.value

    return make


def picture(form="PNG", color="teal"):
    file = io.BytesIO()
    Image.new("RGB", (64, 48), color).save(file, form)
    return file.getvalue()


def packed(data):
    return base64.b64encode(data).decode()


def encoded(payload):
    return json.dumps(payload).encode()


SOUND = encoded({"audio": [[[0.0, 0.5]]], "sampling_rate": 32000})


def film():
    """As much of a film as its type shows in."""
    return b"\0\0\0\x10ftypisom\0\0\0\0"


class TestTheRequest:
    def sent(self, server, submit, kind="music", answer=SOUND, **fields):
        server.says(200, answer)
        submit(kind, **fields)
        return server.requests[0]

    def test_names_exactly_one_content_type_and_one_it_accepts(self, server, submit):
        headers = self.sent(server, submit).headers
        assert (headers["content-type"], headers["accept"]) == ("application/json", "application/json")

    @pytest.mark.parametrize(
        ("kind", "answer", "accept"),
        [("image", picture(), "image/png"), ("video", film(), "video/mp4")],
    )
    def test_accepts_the_type_of_its_kind(self, server, submit, kind, answer, accept):
        assert self.sent(server, submit, kind, answer).headers["accept"] == accept

    def test_goes_to_the_address_as_it_is(self, server, submit):
        assert self.sent(server, submit).line == "POST /models/facebook/musicgen-small HTTP/1.1"

    def test_for_music_nests_generation_arguments_as_the_toolkit_wants_them(self, server, submit):
        parameters = {"genre": "jazz", "duration": 8, "guidance_scale": 4.5, "seed": 7}
        assert self.sent(server, submit, parameters=parameters).json == {
            "inputs": "slow jazz",
            "parameters": {"generate_kwargs": {"do_sample": True, "guidance_scale": 4.5, "max_new_tokens": 400}},
        }

    def test_for_music_is_flat_for_a_tutorial_handler(self, server, submit):
        body = self.sent(server, submit, style="flat", parameters={"duration": 30}).json
        assert body["parameters"] == {"do_sample": True, "max_new_tokens": 1500}

    @pytest.mark.parametrize(("duration", "count"), [(1, 50), (1.1, 55), (1.01, 51), (8.2, 410), (29.99, 1500)])
    def test_asks_for_fifty_audio_tokens_a_second(self, server, submit, duration, count):
        body = self.sent(server, submit, parameters={"duration": duration}).json
        assert body["parameters"]["generate_kwargs"]["max_new_tokens"] == count

    def test_for_images_passes_parameters_on_as_they_are(self, server, submit):
        parameters = {
            "width": 512,
            "height": 512,
            "num_inference_steps": 30,
            "guidance_scale": 7.5,
            "negative_prompt": "blur",
            "seed": 0,
        }
        body = self.sent(server, submit, "image", picture(), parameters=parameters).json
        assert body == {"inputs": "slow jazz", "parameters": parameters}

    @pytest.mark.parametrize(("duration", "frames"), [(2, 49), (3, 73), (5, 121)])
    def test_for_video_asks_for_frames_at_the_models_rate(self, server, submit, duration, frames):
        parameters = {"duration": duration, "num_inference_steps": 30}
        body = self.sent(server, submit, "video", film(), parameters=parameters).json
        assert body == {
            "inputs": "slow jazz",
            "parameters": {"num_inference_steps": 30, "fps": 24, "num_frames": frames},
        }

    def test_with_an_image_has_the_image_for_inputs_and_the_prompt_as_parameter(self, server, submit):
        image = picture("JPEG")
        body = self.sent(server, submit, "video", film(), image=image, parameters={"duration": 4}).json
        assert base64.b64decode(body["inputs"]) == image
        assert body["parameters"] == {"prompt": "slow jazz", "fps": 7, "num_frames": 29}


class TestTheToken:
    @pytest.mark.parametrize(
        "url",
        [
            ROUTER,
            "https://huggingface.co/x",
            "https://ROUTER.HuggingFace.co:443/x",
            "https://ab12.us-east-1.aws.endpoints.huggingface.cloud",
        ],
    )
    def test_of_hugging_face_is_for_hugging_face(self, url):
        assert token_name(url) == "huggingface"

    @pytest.mark.parametrize(
        "url",
        [
            "https://huggingface.co.evil.example/x",
            "https://evilhuggingface.co/x",
            "https://evil.example/huggingface.co",
            "https://evil.example/?.huggingface.co",
            "https://evil.example#.huggingface.co",
            r"https://evil.example\.huggingface.co",
            "https://huggingface.cloud/x",
            "https://endpoints.huggingface.cloud.evil.example",
            "https://huggingface.co./x",
            "http://127.0.0.1:80/",
            "http://localhost/",
        ],
    )
    def test_of_hugging_face_is_for_nobody_else(self, url):
        assert token_name(url) == "self_hosted"

    @pytest.mark.parametrize("url", ["http://router.huggingface.co/x", "https://a:b@router.huggingface.co/x", ""])
    def test_is_not_even_read_for_an_address_that_cannot_be_used(self, failure, url):
        assert failure(url=url).kind is FailureKind.NOT_SERVED

    def test_of_the_operator_goes_to_the_operators_own_server(self, server, submit):
        server.says(200, SOUND)
        submit()
        assert server.requests[0].headers["authorization"] == f"Bearer {OWN_TOKEN}"

    def test_of_hugging_face_does_not_stand_in_for_one_that_is_missing(self, server, submit, tokens):
        del tokens["self_hosted"]
        server.says(200, SOUND)
        submit()
        assert "authorization" not in server.requests[0].headers

    @pytest.mark.parametrize("url", [ROUTER, "https://x.eu-west-1.aws.endpoints.huggingface.cloud/"])
    def test_that_is_missing_is_said_before_anything_is_sent(self, failure, tokens, url):
        del tokens["huggingface"]
        error = failure(url=url)
        assert (error.kind, error.charged) == (FailureKind.NO_TOKEN, Charged.NO)
        assert error.message.startswith("no token stored: facebook/musicgen-small at ")
        assert "`make token PROVIDER=huggingface`" in error.message

    def test_that_was_refused_is_read_anew_the_next_time(self, server, failure, tokens):
        server.says(401)
        failure()
        assert tokens.forgotten == 1

    def test_is_struck_out_wherever_a_server_echoes_it(self, server, failure):
        spread = OWN_TOKEN.replace("-", "-\0")
        said = f"bad {OWN_TOKEN}, {TOKEN}, Bearer abc.def and {'x' * 250} {OWN_TOKEN}"
        server.says(400, encoded({"error": said}), {"X-Request-Id": OWN_TOKEN})
        error = failure()
        server.says(400, spread.encode())
        unspread = failure()
        for text in (error.message, str(error), error.request_id, unspread.message):
            assert not any(secret in text for secret in (OWN_TOKEN, OWN_TOKEN[:12], TOKEN, "abc.def"))


class TestAnAnswer:
    def test_of_bytes_is_typed_by_them_and_not_by_its_headers(self, server, submit):
        server.says(200, picture("JPEG"), {"Content-Type": "image/png", "X-Inference-Id": "i1"})
        done = submit("image")
        [media] = done.files
        assert (media.content_type, media.width, media.height) == ("image/jpeg", 64, 48)
        assert (media.path.read_bytes(), done.request_id) == (picture("JPEG"), "i1")

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
            packed(picture()),
            "data:image/png;base64," + packed(picture()),
            packed(picture())[:60] + "\n" + packed(picture())[60:],
            [packed(picture())],
            {"image": packed(picture())},
            [{"image": packed(picture())}],
            {"images": [packed(picture())]},
            {"data": [{"b64_json": packed(picture())}]},
            {"output": {"image": "data:image/png;base64," + packed(picture())}, "seed": 3},
        ],
        ids=lambda payload: json.dumps(payload)[:30],
    )
    def test_of_base64_is_unpacked(self, server, submit, payload):
        server.says(200, encoded(payload))
        [media] = submit("image").files
        assert media.path.read_bytes() == picture()

    def test_of_a_video_handler_is_unpacked(self, server, submit):
        server.says(200, encoded({"video": packed(film()), "format": "mp4", "frames": 49}))
        assert submit("video").files[0].content_type == "video/mp4"

    @pytest.mark.parametrize(
        ("kind", "body"),
        [("music", picture()), ("image", SOUND), ("video", picture()), ("image", film())],
    )
    def test_of_another_kind_is_of_no_use_though_paid(self, server, failure, kind, body):
        server.says(200, body)
        error = failure(kind)
        assert (error.kind, error.charged) == (FailureKind.BAD_OUTPUT, Charged.YES)
        assert f"where {kind} was asked for" in error.message

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
            encoded(packed(b"no picture at all")),
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
        server.says(200, picture()[:50], {"Content-Length": str(len(picture()))})
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


CLOUDFRONT = b"<!DOCTYPE HTML><html><head><TITLE>ERROR: The request could not be satisfied</TITLE></head><body>x"
NOT_SUPPORTED = {"error": "Model not supported by provider hf-inference"}
DEPRECATED = {"error": "The requested model is deprecated and no longer supported by provider hf-inference"}
LOADING = {"error": "Model facebook/musicgen-small is currently loading", "estimated_time": 20.0}
NO_PERMISSION = {"error": "This authentication method does not have sufficient permissions to call Inference"}


class TestARefusal:
    @pytest.mark.parametrize(
        ("status", "payload", "kind", "charged", "said"),
        [
            (400, NOT_SUPPORTED, FailureKind.NOT_SERVED, Charged.NO, "the model is not served there"),
            (400, {"error": ["bad steps"]}, FailureKind.BAD_INPUT, Charged.NO, "bad steps"),
            (400, {"error": "CUDA out of memory."}, FailureKind.OUT_OF_MEMORY, Charged.NO, "larger GPU"),
            (400, {"error": "NSFW content"}, FailureKind.MODERATED, Charged.NO, "Change the prompt"),
            (401, {"error": "Invalid credentials"}, FailureKind.AUTH, Charged.NO, "the token was refused: "),
            (402, {"error": "You have depleted"}, FailureKind.CREDITS, Charged.NO, "no credits left"),
            (403, NO_PERMISSION, FailureKind.AUTH, Charged.NO, "the token was refused: "),
            (404, {"error": "Model X does not exist"}, FailureKind.NOT_SERVED, Charged.NO, "does not exist"),
            (404, b"Cannot POST /x", FailureKind.NOT_SERVED, Charged.NO, "Cannot POST /x"),
            (405, b"", FailureKind.NOT_SERVED, Charged.NO, "the model is not served there"),
            (406, {"detail": "Accept"}, FailureKind.NOT_SERVED, Charged.NO, "Accept"),
            (408, b"", FailureKind.UPSTREAM, Charged.NO, "not available"),
            (410, DEPRECATED, FailureKind.NOT_SERVED, Charged.NO, "deprecated"),
            (413, b"", FailureKind.BAD_INPUT, Charged.NO, "smaller input image"),
            (418, b"", FailureKind.BAD_INPUT, Charged.NO, "the request was refused"),
            (422, b"Failed to deserialize", FailureKind.BAD_INPUT, Charged.NO, "Failed to deserialize"),
            (429, {"error": "Rate limit reached"}, FailureKind.THROTTLED, Charged.NO, "too many requests"),
            (500, {"error": "unknown error"}, FailureKind.UPSTREAM, Charged.UNKNOWN, "been billed"),
            (500, {"error": "CUDA out of memory"}, FailureKind.OUT_OF_MEMORY, Charged.UNKNOWN, "memory"),
            (502, CLOUDFRONT, FailureKind.UPSTREAM, Charged.UNKNOWN, "could not be satisfied”"),
            (503, LOADING, FailureKind.LOADING, Charged.NO, "the model is loading"),
            (503, b"Service starting", FailureKind.LOADING, Charged.NO, "the model is loading"),
            (503, CLOUDFRONT, FailureKind.UPSTREAM, Charged.NO, "not available"),
            (504, b"", FailureKind.UPSTREAM, Charged.UNKNOWN, "been billed"),
            (529, b"", FailureKind.UPSTREAM, Charged.UNKNOWN, "been billed"),
            (302, b"", FailureKind.NOT_SERVED, Charged.NO, "redirects are not followed"),
            (304, b"", FailureKind.NOT_SERVED, Charged.NO, "redirects are not followed"),
        ],
    )
    def test_means_one_thing_and_says_what_to_do(self, server, failure, status, payload, kind, charged, said):
        server.says(status, payload if isinstance(payload, bytes) else encoded(payload))
        error = failure()
        assert (error.kind, error.charged) == (kind, charged)
        assert said in error.message
        assert f"127.0.0.1:{server.port} answered {status} for facebook/musicgen-small" in error.message

    @pytest.mark.parametrize(
        ("payload", "said"),
        [
            ({"error": "a"}, "a"),
            ({"error": ["a", "b"]}, "a; b"),
            ({"error": {"message": "a", "type": "t"}}, "a"),
            ({"detail": "a"}, "a"),
            ({"detail": [{"loc": ["body", "seed"], "msg": "a", "type": "t"}]}, "body.seed: a"),
            ({"title": "t", "detail": "a", "status": 422}, "a"),
            ({"message": "a"}, "a"),
            ({"text": "a"}, "a"),
            ("a", "a"),
            (b"plain\r\n\x1b[31m  text\x00", "plain [31m text"),
            (CLOUDFRONT, "an HTML page (“ERROR: The request could not be satisfied”)"),
            (b"<html><script>alert(1)</script>", "an HTML page"),
            (b"\xff\xfe", "��"),
            ({"error": "x" * 10_000}, "x" * 299 + "…"),
        ],
    )
    def test_is_quoted_in_whatever_shape_it_comes(self, server, failure, payload, said):
        server.says(500, payload if isinstance(payload, bytes) else encoded(payload))
        assert failure().message.endswith(f" The server said: {said}")

    @pytest.mark.parametrize(
        "body", [b"", b"{}", b"[]", b"null", b"7", b'{"error": {}}', b'{"error": null}', b'{"a": {"error": 1}}']
    )
    def test_that_says_nothing_is_not_quoted(self, server, failure, body):
        server.says(500, body)
        assert ("The server said" in failure().message) is (body == b"7")

    def test_nested_without_end_is_not_followed(self, server, failure):
        server.says(500, b'{"error":' * 5_000 + b"1" + b"}" * 5_000)
        assert failure().kind is FailureKind.UPSTREAM

    def test_by_redirect_says_whereto(self, server, failure):
        server.says(307, headers={"Location": f"https://new.example/{OWN_TOKEN}"})
        assert failure().message.endswith("go to https://new.example/[token]")

    def test_of_the_operators_own_token_names_that_token(self, server, failure):
        server.says(403)
        assert "`make token PROVIDER=self_hosted`" in failure().message

    def test_for_want_of_a_token_says_so(self, server, failure, tokens):
        del tokens["self_hosted"]
        server.says(401)
        error = failure()
        assert error.kind is FailureKind.AUTH
        assert error.message.startswith("no token stored: ")

    def test_carries_the_providers_request_id(self, server, failure):
        server.says(500, headers={"X-Request-Id": "r1\t" + "x" * 200})
        assert failure().request_id == "r1 " + "x" * 96 + "…"


class TestTheWait:
    @pytest.mark.parametrize(
        ("status", "headers", "payload", "seconds"),
        [
            (429, {"Retry-After": "7"}, {}, 7),
            (429, {"Retry-After": "7", "RateLimit": '"api";r=0;t=55'}, {"retry_after": 9}, 7),
            (429, {"RateLimit": '"api";r=0;t=55'}, {"retry_after": 9}, 55),
            (429, {"Retry-After": "soon", "RateLimit": "x"}, {"retry_after": 9}, 9),
            (429, {}, {}, None),
            (429, {"Retry-After": "1e9"}, {}, 3600),
            (429, {"Retry-After": "-5"}, {}, None),
            (429, {"Retry-After": "nan"}, {}, None),
            (429, {"Retry-After": "inf"}, {"retry_after": [1]}, None),
            (429, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, {}, 0),
            (429, {"Retry-After": "Thu, 99 Jan 99999 00:00:00 GMT"}, {"retry_after": "x"}, None),
            (503, {}, {"error": "loading", "estimated_time": 20.5}, 20.5),
            (503, {}, {"error": "loading", "estimated_time": 86_400}, 120),
            (503, {"Retry-After": "3"}, {"error": "loading", "estimated_time": 20}, 3),
            (503, {}, {"error": "loading", "estimated_time": -20}, None),
            (503, {}, {"error": "loading", "estimated_time": "NaN"}, None),
            (503, {}, {"error": "loading", "estimated_time": 10**400}, None),
            (500, {}, {}, None),
        ],
    )
    def test_is_what_the_server_asks_for_within_reason(self, server, failure, status, headers, payload, seconds):
        server.says(status, encoded(payload), headers)
        assert failure().retry_after == seconds

    def test_may_be_asked_for_by_a_date(self, server, failure):
        soon = datetime.now(UTC) + timedelta(seconds=90)
        server.says(429, headers={"Retry-After": format_datetime(soon, usegmt=True)})
        assert failure().retry_after == pytest.approx(90, abs=10)
