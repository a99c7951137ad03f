"""Lives of a job in which processes die, replies are lost and AWS answers with errors, at random and all mixed.

Each invocation comes to one of several containers with their own memory.

`SEED=7 LIVES=1 pytest tests/kill/test_mixed_faults.py -k replicate` plays the life of one seed again.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from local.stand_ins.model import ModelServer
from tests.harness.haste import with_room
from tests.harness.providers import (
    FAL,
    HF_FAL_AI,
    REPLICATE,
    SAGEMAKER,
    Provider,
    RunningProvider,
    model_server_provider,
)
from tests.kill.aws_errors import answers_of
from tests.kill.containers import SeveralContainers
from tests.kill.fault_injection import Scenario, run_scenario
from tests.kill.injector import AwsAnswer, Fault, FaultInjector, FaultPoint
from tests.kill.provider_scenarios import caps_pacing_and_cache
from tests.kill.simulation import Simulation
from tests.stories.webhooks.receiver import Receiver, running_receiver

BATCH = ("one", "two")
FIRST, LIVES = int(os.environ.get("SEED", "0")), int(os.environ.get("LIVES", "12"))
MOST, ONE_IN = 4, 6  # faults in a life, and how many calls there are for each


class RandomFaults(FaultInjector):
    """Injects up to `MOST` faults at random calls; the same for equal seeds."""

    def __init__(self, seed: int) -> None:
        super().__init__(FaultPoint(0, Fault.KILL_BEFORE))  # no call has this number
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._left = MOST

    def _fault(self, operation: str) -> Fault | AwsAnswer | None:
        super()._fault(operation)
        if not self._is_recording or self._left == 0 or self._random.randrange(ONE_IN):
            return None
        self._left -= 1
        of_aws = self.calls[-1].of_aws and not self.calls[-1].of_provider
        chosen: Fault | AwsAnswer = self._random.choice([*Fault, *(answers_of(operation) if of_aws else ())])
        return chosen


def a_job(sim: Simulation) -> None:
    sim.submit("job", dict(sim.provider.request))


def a_batch_with_webhooks(receiver: Receiver) -> Callable[[Simulation], None]:
    """Two lines, of which one may be open; the end of each job is told."""

    def steps(sim: Simulation) -> None:
        receiver.received.clear()
        sim.send_batch(BATCH, webhook=receiver.url)
        sim.settle()
        jobs = [item for item in sim.items() if item["pk"].startswith("job#")]
        told = {each.headers["webhook-id"] for each in receiver.received}
        untold = {f"{job['id']}.{job['status']}" for job in jobs} - told
        assert not untold, f"not told: {untold}"

    return steps


def _violations(
    running: RunningProvider,
    server: str,
    steps: Callable[[Simulation], None] = a_job,
    names: Sequence[str] = ("job",),
    **settings: Any,
) -> list[str]:
    scenario = Scenario(
        steps=steps,
        ends=dict.fromkeys(names, "succeeded | failed"),
        may_lack=MOST,
        seats_may_stay=True,
        settings={**caps_pacing_and_cache(server), **settings},
    )
    return [
        f"seed {seed}: {violation}"
        for seed in range(FIRST, FIRST + LIVES)
        for violation in with_room(lambda: _life(scenario, running, seed))  # noqa: B023
    ]


def _life(scenario: Scenario, running: RunningProvider, seed: int) -> list[str]:
    """The guarantees that a life broke, with random faults, and with each invocation in one of several containers."""
    try:
        run = run_scenario(scenario, running, injector=RandomFaults(seed), containers=SeveralContainers(seed))
    except AssertionError as failed:
        return [str(failed)]
    return run.violations


@pytest.mark.parametrize("provider", [REPLICATE, FAL, HF_FAL_AI, SAGEMAKER], ids=lambda provider: provider.name)
def test_mixed_faults_break_no_guarantee(provider: Provider, haste: None) -> None:
    """Each life ends by its deadline with a ledger that agrees with the provider's count, and leaves nothing behind."""
    with provider.running(polls=1) as running:
        assert _violations(running, provider.server) == []


def test_mixed_faults_break_no_guarantee_on_an_open_connection(model_server: ModelServer, haste: None) -> None:
    """The same with a server that keeps the connection open."""
    assert _violations(model_server_provider(model_server), "*") == []


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything."""
    with running_receiver() as running:
        yield running


def test_mixed_faults_break_no_guarantee_of_a_batch(model_server: ModelServer, receiver: Receiver, haste: None) -> None:
    """Each line becomes one job, and the end of each is told to its webhook."""
    caps = {"owner_caps": {"usd": 5, "open_jobs": 1}, "cache": "off", "private_webhooks": True}
    steps = a_batch_with_webhooks(receiver)
    assert _violations(model_server_provider(model_server), "*", steps, BATCH, **caps) == []
