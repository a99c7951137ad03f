"""A job ends with a file, or with an error that says what happened, what it cost and what to do next."""

from __future__ import annotations

import base64
import hashlib
import io
import time
import wave
from collections.abc import Callable

import pytest
import requests
import time_machine
import wiring

from local.stand_ins.model import ModelServer
from tests.harness.product import Product

TRACK = {"prompt": "upbeat techno with heavy bass", "genre": "electronic", "duration": 2}
IMAGE = {"prompt": "a sunset over mountains", "model": "runwayml/stable-diffusion-v1-5", "width": 256, "height": 256}


def test_a_track_has_the_requested_length(rendering_product: Product) -> None:
    """The output is a WAV of the requested duration, and the job gives its type, size, hash and duration."""
    product = rendering_product
    job = product.submit(TRACK)
    product.deliver()
    done = product.job(job["id"])
    data = product.file(done)
    with wave.open(io.BytesIO(data)) as track:
        assert track.getnframes() / track.getframerate() == pytest.approx(2, abs=0.01)
    (output,) = done["outputs"]
    assert (output["content_type"], output["bytes"]) == ("audio/wav", len(data))
    assert output["sha256"] == hashlib.sha256(data).hexdigest()
    assert output["duration_seconds"] == pytest.approx(2, abs=0.01)


def test_a_finished_job_shows_its_cost_and_its_license(product: Product) -> None:
    """The job shows one attempt with one charge, and the license of the model's weights."""
    job = product.submit(TRACK)
    product.deliver()
    done = product.job(job["id"])
    assert (done["status"], done["served_by"], "wait" in done) == ("succeeded", "endpoint", False)
    assert done["urls"] == {"self": f"jobs/{job['id']}"}
    assert done["cost"] == {"estimated_usd": 0.005, "possible_usd": 0.005, "charged_usd": 0.005, "unknown_usd": 0}
    assert [(entry["outcome"], entry["charged"]) for entry in done["attempts"]] == [("succeeded", "yes")]
    assert "Non-commercial" in done["license"]["notice"]


def test_an_image_has_the_requested_size(rendering_product: Product) -> None:
    """The output is a PNG of the requested width and height."""
    product = rendering_product
    job = product.submit(IMAGE)
    product.deliver()
    (output,) = product.job(job["id"])["outputs"]
    assert (output["content_type"], output["width"], output["height"]) == ("image/png", 256, 256)


def test_a_video_is_made_from_an_image(product: Product, model_server: ModelServer) -> None:
    """The image is stored in the bucket and sent to the model, and the output is an MP4."""
    image = requests.post(
        f"{model_server.url}/models/a/b", json={"inputs": "sea"}, headers={"Accept": "image/png"}, timeout=20
    ).content
    uri = "data:image/png;base64," + base64.b64encode(image).decode()
    job = product.submit({"model": "stable-video-diffusion", "image": uri})
    product.deliver()
    (output,) = product.job(job["id"])["outputs"]
    assert output["content_type"] == "video/mp4"


def test_the_link_of_an_output_redirects_to_a_presigned_url(product: Product) -> None:
    """The link answers 303 with a presigned URL, and an output that does not exist is not found."""
    job = product.submit(TRACK)
    product.deliver()
    href = product.job(job["id"])["outputs"][0]["href"]
    answer = product.get(f"/{href}")
    assert answer.status == 303
    assert "X-Amz-Signature" in answer.headers["Location"]
    assert product.get(f"/jobs/{job['id']}/outputs/1").json["code"] == "output_not_found"


def test_a_page_gets_the_presigned_url_as_json(product: Product) -> None:
    """A browser cannot follow the redirect: it would send the API key to S3. No cache keeps the answer."""
    job = product.submit(TRACK)
    product.deliver()
    answer = product.get(f"/jobs/{job['id']}/outputs/0", Accept="application/json")
    assert (answer.status, answer.json.keys()) == (200, {"url", "url_expires_at"})
    assert "X-Amz-Signature" in answer.json["url"]
    assert answer.headers["Cache-Control"] == product.get(f"/jobs/{job['id']}").headers["Cache-Control"] == "no-store"


