"""Hugging Face's contract: what is sent, and to whom a token goes."""

import base64

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.hugging_face.adapter import token_name

from tests.providers.payloads import OWN_TOKEN, SOUND, TOKEN, encoded, image_file, video_file

ROUTER = "https://router.huggingface.co/hf-inference/models/facebook/musicgen-small"


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
        [("image", image_file(), "image/png"), ("video", video_file(), "video/mp4")],
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
        body = self.sent(server, submit, "image", image_file(), parameters=parameters).json
        assert body == {"inputs": "slow jazz", "parameters": parameters}

    @pytest.mark.parametrize(("duration", "frames"), [(2, 49), (3, 73), (5, 121)])
    def test_for_video_asks_for_frames_at_the_models_rate(self, server, submit, duration, frames):
        parameters = {"duration": duration, "num_inference_steps": 30}
        body = self.sent(server, submit, "video", video_file(), parameters=parameters).json
        assert body == {
            "inputs": "slow jazz",
            "parameters": {"num_inference_steps": 30, "fps": 24, "num_frames": frames},
        }

    def test_with_an_image_has_the_image_for_inputs_and_the_prompt_as_parameter(self, server, submit):
        image = image_file("JPEG")
        body = self.sent(server, submit, "video", video_file(), image=image, parameters={"duration": 4}).json
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
        said = f"bad {OWN_TOKEN}, {TOKEN}, Bearer abc.def and {'x' * 250} {OWN_TOKEN}"
        server.says(400, encoded({"error": said}), {"X-Request-Id": OWN_TOKEN})
        error = failure()
        for text in (error.message, str(error), error.request_id):
            assert not any(secret in text for secret in (OWN_TOKEN, OWN_TOKEN[:12], TOKEN, "abc.def"))
