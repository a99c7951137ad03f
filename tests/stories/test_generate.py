"""A job is carried out: the file comes, or its caller learns what happened, what it cost and what to do next."""

from __future__ import annotations

import base64
import hashlib
import io
import time
import wave

import pytest
import requests
import time_machine
import wiring

from local.stand_ins.model import ModelServer
from tests.harness.product import Product

TRACK = {"prompt": "upbeat techno with heavy bass", "genre": "electronic", "duration": 2}
PICTURE = {"prompt": "a sunset over mountains", "model": "runwayml/stable-diffusion-v1-5", "width": 256, "height": 256}


def test_a_track_of_the_asked_length_comes_out(rendering_product: Product) -> None:
    """A WAV, described truthfully in the job."""
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


def test_a_finished_job_says_what_it_cost_and_under_which_license(product: Product) -> None:
    """One attempt, charged once; the weights' license travels with the file."""
    job = product.submit(TRACK)
    product.deliver()
    done = product.job(job["id"])
    assert (done["status"], done["served_by"], "wait" in done) == ("succeeded", "endpoint", False)
    assert done["cost"] == {"estimated_usd": 0.005, "possible_usd": 0.005, "charged_usd": 0.005}
    assert [(entry["outcome"], entry["charged"]) for entry in done["attempts"]] == [("succeeded", "yes")]
    assert "Non-commercial" in done["license"]["notice"]


def test_an_image_comes_out(rendering_product: Product) -> None:
    """A PNG of the asked size."""
    product = rendering_product
    job = product.submit(PICTURE)
    product.deliver()
    (output,) = product.job(job["id"])["outputs"]
    assert (output["content_type"], output["width"], output["height"]) == ("image/png", 256, 256)


def test_a_video_from_an_image_comes_out(product: Product, model_server: ModelServer) -> None:
    """The image goes from the bucket to the model."""
    image = requests.post(
        f"{model_server.url}/models/a/b", json={"inputs": "sea"}, headers={"Accept": "image/png"}, timeout=20
    ).content
    uri = "data:image/png;base64," + base64.b64encode(image).decode()
    job = product.submit({"model": "stable-video-diffusion", "image": uri})
    product.deliver()
    (output,) = product.job(job["id"])["outputs"]
    assert output["content_type"] == "video/mp4"


def test_the_stable_link_leads_to_a_fresh_url(product: Product) -> None:
    """303, each time with a new presigned URL; its file carries a name."""
    job = product.submit(TRACK)
    product.deliver()
    href = product.job(job["id"])["outputs"][0]["href"]
    answer = product.get(f"/{href}")
    assert answer.status == 303
    assert "X-Amz-Signature" in answer.headers["Location"]
    assert product.get(f"/jobs/{job['id']}/outputs/1").json["code"] == "output_not_found"


def test_genre_is_part_of_what_is_asked(product: Product, model_server: ModelServer) -> None:
    """MusicGen knows no genre field: the words go into its prompt."""
    product.submit(TRACK)
    product.deliver()
    (asked,) = model_server.requests
    assert asked.inputs == "electronic, upbeat techno with heavy bass"


def test_a_loading_model_lets_the_job_go_and_says_so(product: Product, model_server: ModelServer) -> None:
    """The generator does not wait: the job does, with the provider's own estimate."""
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


def test_uncharged_repeats_are_one_entry_in_the_ledger(product: Product, model_server: ModelServer) -> None:
    """A model that loads for long does not fill the ledger."""
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
    """429 with Retry-After: the reason and the time are the provider's."""
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
def test_a_refusal_ends_the_job_uncharged_with_advice(
    product: Product, model_server: ModelServer, fault: str, code: str
) -> None:
    """What repeating cannot mend is said at once."""
    model_server.fault(fault, times=None)
    job = product.submit(TRACK)
    while product.deliver():
        pass
    failed = product.job(job["id"])
    assert (failed["status"], failed["error"]["code"], failed["error"]["charged"]) == ("failed", code, "no")
    assert len(failed["error"]["message"]) > 20
    assert failed["cost"]["charged_usd"] == 0


def test_a_model_that_is_not_served_goes_by_the_next_route(product: Product, model_server: ModelServer) -> None:
    """Not served is nobody's charge: the next route is tried at once."""
    model_server.fault("gone", times=1)
    job = product.submit(TRACK)
    product.deliver()
    product.deliver()
    done = product.job(job["id"])
    assert (done["status"], done["served_by"]) == ("succeeded", "router")
    assert [entry["route"] for entry in done["attempts"]] == ["endpoint", "router"]


