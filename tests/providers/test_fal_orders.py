"""What passes between us and fal: each model's own parameters, addresses, the token, and what a callback may say."""

import json

import pytest
from longplay.errors import Charged, FailureKind, ProviderError
from longplay.providers.fal.adapter import Fal
from longplay.providers.fal.inputs import input_of
from longplay.providers.fal.queue import Progress, request_path, result_path

from tests.providers.conftest import Tokens
from tests.providers.fal_calls import CALLBACK, TOKEN, WAN, call
from tests.providers.replicate_calls import image_in, picture

ID = "019bcd9e-1111-4222-8333-444455556666"
FAL = "https://queue.fal.run"


@pytest.fixture
def tokens():
    return Tokens(fal=TOKEN)


@pytest.fixture
def base(server):
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def submit(base, tokens, tmp_path):
    def make(name="music", url=base, **fields):
        provider = Fal(tokens.get, forget_tokens=tokens.forget)
        return provider.submit(call(name, url, tmp_path, **fields))

    return make


@pytest.fixture
def input_for(tmp_path):
    return lambda name, **fields: input_of(call(name, FAL, tmp_path, **fields))


@pytest.fixture
def asked(tmp_path):
    return lambda **fields: call("film", FAL, tmp_path, **fields)


def queued(**named):
    return json.dumps({"request_id": ID, "status": "IN_QUEUE", **named}).encode()


class TestTheOrder:
    def test_goes_to_the_endpoint_with_the_callback_in_its_query(self, server, submit):
        server.says(200, queued())
        submit(callback_url=CALLBACK)
        assert server.requests[0].line == (
            "POST /fal-ai/stable-audio?fal_webhook="
            "https%3A%2F%2Fapi.example.com%2Fprod%2Fcallbacks%2Ffal%2Fj1%2F1%3Ft%3Dsecret HTTP/1.1"
        )
        assert server.requests[0].json == {"prompt": "slow jazz", "seconds_total": 1}

    def test_has_its_whole_path(self, server, submit, base):
        server.says(200, queued())
        submit("film", url=f"{base}/")
        assert server.requests[0].line == f"POST /{WAN} HTTP/1.1"

    @pytest.mark.parametrize("status", [200, 201, 202])
    def test_is_taken_with_any_success(self, server, submit, status):
        server.says(status, queued())
        assert submit().ref == ID

    def test_in_an_unknown_style_is_not_sent(self, server, submit):
        with pytest.raises(ProviderError) as caught:
            submit(style="toolkit")
        assert (caught.value.kind, caught.value.charged) == (FailureKind.NOT_SERVED, Charged.NO)
        assert "flux, sdxl, stable-audio, stable-audio-2.5, wan, svd" in caught.value.message
        assert server.requests == []