def test_the_genre_is_added_to_the_prompt(product: Product, model_server: ModelServer) -> None:
    """MusicGen has no field for the genre, so the genre goes into its prompt."""
    product.submit(TRACK)
    product.deliver()
    (request,) = model_server.requests
    assert request.inputs == "electronic, upbeat techno with heavy bass"


def test_a_job_waits_while_its_model_loads(product: Product, model_server: ModelServer) -> None:
    """The job is queued again for as long as the provider estimates, and the generator does not wait."""
    model_server.fault("loading", seconds=None, times=1)
    job = product.submit(TRACK)
    with time_machine.travel(_now(), tick=False) as clock:
        product.deliver()
        waiting = product.job(job["id"])
        assert (waiting["status"], waiting["wait"]["reason"]) == ("queued", "model_loading")
        assert waiting["wait"]["eta_seconds"] == pytest.approx(40, abs=1)
        assert product.deliver() == 0
        clock.shift(21)
        assert product.deliver() == 1
    done = product.job(job["id"])
    assert done["status"] == "succeeded"
    assert [(entry["outcome"], entry["charged"]) for entry in done["attempts"]] == [
        ("loading", "no"),
        ("succeeded", "yes"),
    ]


def test_repeated_uncharged_attempts_are_one_entry_in_the_ledger(product: Product, model_server: ModelServer) -> None:
    """Five attempts while a model loads are one entry with five tries."""
    model_server.fault("loading", times=5)
    job = product.submit(TRACK)
    with time_machine.travel(_now(), tick=False) as clock:
        for _ in range(6):
            product.deliver()
            clock.shift(125)
    done = product.job(job["id"])
    assert [(entry["outcome"], entry.get("tries")) for entry in done["attempts"]] == [("loading", 5), ("succeeded", 1)]
    assert model_server.generations == 1


def test_a_throttled_job_waits_as_long_as_the_provider_asks(product: Product, model_server: ModelServer) -> None:
    """After a 429 with Retry-After, the job waits for that time and names the provider's quota as the reason."""
    model_server.fault("throttled", retry_after=120, times=1)
    job = product.submit(TRACK)
    product.deliver()
    waiting = product.job(job["id"])
    assert waiting["wait"]["reason"] == "provider_quota"
    assert waiting["wait"]["eta_seconds"] == pytest.approx(140, abs=2)


FINAL_FAILURES = {
    "invalid": "bad_input",
    "gone": "not_served",
    "not_supported": "not_served",
    "unknown_model": "not_served",
}


@pytest.mark.parametrize(("fault", "code"), FINAL_FAILURES.items())
def test_a_final_refusal_fails_the_job_without_a_charge(
    product: Product, model_server: ModelServer, fault: str, code: str
) -> None:
    """A failure that a repeated call cannot fix fails the job with a message, at no charge."""
    model_server.fault(fault, times=None)
    job = product.submit(TRACK)
    while product.deliver():
        pass
    failed = product.job(job["id"])
    assert (failed["status"], failed["error"]["code"], failed["error"]["charged"]) == ("failed", code, "no")
    assert len(failed["error"]["message"]) > 20
    assert failed["cost"]["charged_usd"] == 0


def test_a_job_whose_model_is_not_served_takes_the_next_route(
    product_with: Callable[..., Product], model_server: ModelServer
) -> None:
    """A route that does not serve the model charges nothing, and the next route is called at once."""
    url = f"{model_server.url}/models/{{model}}"
    product = product_with(servers={"musicgen-small": url, "router": url})
    model_server.fault("gone", times=1)
    job = product.submit(TRACK)
    product.deliver()
    product.deliver()
    done = product.job(job["id"])
    assert (done["status"], done["served_by"]) == ("succeeded", "router")
    assert [entry["route"] for entry in done["attempts"]] == ["endpoint", "router"]


@pytest.mark.parametrize("fault", ["server_error", "gateway_timeout", "drop"])
def test_calls_that_may_be_charged_are_limited_by_max_charges(
    product: Product, model_server: ModelServer, fault: str
) -> None:
    """With `max_charges` 1 there is one such call, and the error says that its charge is unknown."""
    model_server.fault(fault, times=None)
    careful, usual = product.submit({**TRACK, "max_charges": 1}), product.submit(TRACK)
    _deliver_for(product, seconds=120)
    assert [len(product.job(job["id"])["attempts"]) for job in (careful, usual)] == [1, 2]
    failed = product.job(careful["id"])
    assert (failed["status"], failed["error"]["charged"]) == ("failed", "unknown")
    assert failed["cost"] == {"estimated_usd": 0.005, "possible_usd": 0.005, "charged_usd": 0, "unknown_usd": 0.005}