@pytest.mark.parametrize("fault", ["server_error", "gateway_timeout", "drop"])
def test_a_call_that_may_have_been_charged_is_repeated_as_often_as_the_caller_allows(
    product: Product, model_server: ModelServer, fault: str
) -> None:
    """max_charges 1 means one call that may cost money, and the answer says it may have."""
    model_server.fault(fault, times=None)
    careful, usual = product.submit({**TRACK, "max_charges": 1}), product.submit(TRACK)
    _deliver_for(product, seconds=120)
    assert [len(product.job(job["id"])["attempts"]) for job in (careful, usual)] == [1, 2]
    failed = product.job(careful["id"])
    assert (failed["status"], failed["error"]["charged"]) == ("failed", "unknown")
    assert failed["cost"] == {"estimated_usd": 0.005, "possible_usd": 0.005, "charged_usd": 0}


def test_two_deliveries_of_one_message_make_one_call(product: Product, model_server: ModelServer) -> None:
    """SQS delivers at least once; the provider is called once."""
    product.submit(TRACK)
    body = product.messages()[0]["Body"]
    product.hand_over(body)
    product.hand_over(body)
    assert (len(model_server.requests), model_server.generations) == (1, 1)


def test_an_unreadable_message_is_raised_back_to_the_queue(product: Product) -> None:
    """After three such deliveries SQS puts it into the dead-letter queue."""
    with pytest.raises(Exception, match="not a Longplay message"):
        product.hand_over("{}")


def test_a_message_of_a_future_version_is_raised_back(product: Product) -> None:
    """A rollback must not misread what a newer deployment has sent."""
    with pytest.raises(Exception, match="version 2"):
        product.hand_over('{"version": 2, "job": "x", "route": "endpoint"}')


def test_a_waiting_job_is_canceled_for_nothing(product: Product, model_server: ModelServer) -> None:
    """Its message finds nothing to do."""
    job = product.submit(TRACK)
    answer = product.post(f"/jobs/{job['id']}/cancel")
    product.deliver()
    assert (answer.status, answer.json["status"], answer.json["cost"]["possible_usd"]) == (200, "canceled", 0)
    assert model_server.requests == []


def test_a_finished_job_stays_as_it_is_when_canceled(product: Product) -> None:
    """Canceling too late is no error."""
    job = product.submit(TRACK)
    product.deliver()
    assert product.post(f"/jobs/{job['id']}/cancel").json["status"] == "succeeded"


def test_an_overdue_job_is_failed_by_the_sweeper(product: Product, model_server: ModelServer) -> None:
    """No job outlives its deadline, and the answer says what it was waiting for."""
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


def test_a_lost_message_is_sent_again_by_the_sweeper(product: Product) -> None:
    """A crash between the item and its message strands nothing."""
    job = product.submit(TRACK)
    product.aws.sqs.purge_queue(QueueUrl=product.aws.environment["CALLS_QUEUE_URL"])
    with time_machine.travel(_now() + 90, tick=False):
        product.sweep()
        product.deliver()
        assert product.job(job["id"])["status"] == "succeeded"


def test_an_expired_job_is_gone(product: Product) -> None:
    """410 from its expiry on, whenever the table gets round to deleting it."""
    job = product.submit(TRACK)
    with time_machine.travel(_now() + 8 * 86_400, tick=False):
        assert product.get(f"/jobs/{job['id']}").status == 410


def test_without_a_stored_token_hugging_face_is_not_called(
    product: Product, monkeypatch: pytest.MonkeyPatch, model_server: ModelServer
) -> None:
    """An absent token is said to be absent; it is never a 401."""
    monkeypatch.setenv("SETTINGS", "{}")
    wiring.dependencies.cache_clear()
    job = product.submit(TRACK)
    product.deliver()
    failed = product.job(job["id"])
    assert failed["error"]["code"] == "no_token"
    assert failed["error"]["message"].startswith("no token stored: ")


def _deliver_for(product: Product, *, seconds: int) -> None:
    with time_machine.travel(_now(), tick=False) as clock:
        for _ in range(seconds // 10):
            product.deliver()
            clock.shift(10)


def _now() -> float:
    return time.time()