class TestTheReference:
    def test_is_the_address_at_the_server_that_was_called(self, server, submit, base):
        server.says(200, queued(status_url=f"{base}/fal-ai/stable-audio/requests/{ID}/status"))
        assert submit().ref == f"fal-ai/stable-audio/requests/{ID}"

    @pytest.mark.parametrize(
        "status_url",
        [
            None,
            7,
            ["x"],
            "",
            "/fal-ai/flux/requests/{id}/status",
            "fal-ai/flux/requests/{id}/status",
            "https://queue.elsewhere.invalid/fal-ai/flux/requests/{id}/status",
            "{base}.elsewhere.invalid/fal-ai/flux/requests/{id}/status",
            "{base}@elsewhere.invalid/fal-ai/flux/requests/{id}/status",
            "{base}/../fal-ai/flux/requests/{id}/status",
            "{base}/fal-ai/../requests/{id}/status",
            "{base}/fal-ai/flux/requests/{id}/status?x=1",
            "{base}/fal-ai/flux/requests/{id}#/status",
            "{base}//fal-ai/flux/requests/{id}/status",
            "{base}/fal-ai/flux/requests/another-request/status",
            "{base}/a/b/c/d/e/requests/{id}/status",
        ],
    )
    def test_is_the_id_alone_where_the_address_is_not_its_own(self, server, submit, base, status_url):
        named = status_url.format(base=base, id=ID) if isinstance(status_url, str) else status_url
        server.says(200, queued(status_url=named))
        assert submit().ref == ID

    @pytest.mark.parametrize(
        ("model", "app"),
        [
            ("fal-ai/fast-sdxl", "fal-ai/fast-sdxl"),
            ("fal-ai/flux/dev", "fal-ai/flux"),
            (WAN, "fal-ai/wan"),
            ("workflows/longplay/jazz/fast", "workflows/longplay/jazz"),
        ],
    )
    def test_that_is_an_id_lies_under_owner_and_app(self, asked, model, app):
        assert request_path(ID, asked(model=model)) == f"/{app}/requests/{ID}"

    def test_that_is_an_address_is_used_as_it_is(self, asked):
        assert request_path(f"other/app/requests/{ID}", asked()) == f"/other/app/requests/{ID}"

    @pytest.mark.parametrize("tail", ["", "/response"])
    def test_has_its_result_where_fal_says(self, asked, tail):
        named = f"{FAL}/fal-ai/wan/requests/{ID}{tail}"
        assert result_path(Progress(status="COMPLETED", response_url=named), ID, asked()) == named.removeprefix(FAL)

    @pytest.mark.parametrize(
        "named", [None, 7, f"https://elsewhere.invalid/requests/{ID}", f"{FAL}/a/b/requests/other-id"]
    )
    def test_has_its_result_where_it_lies_itself_otherwise(self, asked, named):
        progress = Progress(status="COMPLETED", response_url=named)
        assert result_path(progress, ID, asked()) == f"/fal-ai/wan/requests/{ID}"


class TestTheInput:
    def test_of_flux_has_its_size_in_one_and_no_negative_prompt(self, input_for):
        parameters = {"width": 1024, "height": 768, "num_inference_steps": 4, "seed": 7, "negative_prompt": "blur"}
        assert input_for("flux", parameters=parameters) == {
            "prompt": "slow jazz",
            "output_format": "png",
            "num_inference_steps": 4,
            "seed": 7,
            "image_size": {"width": 1024, "height": 768},
        }

    def test_of_flux_without_a_size_leaves_it_to_fal(self, input_for):
        assert input_for("dev") == {"prompt": "slow jazz", "output_format": "png", "guidance_scale": 3.5}

    def test_of_stable_diffusion_xl_takes_the_nearest_number_of_steps(self, input_for):
        parameters = {"num_inference_steps": 100, "guidance_scale": 7.5, "negative_prompt": "blur", "seed": 0}
        assert input_for("image", parameters=parameters) == {
            "prompt": "slow jazz",
            "format": "png",
            "num_inference_steps": 50,
            "guidance_scale": 7.5,
            "negative_prompt": "blur",
            "seed": 0,
        }

    def test_of_stable_audio_is_in_whole_seconds(self, input_for):
        sent = input_for("music", parameters={"duration": 7.2, "num_inference_steps": 50, "genre": "jazz"})
        assert sent == {"prompt": "slow jazz", "seconds_total": 8, "steps": 50}

    def test_of_stable_audio_25_takes_guidance_and_a_seed(self, input_for):
        parameters = {"duration": 30, "num_inference_steps": 8, "guidance_scale": 1.5, "seed": 3}
        assert input_for("newer", parameters=parameters) == {
            "prompt": "slow jazz",
            "seconds_total": 30,
            "num_inference_steps": 8,
            "guidance_scale": 1.5,
            "seed": 3,
        }

    @pytest.mark.parametrize(("duration", "frames", "rate"), [(0.5, 17, 34), (2, 48, 24), (5, 120, 24), (10, 161, 16)])
    def test_of_wan_is_as_long_as_its_frames_allow(self, input_for, duration, frames, rate):
        sent = input_for("film", parameters={"duration": duration})
        assert sent == {"prompt": "slow jazz", "num_frames": frames, "frames_per_second": rate}

    @pytest.mark.parametrize(
        ("size", "aspect", "resolution"),
        [
            ((832, 480), "16:9", "580p"),
            ((1280, 720), "16:9", "720p"),
            ((480, 832), "9:16", "580p"),
            ((1024, 1024), "1:1", "720p"),
        ],
    )
    def test_of_wan_has_the_nearest_shape(self, input_for, size, aspect, resolution):
        sent = input_for("film", parameters={"width": size[0], "height": size[1]})
        assert (sent["aspect_ratio"], sent["resolution"]) == (aspect, resolution)

    def test_of_wan_stays_within_its_bounds(self, input_for):
        sent = input_for("film", parameters={"num_inference_steps": 1, "guidance_scale": 20})
        assert (sent["num_inference_steps"], sent["guidance_scale"]) == (2, 10)

    @pytest.mark.parametrize(("duration", "rate"), [(1, 25), (2, 12), (5, 10)])
    def test_of_stable_video_diffusion_is_ten_frames_a_second_at_the_slowest(self, input_for, duration, rate):
        sent = input_for("animation", parameters={"duration": duration, "num_inference_steps": 25, "seed": 1})
        assert image_in(sent.pop("image_url")) == picture()
        assert sent == {"fps": rate, "seed": 1}

    def test_with_an_image_names_its_address_where_fal_can_fetch_it(self, input_for):
        assert input_for("animation", image_url="https://bucket.example/x?sig=1")["image_url"].startswith("https://")

    def test_with_an_image_that_lies_on_this_machine_holds_it(self, input_for):
        assert input_for("animation", image_url="http://127.0.0.1:4566/x")["image_url"].startswith("data:image/png;")


