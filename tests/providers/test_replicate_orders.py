"""What passes between us and Replicate: each model's own parameters, the token, and what a callback may say."""

import pytest
from longplay.errors import Charged, FailureKind, ProviderError
from longplay.providers.replicate.adapter import Replicate
from longplay.providers.replicate.inputs import LARGEST_IMAGE, input_of

from tests.providers.conftest import Tokens
from tests.providers.replicate_calls import CALLBACK, MUSICGEN, TOKEN, call, image_in, picture

CREATED = b'{"id": "gm3qorzdhgbfurvjtvhg6dckhu", "status": "starting"}'


@pytest.fixture
def tokens():
    return Tokens(replicate=TOKEN)


@pytest.fixture
def submit(server, tokens, tmp_path):
    def make(name="music", url=f"http://127.0.0.1:{server.port}", **fields):
        provider = Replicate(tokens.get, forget_tokens=tokens.forget)
        return provider.submit(call(name, url, tmp_path, **fields))

    return make


@pytest.fixture
def input_for(tmp_path):
    return lambda name, **fields: input_of(call(name, "https://api.replicate.com", tmp_path, **fields))


class TestTheOrder:
    def test_of_a_version_names_it(self, server, submit):
        server.says(201, CREATED)
        submit(callback_url=CALLBACK)
        assert server.requests[0].line == "POST /v1/predictions HTTP/1.1"
        assert server.requests[0].json == {
            "version": MUSICGEN,
            "input": {"prompt": "slow jazz", "model_version": "large", "output_format": "wav", "duration": 1},
            "webhook": CALLBACK,
            "webhook_events_filter": ["completed"],
        }

    def test_of_an_official_model_goes_to_its_own_address(self, server, submit):
        server.says(201, CREATED)
        submit("flux", url=f"http://127.0.0.1:{server.port}/")
        assert server.requests[0].line == "POST /v1/models/black-forest-labs/flux-schnell/predictions HTTP/1.1"
        assert server.requests[0].json == {"input": {"prompt": "slow jazz", "output_format": "png", "go_fast": True}}

    @pytest.mark.parametrize(("seconds", "sent"), [(3600.0, "3600s"), (99.7, "99s"), (0.5, "5s"), (-3, "5s")])
    def test_is_called_off_when_the_jobs_time_is_up(self, server, submit, seconds, sent):
        server.says(201, CREATED)
        submit(ends_within=seconds)
        assert server.requests[0].headers["cancel-after"] == sent

    @pytest.mark.parametrize("status", [200, 201, 202])
    def test_is_taken_with_any_success(self, server, submit, status):
        server.says(status, CREATED)
        assert submit().ref == "gm3qorzdhgbfurvjtvhg6dckhu"

    def test_in_an_unknown_style_is_not_sent(self, server, submit):
        with pytest.raises(ProviderError) as caught:
            submit(style="toolkit")
        assert (caught.value.kind, caught.value.charged) == (FailureKind.NOT_SERVED, Charged.NO)
        assert "musicgen, diffusion, flux, svd, wan" in caught.value.message
        assert server.requests == []


