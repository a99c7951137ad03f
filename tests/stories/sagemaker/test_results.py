"""Results of SageMaker endpoints: each call is queued once, its result is found by polling, and it is paid once."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from local.stand_ins.sagemaker import SageMakerServer
from tests.harness.aws import BUCKET
from tests.harness.product import Product
from tests.stories.actions import run
from tests.stories.sagemaker.helpers import IMAGE, TRACK


@pytest.mark.parametrize(("body", "content_type"), [(TRACK, "audio/wav"), (IMAGE, "image/png")])
def test_a_result_is_found_by_polling_and_paid_once(
    product: Product,
    sagemaker: SageMakerServer,
    clock: time_machine.Traveller,
    body: dict[str, Any],
    content_type: str,
) -> None:
    """Without a notice, a poll finds the result, and it is charged once."""
    job = product.submit(body)
    product.deliver()
    running = product.job(job["id"])
    assert (running["status"], running["wait"]["reason"]) == ("running", "provider_working")
    sagemaker.finish(sagemaker.invocations[0].inference_id)
    run(product, clock, 90)
    done = product.job(job["id"])
    assert (done["status"], done["served_by"], sagemaker.generations) == ("succeeded", "gpu", 1)
    assert done["outputs"][0]["content_type"] == content_type
    assert [(attempt["outcome"], attempt["charged"]) for attempt in done["attempts"]] == [("succeeded", "yes")]


def test_a_job_names_the_parameters_that_its_endpoint_ignores(product: Product) -> None:
    """The endpoint's pipeline takes no seed, so the job reports it as ignored."""
    assert product.submit(IMAGE)["not_honored"] == {"seed": "ignored"}


def test_a_throttled_call_waits_and_costs_nothing(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller
) -> None:
    """The call is accepted at the second attempt, and only that one is charged."""
    sagemaker.fault("throttled")
    job = product.submit(TRACK)
    run(product, clock, 30)
    sagemaker.finish(sagemaker.invocations[0].inference_id)
    run(product, clock, 90)
    done = product.job(job["id"])
    assert [(attempt["outcome"], attempt["charged"]) for attempt in done["attempts"]] == [
        ("throttled", "no"),
        ("succeeded", "yes"),
    ]


def test_a_canceled_job_keeps_the_result_of_its_endpoint(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller
) -> None:
    """SageMaker cannot cancel an invocation, so the result is paid, kept and listed."""
    job = product.submit(TRACK)
    product.deliver()
    assert product.post(f"/jobs/{job['id']}/cancel").json["status"] == "canceled"
    sagemaker.finish(sagemaker.invocations[0].inference_id)
    run(product, clock, 120)
    done = product.job(job["id"])
    assert (done["status"], len(done["outputs"])) == ("canceled", 1)
    assert [attempt["charged"] for attempt in done["attempts"]] == ["yes"]


def test_deleting_a_job_erases_the_request_to_its_endpoint(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller
) -> None:
    """The request file holds the prompt, so it is deleted with the job."""
    job = product.submit(TRACK)
    product.deliver()
    [queued] = sagemaker.invocations
    sagemaker.finish(queued.inference_id)
    run(product, clock, 90)
    assert product.delete(f"/jobs/{job['id']}").status == 204
    left = product.aws.s3.list_objects_v2(Bucket=BUCKET, Prefix="inputs/").get("Contents", [])
    assert left == []