def test_two_deliveries_of_one_message_make_one_call(product: Product, model_server: ModelServer) -> None:
    """SQS may deliver a message twice; the provider is still called once."""
    product.submit(TRACK)
    body = product.messages()[0]["Body"]
    product.hand_over(body)
    product.hand_over(body)
    assert (len(model_server.requests), model_server.generations) == (1, 1)


def test_an_unreadable_message_raises_an_error(product: Product) -> None:
    """The error returns the message to SQS, which puts it into the dead-letter queue after three deliveries."""
    with pytest.raises(Exception, match="not a Longplay message"):
        product.hand_over("{}")


def test_a_message_of_a_newer_version_raises_an_error(product: Product) -> None:
    """After a rollback, a message of the newer deployment is returned to SQS."""
    with pytest.raises(Exception, match="version 2"):
        product.hand_over('{"version": 2, "job": "x", "route": "endpoint"}')


def test_a_waiting_job_is_canceled_at_no_charge(product: Product, model_server: ModelServer) -> None:
    """The message of a canceled job makes no call."""
    job = product.submit(TRACK)
    answer = product.post(f"/jobs/{job['id']}/cancel")
    product.deliver()
    assert (answer.status, answer.json["status"], answer.json["cost"]["possible_usd"]) == (200, "canceled", 0)
    assert model_server.requests == []


def test_canceling_a_finished_job_changes_nothing(product: Product) -> None:
    """A cancel after the end answers with the job, which stays `succeeded`."""
    job = product.submit(TRACK)
    product.deliver()
    assert product.post(f"/jobs/{job['id']}/cancel").json["status"] == "succeeded"


def test_the_sweeper_fails_an_overdue_job(product: Product, model_server: ModelServer) -> None:
    """A job past its deadline fails as `deadline_passed`, and the error says why it waited."""
    model_server.fault("loading", times=None)
    job = product.submit({**TRACK, "deadline_seconds": 60})
    with time_machine.travel(_now(), tick=False) as clock:
        product.deliver()
        clock.shift(130)
        product.sweep()
        failed = product.job(job["id"])
    assert (failed["status"], failed["error"]["code"], failed["error"]["charged"]) == (
        "failed",
        "deadline_passed",
        "no",
    )
    assert "load" in failed["error"]["message"]
    assert failed["error"]["retryable"] is True


def test_the_sweeper_sends_a_lost_message_again(product: Product) -> None:
    """A job whose message was lost gets a new message from the sweeper, and succeeds."""
    job = product.submit(TRACK)
    product.aws.sqs.purge_queue(QueueUrl=product.aws.environment["CALLS_QUEUE_URL"])
    with time_machine.travel(_now() + 90, tick=False):
        product.sweep()
        product.deliver()
        assert product.job(job["id"])["status"] == "succeeded"


def test_an_expired_job_is_gone(product: Product) -> None:
    """An expired job gets 410, even if DynamoDB has not deleted its item yet."""
    job = product.submit(TRACK)
    with time_machine.travel(_now() + 8 * 86_400, tick=False):
        assert product.get(f"/jobs/{job['id']}").status == 410


def test_hugging_face_is_not_called_without_a_token(
    product: Product, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a stored token the job fails as `no_token`, and no call is made that would get a 401."""
    monkeypatch.setenv("SETTINGS", "{}")
    wiring.dependencies.cache_clear()
    job = product.submit({**TRACK, "model": "musicgen-small"})
    product.deliver()
    failed = product.job(job["id"])
    assert failed["error"]["code"] == "no_token"
    assert failed["error"]["message"].startswith("The provider refuses this deployment's access. It cost nothing. ")
    assert "no token stored: " in caplog.text


def _deliver_for(product: Product, *, seconds: int) -> None:
    with time_machine.travel(_now(), tick=False) as clock:
        for _ in range(seconds // 10):
            product.deliver()
            clock.shift(10)


def _now() -> float:
    return time.time()
