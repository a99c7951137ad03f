"""What is fal's own: where a request is made and asked for, what each model is sent, and how a request may end."""

import json

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.fal.queue import Progress, request_path, result_path
from longplay.providers.protocol import Done, PollError

from tests.providers.fal_calls import CALLBACK, TOKEN, WAN, call
from tests.providers.own_apis.steps import facts, failure, settle
from tests.providers.own_apis.table import FAL, FAL_ID
from tests.providers.replicate_calls import image_file, image_in

SERVER = f"https://{FAL.host}"


@pytest.fixture
def own():
    return FAL


@pytest.fixture
def base(server):
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def video(tmp_path):
    return lambda **fields: call("video", SERVER, tmp_path, **fields)


def queued(**named):
    return json.dumps({"request_id": FAL_ID, "status": "IN_QUEUE", **named}).encode()


class TestARequest:
    def test_is_asked_for_at_the_address_fal_named(self, provider, stand_in, asked):
        ref = provider.submit(asked).ref
        assert ref == f"fal-ai/stable-audio/requests/{stand_in.queue[0].id}"

    def test_tells_fal_when_it_need_not_begin_any_more(self, provider, stand_in, order):
        provider.submit(order("music", ends_within=99.7))
        provider.submit(order("music", ends_within=0.4))
        assert [request.deadline for request in stand_in.queue] == ["99", "2"]

    def test_to_an_app_that_is_not_there_is_not_served(self, provider, order):
        error = failure(provider, order("music", model="fal-ai/riffusion"))
        assert facts(error) == (FailureKind.NOT_SERVED, Charged.NO)

    def test_to_a_path_the_app_has_not_is_not_served(self, provider, order):
        error = failure(provider, order("flux", model="fal-ai/flux/turbo"))
        assert facts(error) == (FailureKind.NOT_SERVED, Charged.NO)
        assert "Path /turbo not found" in error.message

    def test_with_an_unsafe_image_was_held_back(self, provider, stand_in, order):
        stand_in.fault("nsfw")
        error = failure(provider, order("flux"))
        assert facts(error) == (FailureKind.MODERATED, Charged.YES)
        assert stand_in.generations == 1

    def test_is_asked_for_at_its_own_server_whatever_it_names(self, provider, stand_in, asked):
        stand_in.fault("misdirected")
        ref = provider.submit(asked).ref
        assert ref == stand_in.queue[0].id
        assert isinstance(settle(provider, ref, asked), Done)

    def test_outlives_a_status_of_the_wrong_types(self, provider, stand_in, asked):
        ref = provider.submit(asked).ref
        stand_in.fault("wrong_types", at="poll")
        with pytest.raises(PollError):
            provider.poll(ref, asked)
        assert isinstance(settle(provider, ref, asked), Done)

    def test_refused_with_another_accounts_token_says_nothing_of_it(self, server, submit, tokens):
        tokens["fal"] = "another"
        server.says(400, f'{{"detail": "bad {TOKEN}"}}'.encode())
        with pytest.raises(ProviderError) as caught:
            submit()
        assert TOKEN not in caught.value.message


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
        submit("video", url=f"{base}/")
        assert server.requests[0].line == f"POST /{WAN} HTTP/1.1"


class TestTheReference:
    def test_is_the_address_at_the_server_that_was_called(self, server, submit, base):
        server.says(200, queued(status_url=f"{base}/fal-ai/stable-audio/requests/{FAL_ID}/status"))
        assert submit().ref == f"fal-ai/stable-audio/requests/{FAL_ID}"

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
        named = status_url.format(base=base, id=FAL_ID) if isinstance(status_url, str) else status_url
        server.says(200, queued(status_url=named))
        assert submit().ref == FAL_ID

    @pytest.mark.parametrize(
        ("model", "app"),
        [
            ("fal-ai/fast-sdxl", "fal-ai/fast-sdxl"),
            ("fal-ai/flux/dev", "fal-ai/flux"),
            (WAN, "fal-ai/wan"),
            ("workflows/longplay/jazz/fast", "workflows/longplay/jazz"),
        ],
    )
    def test_that_is_an_id_lies_under_owner_and_app(self, video, model, app):
        assert request_path(FAL_ID, video(model=model)) == f"/{app}/requests/{FAL_ID}"

    def test_that_is_an_address_is_used_as_it_is(self, video):
        assert request_path(f"other/app/requests/{FAL_ID}", video()) == f"/other/app/requests/{FAL_ID}"

    @pytest.mark.parametrize("tail", ["", "/response"])
    def test_has_its_result_where_fal_says(self, video, tail):
        named = f"{SERVER}/fal-ai/wan/requests/{FAL_ID}{tail}"
        assert result_path(Progress(status="COMPLETED", response_url=named), FAL_ID, video()) == named.removeprefix(
            SERVER
        )

    @pytest.mark.parametrize(
        "named", [None, 7, f"https://elsewhere.invalid/requests/{FAL_ID}", f"{SERVER}/a/b/requests/other-id"]
    )
    def test_has_its_result_where_it_lies_itself_otherwise(self, video, named):
        progress = Progress(status="COMPLETED", response_url=named)
        assert result_path(progress, FAL_ID, video()) == f"/fal-ai/wan/requests/{FAL_ID}"


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
        sent = input_for("video", parameters={"duration": duration})
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
        sent = input_for("video", parameters={"width": size[0], "height": size[1]})
        assert (sent["aspect_ratio"], sent["resolution"]) == (aspect, resolution)

    def test_of_wan_stays_within_its_bounds(self, input_for):
        sent = input_for("video", parameters={"num_inference_steps": 1, "guidance_scale": 20})
        assert (sent["num_inference_steps"], sent["guidance_scale"]) == (2, 10)

    @pytest.mark.parametrize(("duration", "rate"), [(1, 25), (2, 12), (5, 10)])
    def test_of_stable_video_diffusion_is_ten_frames_a_second_at_the_slowest(self, input_for, duration, rate):
        sent = input_for("animation", parameters={"duration": duration, "num_inference_steps": 25, "seed": 1})
        assert image_in(sent.pop("image_url")) == image_file()
        assert sent == {"fps": rate, "seed": 1}

    def test_with_an_image_names_its_address_where_fal_can_fetch_it(self, input_for):
        assert input_for("animation", image_url="https://bucket.example/x?sig=1")["image_url"].startswith("https://")

    def test_with_an_image_that_lies_on_this_machine_holds_it(self, input_for):
        assert input_for("animation", image_url="http://127.0.0.1:4566/x")["image_url"].startswith("data:image/png;")
