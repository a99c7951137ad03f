"""A notice of SageMaker causes an earlier poll and brings a lost reference; its other content is not trusted."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import time_machine

from local.stand_ins.sagemaker import SageMakerServer
from local.stand_ins.sagemaker.invocations import event_of
from tests.harness.aws import BUCKET
from tests.harness.product import Product
from tests.stories.actions import kill_after_submit, run, sweep_for
from tests.stories.sagemaker.helpers import MUSIC_ENDPOINT, TRACK, item, notify


def test_a_notice_brings_the_result_sooner(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller
) -> None:
    """The result comes within seconds, before the next planned poll, and is paid once."""
    job = product.submit(TRACK)
    product.deliver()
    [queued] = sagemaker.invocations
    sagemaker.finish(queued.inference_id)
    clock.shift(6)
    notify(sagemaker.callback(queued.inference_id))
    product.deliver()
    assert (product.job(job["id"])["status"], sagemaker.generations) == ("succeeded", 1)


def test_a_notice_after_a_crash_brings_the_result_without_a_second_charge(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the worker died before it stored the place of the result, the notice brings it."""
    job = product.submit(TRACK)
    kill_after_submit(product, monkeypatch)
    [queued] = sagemaker.invocations
    sagemaker.finish(queued.inference_id)
    clock.shift(20)
    notify(sagemaker.callback(queued.inference_id))
    clock.shift(400)
    sweep_for(product, clock, 15)
    done = product.job(job["id"])
    assert (done["status"], sagemaker.generations, len(done["attempts"])) == ("succeeded", 1, 1)


def test_a_notice_of_a_failure_after_a_crash_fails_the_job(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job fails for the reason that the endpoint gave, and its charge stays unknown."""
    sagemaker.fault("bad_input")
    job = product.submit(TRACK)
    kill_after_submit(product, monkeypatch)
    [queued] = sagemaker.invocations
    sagemaker.finish(queued.inference_id)
    notify(sagemaker.callback(queued.inference_id))
    clock.shift(400)
    sweep_for(product, clock, 15)
    done = product.job(job["id"])
    # a reference that came in a notice does not prove what this attempt cost
    assert (done["status"], done["error"]["code"], done["error"]["charged"]) == ("failed", "bad_input", "unknown")


def test_a_call_whose_worker_died_is_repeated_after_the_callback_grace(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a notice, the call is repeated after three times its usual duration; the first charge stays unknown."""
    job = product.submit(TRACK)
    kill_after_submit(product, monkeypatch)
    clock.shift(3 * 420 - 10)
    product.sweep()
    product.deliver()
    assert len(sagemaker.invocations) == 1
    sweep_for(product, clock, 5)
    sagemaker.finish(sagemaker.invocations[-1].inference_id)
    sweep_for(product, clock, 5)
    done = product.job(job["id"])
    assert (done["status"], len(sagemaker.invocations)) == ("succeeded", 2)
    assert [attempt["charged"] for attempt in done["attempts"]] == ["unknown", "yes"]


def test_a_notice_that_comes_twice_and_late_changes_nothing(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller
) -> None:
    """Two notices after the end of the job send no message and add no attempt."""
    job = product.submit(TRACK)
    product.deliver()
    [queued] = sagemaker.invocations
    sagemaker.finish(queued.inference_id)
    run(product, clock, 90)
    done = product.job(job["id"])
    for _ in range(2):
        notify(sagemaker.callback(queued.inference_id))
        assert product.deliver() == 0
    assert product.job(job["id"])["attempts"] == done["attempts"]


def test_many_notices_poll_at_most_every_five_seconds(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller
) -> None:
    """Twenty notices in twenty seconds cause at most five polls."""
    job = product.submit(TRACK)
    product.deliver()
    [queued] = sagemaker.invocations
    queued.status = "Completed"
    polls = set()
    for _ in range(20):
        notify(queued.event())
        product.deliver()
        polls.add(item(product, job["id"]).get("polled_at", {}).get("N"))
        clock.shift(1)
    assert 1 < len(polls - {None}) <= 5


@pytest.mark.parametrize(
    "message",
    [
        "",
        "not JSON",
        "[]",
        '{"inferenceId": "nosuchjob-1"}',
        '{"inferenceId": "../../etc/passwd-1"}',
        '{"inferenceId": ""}',
        json.dumps({"inferenceId": "x" * 10_000}),
    ],
)
def test_a_malformed_notice_changes_nothing(product: Product, sagemaker: SageMakerServer, message: str) -> None:
    """A notice that names no attempt of a known job sends no message."""
    product.submit(TRACK)
    product.deliver()
    notify(event_of(message))
    assert product.deliver() == 0


def test_a_notice_about_the_earlier_job_of_a_key_brings_nothing(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller
) -> None:
    """The key was used again after its job had expired: the notice belongs to the old job, also at the same attempt."""
    old = product.submit(TRACK, Idempotency_Key="same")
    product.deliver()
    [theirs] = sagemaker.invocations
    sagemaker.finish(theirs.inference_id)
    clock.shift(9 * 86_400)
    new = product.submit({**TRACK, "prompt": "waves"}, Idempotency_Key="same")
    product.deliver()
    clock.shift(6)
    notify(sagemaker.callback(theirs.inference_id))
    assert (old["id"], product.deliver()) == (new["id"], 0)


def test_a_forged_notice_cannot_name_the_result_of_another_job(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place that does not belong to the attempt is not stored, even if the attempt has no reference yet."""
    product.submit(TRACK)
    product.deliver()
    [theirs] = sagemaker.invocations
    sagemaker.finish(theirs.inference_id)
    mine = product.submit({**TRACK, "prompt": "waves"})
    kill_after_submit(product, monkeypatch)
    message = json.loads(sagemaker.callback(theirs.inference_id)["Records"][0]["Sns"]["Message"])
    notify(event_of(json.dumps({**message, "inferenceId": sagemaker.invocations[-1].inference_id})))
    clock.shift(400)
    product.sweep()
    product.deliver()
    assert product.job(mine["id"])["status"] == "running"


def test_a_notice_of_an_earlier_attempt_brings_no_reference(
    product: Product,
    sagemaker: SageMakerServer,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """If two workers died in turn, the notice of the first call is not the reference of the second one, and logged."""
    job = product.submit(TRACK)
    kill_after_submit(product, monkeypatch)
    first = sagemaker.invocations[0]
    clock.shift(3 * 420 + 10)
    product.sweep()
    kill_after_submit(product, monkeypatch)
    sagemaker.finish(first.inference_id)
    notify(sagemaker.callback(first.inference_id))
    assert "ref" not in item(product, job["id"])
    assert getattr(caplog.records[-1], "outcome", "") == "too late"


def test_a_notice_about_a_job_at_another_provider_changes_nothing(
    product_with: Callable[..., Product],
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A notice from SageMaker brings no reference to a job at another provider; the log says that it is unknown."""
    product = product_with()
    job = product.submit(TRACK)
    kill_after_submit(product, monkeypatch)
    attempt = f"{job['id']}-1"
    location = f"s3://{BUCKET}/gpu/{MUSIC_ENDPOINT}/{attempt}/0.out"
    message = {"inferenceId": attempt, "responseParameters": {"outputLocation": location}}
    notify(event_of(json.dumps(message)))
    assert "ref" not in item(product, job["id"])
    assert vars(caplog.records[-1])["outcome"] == "unknown"
