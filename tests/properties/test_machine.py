"""The guarantees with a provider that keeps the connection open, for any order of events."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from local.stand_ins.model import ModelServer
from tests.harness.providers import model_server_provider
from tests.properties.machine import DeploymentMachine, run_machine

FAULTS = ("server_error", "throttled", "loading", "drop", "gone", "unauthorized")
EXAMPLES, STEPS = 12, 25
DEPLOYMENTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "capped": {
        "owner_caps": {"usd": 0.06, "jobs": 8, "open_jobs": 4},
        "deployment_caps": {"usd": 0.1, "jobs": 12, "open_jobs": 6},
    },
    "paced": {"limits": {"*": {"windows": [[1, 3], [4, 60]], "max_concurrent": 2}}, "horizon": None},
    "paced and capped, shared": {
        "limits": {"*": {"windows": [[2, 20]]}},
        "cache": "deployment",
        "owner_caps": {"usd": 0.05},
    },
}


class OpenConnectionMachine(DeploymentMachine):
    """A provider that answers with the result, or fails, on the open connection."""

    deployments = DEPLOYMENTS

    @rule(fault=st.sampled_from(FAULTS), times=st.integers(1, 3), retry_after=st.sampled_from([0, 2, 20]))
    def fail_at_the_provider(self, fault: str, times: int, retry_after: int) -> None:
        """The next calls to the provider fail."""
        details = {"retry_after": retry_after} if fault == "throttled" else {}
        self.world.server.fault(fault, times=times, **details)


@pytest.mark.parametrize("seed", range(4))
def test_guarantees_hold_after_every_step(model_server: ModelServer, haste: None, seed: int) -> None:
    """Any order of events keeps the guarantees; the seeds can run side by side."""
    run_machine(OpenConnectionMachine, model_server_provider(model_server), seed=seed, examples=EXAMPLES, steps=STEPS)
