"""Anything may happen to a deployment whose provider holds the line: what Longplay promises holds after each step."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from local.stand_ins.model import ModelServer
from tests.kill.parts import holding_the_line
from tests.properties.machine import Deployment, hold

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


class HoldingTheLine(Deployment):
    """A provider that answers with the result, or fails while everybody waits."""

    deployments = DEPLOYMENTS

    @rule(fault=st.sampled_from(FAULTS), times=st.integers(1, 3), retry_after=st.sampled_from([0, 2, 20]))
    def fail_at_the_provider(self, fault: str, times: int, retry_after: int) -> None:
        details = {"retry_after": retry_after} if fault == "throttled" else {}
        self.world.server.fault(fault, times=times, **details)


@pytest.mark.parametrize("seed", range(4))
def test_longplay_keeps_its_promises(model_server: ModelServer, haste: None, seed: int) -> None:
    """Whatever comes together; the seeds are so many runs that can go side by side."""
    hold(HoldingTheLine, holding_the_line(model_server), seed=seed, examples=EXAMPLES, steps=STEPS)
