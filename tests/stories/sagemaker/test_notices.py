"""A notice is a hint: it brings the answer sooner, heals what a crash left, and is believed in nothing else."""

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
from tests.stories.sagemaker.helpers import MUSIC, TRACK, item, notify


def test_a_notice_brings_the_result_sooner(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller
) -> None:
    """Within seconds rather than at the next look, and still paid once."""
    job = product.submit(TRACK)
    product.deliver()
    [queued] = sagemaker.invocations
    sagemaker.finish(queued.inference_id)
    clock.shift(6)
    notify(sagemaker.callback(queued.inference_id))
    product.deliver()
    assert (product.job(job["id"])["status"], sagemaker.generations) == ("succeeded", 1)


def test_a_notice_after_the_worker_died_heals_the_job_without_a_second_charge(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notice names the place that was never stored."""
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


def test_a_notice_of_a_failure_heals_the_job_too(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job learns why, and that it has cost nothing."""
    sagemaker.fault("bad_input")
    job = product.submit(TRACK)
    kill_after_submit(product, monkeypatch)
    [queued] = sagemaker.invocations
    sagemaker.finish(queued.inference_id)
    notify(sagemaker.callback(queued.inference_id))
    clock.shift(400)
    sweep_for(product, clock, 15)
    done = product.job(job["id"])
    # a reference that was told is not proof of what this attempt cost
    assert (done["status"], done["error"]["code"], done["error"]["charged"]) == ("failed", "bad_input", "unknown")


def test_without_a_notice_the_call_is_repeated_when_it_is_past_hope(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times as long as it usually takes; the ledger says what that may have cost."""
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
    """The job has its result; nobody looks again."""
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


def test_notices_in_a_row_are_followed_at_most_every_five_seconds(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller
) -> None:
    """However often one is published."""
    job = product.submit(TRACK)
    product.deliver()
    [queued] = sagemaker.invocations
    queued.status = "Completed"
    looks = set()
    for _ in range(20):
        notify(queued.event())
        product.deliver()
        looks.add(item(product, job["id"]).get("polled_at", {}).get("N"))
        clock.shift(1)
    assert 1 < len(looks - {None}) <= 5


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
def test_a_notice_of_nothing_changes_nothing(product: Product, sagemaker: SageMakerServer, message: str) -> None:
    """It is logged and forgotten."""
    product.submit(TRACK)
    product.deliver()
    notify(event_of(message))
    assert product.deliver() == 0


def test_a_forged_notice_cannot_name_anothers_result(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place that is not the attempt's own is no reference, even where none is stored yet."""
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


def test_a_notice_of_an_earlier_attempt_is_no_reference_of_the_next(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second worker died as the first did; only its own notice can tell where its answer lies."""
    job = product.submit(TRACK)
    kill_after_submit(product, monkeypatch)
    first = sagemaker.invocations[0]
    clock.shift(3 * 420 + 10)
    product.sweep()
    kill_after_submit(product, monkeypatch)
    sagemaker.finish(first.inference_id)
    notify(sagemaker.callback(first.inference_id))
    assert "ref" not in item(product, job["id"])


def test_a_notice_about_a_job_at_another_provider_changes_nothing(
    product_with: Callable[..., Product], clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No place in SageMaker's bucket is an answer of anybody else's."""
    product = product_with()
    job = product.submit(TRACK)
    kill_after_submit(product, monkeypatch)
    attempt = f"{job['id']}-1"
    location = f"s3://{BUCKET}/gpu/{MUSIC}/{attempt}/0.out"
    message = {"inferenceId": attempt, "responseParameters": {"outputLocation": location}}
    notify(event_of(json.dumps(message)))
    assert "ref" not in item(product, job["id"])