class TestTheToken:
    def test_goes_to_a_stand_in_on_this_machine(self, server, submit):
        server.says(200, queued())
        submit()
        assert server.requests[0].headers["authorization"] == f"Key {TOKEN}"

    def test_need_not_be_stored_for_a_stand_in(self, server, submit, tokens):
        tokens.clear()
        server.says(200, queued())
        submit()
        assert "authorization" not in server.requests[0].headers

    @pytest.mark.parametrize("url", ["https://queue.fal.run", "https://QUEUE.fal.run:443/"])
    def test_that_is_missing_is_said_before_anything_is_sent(self, submit, tokens, url):
        tokens.clear()
        with pytest.raises(ProviderError) as caught:
            submit(url=url)
        assert (caught.value.kind, caught.value.charged) == (FailureKind.NO_TOKEN, Charged.NO)
        assert caught.value.message.startswith("no token stored: ")

    @pytest.mark.parametrize("host", ["localhost", "queue.fal.run.localhost"])
    def test_is_not_even_read_for_anybody_else(self, server, tmp_path, host):
        def read(_: str) -> str:
            raise AssertionError("the token was read")

        server.reads = False  # it could not make sense of TLS
        provider = Fal(read, forget_tokens=lambda: None)
        with pytest.raises(ProviderError):
            provider.submit(call("music", f"https://{host}:{server.port}", tmp_path, timeout=0.3))

    def test_is_struck_out_wherever_a_server_echoes_it(self, server, submit):
        server.says(400, f'{{"detail": "bad {TOKEN}"}}'.encode(), {"X-Fal-Request-Id": TOKEN})
        with pytest.raises(ProviderError) as caught:
            submit()
        assert not any(TOKEN in text for text in (caught.value.message, caught.value.request_id))

    def test_of_another_account_is_struck_out_too(self, server, submit, tokens):
        tokens["fal"] = "another"
        server.says(400, f'{{"detail": "bad {TOKEN}"}}'.encode())
        with pytest.raises(ProviderError) as caught:
            submit()
        assert TOKEN not in caught.value.message


class TestACallback:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b'"019bcd9e-1111-4222-8333-444455556666"',
            b"{}",
            b'{"request_id": null}',
            b'{"request_id": "short"}',
            b'{"request_id": "../../../account"}',
            b'{"request_id": "019bcd9e-1111-4222-8333-444455556666/cancel"}',
            b'{"request_id": "019bcd9e-1111-4222-8333-444455556666\\n"}',
            '{"request_id": "０１９bcd9e-1111-4222"}'.encode(),
            b'{"request_id": "' + b"a" * 65 + b'"}',
            b'{"request_id": "019bcd9e-1111", "payload": "' + b"x" * 1_000_000 + b'"}',
            b"[" * 100_000,
            b"\xff\xfe",
        ],
    )
    def test_that_is_forged_or_too_large_names_no_request(self, body):
        assert Fal({}.get, forget_tokens=lambda: None).reference_in(body) is None
