"""A GPU of one's own: queued once, looked for, found, paid once."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from local.stand_ins.sagemaker import SageMakerServer
from tests.harness.aws import BUCKET
from tests.harness.product import Product
from tests.stories.actions import run
from tests.stories.sagemaker.helpers import PICTURE, TRACK


@pytest.mark.parametrize(("body", "content_type"), [(TRACK, "audio/wav"), (PICTURE, "image/png")])
def test_a_result_is_found_by_looking_and_paid_once(
    product: Product,
    sagemaker: SageMakerServer,
    clock: time_machine.Traveller,
    body: dict[str, Any],
    content_type: str,
) -> None:
    """No notice came: the safety net finds it."""
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


def test_what_the_endpoint_ignores_is_said(product: Product) -> None:
    """Its pipeline takes no seed, so none is sent."""
    assert product.submit(PICTURE)["not_honored"] == {"seed": "ignored"}


def test_a_refusal_of_a_full_account_waits_and_costs_nothing(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller
) -> None:
    """Queued at the second try."""
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


def test_a_canceled_job_keeps_what_its_endpoint_made_all_the_same(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller
) -> None:
    """SageMaker takes nothing back: the result is paid, kept and listed."""
    job = product.submit(TRACK)
    product.deliver()
    assert product.post(f"/jobs/{job['id']}/cancel").json["status"] == "canceled"
    sagemaker.finish(sagemaker.invocations[0].inference_id)
    run(product, clock, 120)
    done = product.job(job["id"])
    assert (done["status"], len(done["outputs"])) == ("canceled", 1)
    assert [attempt["charged"] for attempt in done["attempts"]] == ["yes"]


def test_deleting_a_job_erases_the_request_it_left_for_its_endpoint(
    product: Product, sagemaker: SageMakerServer, clock: time_machine.Traveller
) -> None:
    """The prompt is in it."""
    job = product.submit(TRACK)
    product.deliver()
    [queued] = sagemaker.invocations
    sagemaker.finish(queued.inference_id)
    run(product, clock, 90)
    assert product.delete(f"/jobs/{job['id']}").status == 204
    left = product.aws.s3.list_objects_v2(Bucket=BUCKET, Prefix="inputs/").get("Contents", [])
    assert left == []
