"""A webhook is told of every end at least once, and it is in the log, with any death or failure in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from local.stand_ins.model import ModelServer
from tests.harness.providers import model_server_provider
from tests.kill.fault_injection import Scenario
from tests.kill.fault_points import fault_points
from tests.kill.simulation import Simulation
from tests.kill.test_aws_errors import some_answers
from tests.stories.webhooks.receiver import Receiver, running_receiver

SETTINGS = {"cache": "off", "private_webhooks": True}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything."""
    with running_receiver() as running:
        yield running


@pytest.mark.parametrize("points", [fault_points, some_answers])
def test_a_webhook_is_told_whatever_fails(
    model_server: ModelServer, survives_with: Callable[..., None], receiver: Receiver, points: Callable[..., None]
) -> None:
    """Every function is killed at each of its calls; then every call is answered with errors of AWS."""

    def a_job_with_a_webhook(sim: Simulation) -> None:
        receiver.received.clear()
        job = sim.submit("job", {**sim.provider.request, "webhook": receiver.url})
        sim.settle()
        assert f"{job}.succeeded" in [told.headers["webhook-id"] for told in receiver.received]
        [hook] = [item for item in sim.items() if item["pk"].startswith("hook#")]
        assert hook["deliveries"][-1]["status"] == 204
        [item] = [item for item in sim.items() if item["pk"] == f"job#{job}"]
        assert item["webhook_heard"]

    scenario = Scenario(steps=a_job_with_a_webhook, ends={"job": "succeeded"}, settings=SETTINGS)
    survives_with(scenario, model_server_provider(model_server), points)