class TestTheInput:
    def test_of_musicgen_is_in_whole_seconds_and_whole_guidance(self, input_for):
        parameters = {"genre": "jazz", "duration": 7.2, "guidance_scale": 3.0, "seed": 7}
        assert input_for("music", parameters=parameters) == {
            "prompt": "slow jazz",
            "model_version": "large",
            "output_format": "wav",
            "duration": 8,
            "classifier_free_guidance": 3,
            "seed": 7,
        }

    def test_of_stable_diffusion_is_ours_as_it_is(self, input_for):
        parameters = {
            "width": 1024,
            "height": 768,
            "num_inference_steps": 30,
            "guidance_scale": 7.5,
            "negative_prompt": "blur",
            "seed": 0,
        }
        assert input_for("image", parameters=parameters) == {"prompt": "slow jazz", **parameters}

    @pytest.mark.parametrize(
        ("size", "aspect", "megapixels"),
        [
            ((1024, 1024), "1:1", "1"),
            ((512, 512), "1:1", "0.25"),
            ((1280, 720), "16:9", "1"),
            ((720, 1280), "9:16", "1"),
            ((832, 1216), "2:3", "1"),
            ((4000, 100), "21:9", "0.25"),
        ],
    )
    def test_of_flux_has_the_nearest_proportions(self, input_for, size, aspect, megapixels):
        sent = input_for("flux", parameters={"width": size[0], "height": size[1]})
        assert (sent["aspect_ratio"], sent["megapixels"]) == (aspect, megapixels)

    def test_of_flux_with_a_seed_is_not_hurried(self, input_for):
        sent = input_for("flux", parameters={"seed": 7, "num_inference_steps": 4})
        assert (sent["seed"], sent["num_inference_steps"], sent["go_fast"]) == (7, 4, False)

    @pytest.mark.parametrize(("duration", "rate"), [(2, 12), (4, 6), (5, 5), (0.5, 30)])
    def test_of_stable_video_diffusion_is_as_long_as_its_rate_makes_it(self, input_for, duration, rate):
        sent = input_for("animation", parameters={"duration": duration, "num_inference_steps": 25})
        assert image_in(sent.pop("input_image")) == picture()
        assert sent == {"video_length": "25_frames_with_svd_xt", "frames_per_second": rate}

    @pytest.mark.parametrize(("duration", "frames", "rate"), [(2, 81, 30), (3, 81, 27), (4, 96, 24), (5, 120, 24)])
    def test_of_wan_is_as_long_as_its_frames_allow(self, input_for, duration, frames, rate):
        sent = input_for("film", parameters={"duration": duration, "width": 480, "height": 832})
        assert sent == {
            "prompt": "slow jazz",
            "num_frames": frames,
            "frames_per_second": rate,
            "aspect_ratio": "9:16",
        }

    def test_of_flux_dev_calls_guidance_by_its_own_name(self, input_for):
        assert input_for("flux", parameters={"guidance_scale": 3.5})["guidance"] == 3.5

    def test_with_a_large_image_names_its_address(self, input_for):
        url = "https://bucket.example/x?sig=1"
        assert input_for("animation", image=bytes(LARGEST_IMAGE + 1), image_url=url)["input_image"] == url

    def test_with_a_small_image_holds_it(self, input_for):
        sent = input_for("animation", image_url="https://bucket.example/x?sig=1")
        assert image_in(sent["input_image"]) == picture()

    @pytest.mark.parametrize("image_url", [None, "http://127.0.0.1:4566/x", "ftp://x"])
    def test_with_too_large_an_image_that_lies_nowhere_is_not_sent(self, input_for, image_url):
        with pytest.raises(ProviderError) as caught:
            input_for("animation", image=bytes(LARGEST_IMAGE + 1), image_url=image_url)
        assert (caught.value.kind, caught.value.charged) == (FailureKind.BAD_INPUT, Charged.NO)
        assert "256,001" in caught.value.message


class TestTheToken:
    def test_goes_to_a_stand_in_on_this_machine(self, server, submit):
        server.says(201, CREATED)
        submit()
        assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"

    def test_need_not_be_stored_for_a_stand_in(self, server, submit, tokens):
        tokens.clear()
        server.says(201, CREATED)
        submit()
        assert "authorization" not in server.requests[0].headers

    @pytest.mark.parametrize("url", ["https://api.replicate.com", "https://API.Replicate.com:443/"])
    def test_that_is_missing_is_said_before_anything_is_sent(self, submit, tokens, url):
        tokens.clear()
        with pytest.raises(ProviderError) as caught:
            submit(url=url)
        assert (caught.value.kind, caught.value.charged) == (FailureKind.NO_TOKEN, Charged.NO)
        assert caught.value.message.startswith("no token stored: ")

    @pytest.mark.parametrize("host", ["localhost", "api.replicate.com.localhost"])
    def test_is_not_even_read_for_anybody_else(self, server, tmp_path, host):
        def read(_: str) -> str:
            raise AssertionError("the token was read")

        server.reads = False  # it could not make sense of TLS
        provider = Replicate(read, forget_tokens=lambda: None)
        with pytest.raises(ProviderError):
            provider.submit(call("music", f"https://{host}:{server.port}", tmp_path, timeout=0.3))

    def test_is_struck_out_wherever_a_server_echoes_it(self, server, submit):
        server.says(400, f'{{"detail": "bad {TOKEN}"}}'.encode(), {"X-Request-Id": TOKEN})
        with pytest.raises(ProviderError) as caught:
            submit()
        assert not any(TOKEN in text for text in (caught.value.message, caught.value.request_id))


class TestACallback:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b'"gm3qorzdhgbfurvjtvhg6dckhu"',
            b"{}",
            b'{"id": null, "status": "succeeded"}',
            b'{"id": "short", "status": "succeeded"}',
            b'{"id": "../../../v1/account", "status": "succeeded"}',
            b'{"id": "gm3qorzdhgbfurvjtvhg6dckhu/cancel", "status": "succeeded"}',
            b'{"id": "gm3qorzdhgbfurvjtvhg6dckhu\\n", "status": "succeeded"}',
            b'{"id": "' + b"a" * 65 + b'", "status": "succeeded"}',
            b'{"id": "gm3qorzdhgbfurvjtvhg6dckhu", "status": "succeeded", "logs": "' + b"x" * 1_000_000 + b'"}',
            b"[" * 100_000,
            b"\xff\xfe",
        ],
    )
    def test_that_is_forged_or_too_large_names_no_prediction(self, body):
        assert Replicate({}.get, forget_tokens=lambda: None).reference_in(body) is None
