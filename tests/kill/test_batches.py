"""A batch makes one job of each line, with any death or failure in between, and none after its cancellation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.stand_ins.model import ModelServer
from tests.harness.providers import model_server_provider
from tests.kill.fault_injection import Scenario
from tests.kill.fault_points import fault_points
from tests.kill.simulation import Simulation
from tests.kill.test_aws_errors import some_answers

PACED = {
    "cache": "off",
    "limits": {"*": {"windows": [[1, 10]]}},
    "start_tolerance": 1,
    "owner_caps": {"usd": 5, "open_jobs": 1},
}
LINES = ("one", "two")


def a_batch(sim: Simulation) -> None:
    """Two lines where one job may be open: the second waits. The jobs themselves are not disturbed."""
    batch = sim.send_batch(LINES)
    sim.deliver_batch()
    with sim.without_faults():
        sim.deliver_jobs()
    sim.deliver_batch()
    with sim.without_faults():
        sim.settle()
    [item] = [item for item in sim.items() if item["pk"] == f"batch#{batch}"]
    assert (item["let_in"], item["refused"], "due_at" in item) == (2, 0, False)
    jobs = [item for item in sim.items() if item["pk"].startswith("job#")]
    assert sorted(job["custom_id"] for job in jobs) == sorted(LINES)
    # those of a request that was cut off are left to the bucket's lifecycle rule
    stored = f"batches/{batch}-{item['incarnation']}/lines/"
    assert [key for key in sim.objects() if key.startswith(stored)] == []


def a_canceled_batch(sim: Simulation) -> None:
    """Canceled while its first line is a job and its second one waits."""
    with sim.without_faults():
        batch = sim.send_batch(LINES)
        sim.deliver_batch()
    sim.cancel_batch(batch)
    sim.deliver_batch()
    with sim.without_faults():
        sim.settle()
    assert len([item for item in sim.items() if item["pk"].startswith("job#")]) == 1


@pytest.mark.parametrize("points", [fault_points, some_answers])
def test_every_line_becomes_one_job(
    model_server: ModelServer, survives_with: Callable[..., None], points: Callable[..., None]
) -> None:
    """Every function is killed at each of its calls; then every call is answered with errors of AWS."""
    ends = dict.fromkeys(LINES, "succeeded")
    survives_with(Scenario(steps=a_batch, ends=ends, settings=PACED), model_server_provider(model_server), points)


@pytest.mark.parametrize("points", [fault_points, some_answers])
def test_a_canceled_batch_makes_no_more_jobs(
    model_server: ModelServer, survives_with: Callable[..., None], points: Callable[..., None]
) -> None:
    """Its jobs are canceled. Where that fails at first, a worker can be faster."""
    ends = {"one": "canceled | succeeded", "two": "never created"}
    scenario = Scenario(steps=a_canceled_batch, ends=ends, settings=PACED)
    survives_with(scenario, model_server_provider(model_server), points)
