"""How the stand-in's requests go, and what it would have billed for them."""

import pytest
import requests

from local.stand_ins.fal import FalServer

FLUX = "/fal-ai/flux/schnell"


@pytest.fixture
def server():
    with FalServer(quick=True, polls=2) as server:
        yield server


def ask(method, url, body=None):
    return requests.request(method, url, json=body, timeout=20, allow_redirects=False)


def make(server, path=FLUX, **given):
    return ask("POST", server.url + path, {"prompt": "a calm sea", **given})


def poll(request):
    return ask("GET", request["status_url"])


def end(server, request):
    server.finish(request["request_id"])
    return ask("GET", request["response_url"])


def test_a_request_is_over_after_as_many_polls(server):
    request = make(server).json()
    polled = [poll(request) for _ in range(4)]
    assert [request["status"], *(answer.json()["status"] for answer in polled)] == [
        "IN_QUEUE",
        "IN_PROGRESS",
        "IN_PROGRESS",
        "COMPLETED",
        "COMPLETED",
    ]
    assert [answer.status_code for answer in polled] == [202, 202, 200, 200]


def test_a_request_takes_as_many_seconds(server):
    server.polls, server.seconds = 0, 60
    request = make(server).json()
    assert poll(request).json()["status"] == "IN_PROGRESS"
    server.queue[0].created_at -= 60
    assert poll(request).json()["status"] == "COMPLETED"


def test_a_request_lies_under_its_app_not_its_endpoint(server):
    request = make(server).json()
    assert request["response_url"] == f"{server.url}/fal-ai/flux/requests/{request['request_id']}"
    assert ask("GET", request["status_url"].replace("/fal-ai/flux/", "/fal-ai/wan/")).json() == {"status": "NOT_FOUND"}


def test_a_result_is_there_once_it_is_completed(server):
    request = make(server).json()
    assert ask("GET", request["response_url"]).status_code == 400
    assert end(server, request).json()["images"][0]["content_type"] == "image/png"


@pytest.mark.parametrize(
    ("fate", "status", "billed"),
    [("failed", 500, 0), ("not_started", 504, 0), ("refused_prompt", 422, 1), ("nsfw", 200, 1), ("erased", 404, 1)],
)
def test_a_request_is_billed_unless_the_fault_is_fals(server, fate, status, billed):
    server.fault(fate)
    assert end(server, make(server).json()).status_code == status
    assert server.generations == billed


@pytest.mark.parametrize(("polls", "billed"), [(0, 0), (1, 1)])
def test_a_canceled_request_is_billed_once_it_has_begun(server, polls, billed):
    request = make(server).json()
    for _ in range(polls):
        poll(request)
    assert ask("PUT", request["cancel_url"]).status_code == 202
    assert (poll(request).json()["error_type"], server.generations) == ("client_cancelled", billed)


def test_an_answer_may_be_lost_after_the_request_was_made(server):
    server.fault("drop")
    with pytest.raises(requests.ConnectionError):
        make(server)
    assert (len(server.queue), server.generations) == (1, 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"num_inference_steps": 13}, "Must be between 1 and 12"),
        ({"num_inference_steps": 4.5}, "Expected: int, given: float"),
        ({"output_format": "webp"}, "Must be one of"),
        ({"width": 512}, "unknown"),
        ({"prompt": None}, "Expected: str"),
    ],
)
def test_an_input_is_checked_by_the_model_not_by_the_queue(server, given, said):
    answer = make(server, **given)
    refused = end(server, answer.json())
    assert (answer.status_code, refused.status_code, refused.headers["x-fal-retryable"]) == (200, 422, "false")
    assert said in refused.json()["detail"][0]["msg"]


def test_an_app_is_looked_for_at_once_and_a_path_by_the_app(server):
    assert make(server, "/fal-ai/riffusion").status_code == 404
    answer = make(server, "/fal-ai/flux/turbo")
    assert (answer.status_code, end(server, answer.json()).json()) == (200, {"detail": "Path /turbo not found"})


def test_an_input_image_is_fetched_from_this_machine_alone(server):
    made = make(server).json()
    image = end(server, made).json()["images"][0]["url"]
    near = ask("POST", f"{server.url}/fal-ai/stable-video", {"image_url": image}).json()
    assert end(server, near).json()["video"]["content_type"] == "video/mp4"
    far = ask("POST", f"{server.url}/fal-ai/stable-video", {"image_url": "https://elsewhere.invalid/x.png"}).json()
    assert "Could not download" in end(server, far).text


def test_a_callback_holds_the_result_or_what_went_wrong(server):
    server.fault("refused_prompt", prompt="stormy")
    for prompt in ("calm", "stormy"):
        make(server, f"{FLUX}?fal_webhook=https://example.com/callback?t=secret", prompt=prompt)
    calm, stormy = (server.callback(request.id) for request in server.queue)
    assert calm.url == "https://example.com/callback?t=secret"
    assert len(bytes.fromhex(calm.headers["X-Fal-Webhook-Signature"])) == 64
    assert b'"status": "OK", "payload": {"images"' in calm.body
    assert b'"status": "ERROR", "error": "Invalid status code: 422"' in stormy.body


def test_a_rule_holds_for_the_prompts_it_names_and_as_often_as_it_says(server):
    server.fault("exhausted", prompt="stormy", times=2)
    statuses = [make(server, prompt=prompt).status_code for prompt in ("calm", "stormy", "stormy", "stormy")]
    assert statuses == [200, 403, 403, 200]


def test_everything_is_forgotten_on_request(server):
    make(server)
    server.fault("exhausted")
    server.clear()
    assert (server.requests, server.queue, server.generations) == ([], [], 0)
    assert make(server).status_code == 200


def test_an_unknown_fault_is_an_error(server):
    with pytest.raises(ValueError, match="no fault is called"):
        server.fault("gremlins")
