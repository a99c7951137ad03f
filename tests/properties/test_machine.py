"""Anything may happen to a deployment, in any order and at once: what Longplay promises holds after each step."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from local.model_server import ModelServer
from tests.kill import audit
from tests.kill.edge import Moment
from tests.product import Answer, Product
from tests.properties import promises
from tests.properties.windows import crowded
from tests.properties.world import World

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
KEYS = {owner: f"lp_{owner}_0123456789abcdef" for owner in ("alice", "bob")}
FAULTS = ("server_error", "throttled", "loading", "drop", "gone", "unauthorized")
WAITS = st.sampled_from([0.5, 1.0, 3.0, 11.0, 31.0, 70.0, 400.0])
MOMENTS = st.sampled_from(list(Moment))
EXAMPLES, STEPS = 12, 25
# Budgets, windows and deadlines are held to more after each step; starts that were made before the line was pushed
# look as if they were still to come.
ELSEWHERE = (
    "_budgets_are_settled",
    "_no_window_was_exceeded",
    "_every_job_ends_by_its_deadline",
    "_no_slot_is_left_reserved",
)
AT_REST = [check for check in audit.CHECKS if check.__name__ not in ELSEWHERE]
JUMP = 2  # in a race: not a turn of either runner, but time that passes

Runner = Callable[[], object]


class Deployment(RuleBasedStateMachine):
    """Callers, workers, the sweeper, the provider, and death."""

    server: ModelServer

    @initialize(name=st.sampled_from(sorted(DEPLOYMENTS)))
    def deploy(self, name: str) -> None:
        self.world = World(self.server, **DEPLOYMENTS[name])
        self.ends: dict[str, str] = {}
        self.odd_clock = False

    # --- callers ---

    @rule(
        owner=st.sampled_from(sorted(KEYS)),
        prompt=st.sampled_from(["sea", "wood", "rain"]),
        key=st.sampled_from([None, None, "one", "two"]),
        fresh=st.booleans(),
        max_charges=st.integers(1, 3),
        deadline=st.sampled_from([30, 120, 1_200]),
    )
    def submit(self, owner: str, prompt: str, key: str | None, fresh: bool, max_charges: int, deadline: int) -> None:
        body = {"prompt": prompt, "fresh": fresh, "max_charges": max_charges, "deadline_seconds": deadline}
        headers = {"Idempotency_Key": key} if key else {}
        answer = self.world.ask(lambda product: product.post("/generate", body, key=KEYS[owner], **headers))
        assert answer is None or answer.status in (200, 202, 422, 429), answer.body

    @rule(n=st.integers(0, 9))
    def cancel(self, n: int) -> None:
        self._expect(self._of_a_job(n, _cancel), 200, 410)

    @rule(n=st.integers(0, 9))
    def retry(self, n: int) -> None:
        self._expect(self._of_a_job(n, _retry), 200, 202, 409, 410, 429)

    @rule(n=st.integers(0, 9))
    def delete(self, n: int) -> None:
        self._expect(self._of_a_job(n, _delete), 204, 409)

    # --- the queue, the schedule, the provider and the clock ---

    @rule()
    def deliver(self) -> None:
        self.world.deliver()

    @rule(n=st.integers(0, 9))
    def deliver_again(self, n: int) -> None:
        for body in self.world.bodies()[n : n + 1]:
            self.world.hand_over(body)

    @rule()
    def lose_the_messages(self) -> None:
        self.world.lose_messages()

    @rule()
    def sweep(self) -> None:
        if self.world.sweep():
            self._everything_overdue_has_ended()

    @rule(fault=st.sampled_from(FAULTS), times=st.integers(1, 3), retry_after=st.sampled_from([0, 2, 20]))
    def fail_at_the_provider(self, fault: str, times: int, retry_after: int) -> None:
        details = {"retry_after": retry_after} if fault == "throttled" else {}
        self.world.server.fault(fault, times=times, **details)

    @rule(seconds=WAITS)
    def wait(self, seconds: float) -> None:
        self.world.clock.shift(seconds)

    @rule(seconds=st.sampled_from([0.4, 2.0]))
    def set_the_clock_back(self, seconds: float) -> None:
        self.world.clock.shift(-seconds)
        self.odd_clock = True

    # --- death and races ---

    @rule(moment=MOMENTS, calls_ahead=st.integers(1, 8))
    def let_somebody_die(self, moment: Moment, calls_ahead: int) -> None:
        self.world.edge.strike(moment, calls_ahead=calls_ahead)

    @precondition(lambda self: self.world.bodies())
    @rule(
        n=st.integers(0, 9),
        other=st.sampled_from(["deliver", "cancel", "delete", "sweep", "retry"]),
        turns=st.lists(st.sampled_from([0, 0, 1, 1, JUMP]), max_size=16),
    )
    def race(self, n: int, other: str, turns: list[int]) -> None:
        bodies = self.world.bodies()
        body = bodies[n % len(bodies)]
        self.odd_clock = self.odd_clock or JUMP in turns
        runners = [lambda: self.world.hand_over(body), self._rival(other, body, n)]
        self.world.edge.race(runners, turns, between=lambda _turn: self.world.clock.shift(45))

    # --- promises ---

    @invariant()
    def promises_hold(self) -> None:
        if hasattr(self, "world"):
            items = self.world.items()
            assert promises.broken(items, self.world.settings, generations=self.world.server.generations) == []
            self._ends_are_final(items)
            self._windows_hold()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self._come_to_rest()
            finally:
                self.world.close()

    def _come_to_rest(self) -> None:
        world = self.world
        world.edge.strike(Moment.BEFORE, calls_ahead=0)
        world.server.faults.clear()
        for _ in range(60):
            world.deliver()
            world.sweep()
            self._everything_overdue_has_ended()
            if not any("open" in item for item in world.items()):
                break
            world.clock.shift(61)
        for body in world.bodies():
            world.hand_over(body)
        self.promises_hold()
        remains = world.remains()
        assert [text for check in AT_REST for text in check(remains)] == []

    def _everything_overdue_has_ended(self) -> None:
        now = time.time()
        for job in promises.jobs_in(self.world.items()):
            late = job["status"] in ("queued", "running") and job["deadline"] <= now
            assert not late or job.get("lease", 0) > now, job

    def _ends_are_final(self, items: list[dict[str, Any]]) -> None:
        for job in promises.jobs_in(items):
            status = self.ends.get(job["pk"], job["status"])
            assert job["status"] == status, f"{status} became {job['status']}"
            if status not in ("queued", "running"):
                self.ends[job["pk"]] = status

    def _windows_hold(self) -> None:
        """A worker that stalls between looking at the clock and calling is late; no limiter can help that."""
        for limit in self.world.settings.limits.values():
            assert self.odd_clock or crowded(self.world.accepted(), limit) == []

    def _of_a_job(self, n: int, act: Callable[[Product, str, str], Answer]) -> Answer | None:
        jobs = sorted(promises.jobs_in(self.world.items()), key=lambda job: (job["created_at"], job["pk"]))
        if n >= len(jobs):
            return None
        job_id, key = jobs[n]["pk"].removeprefix("job#"), KEYS[jobs[n]["owner"]]
        return self.world.ask(lambda product: act(product, job_id, key))

    def _rival(self, kind: str, body: str, n: int) -> Runner:
        acts = {"cancel": _cancel, "delete": _delete, "retry": _retry}
        if kind == "deliver":
            return lambda: self.world.hand_over(body)
        return self.world.sweep if kind == "sweep" else lambda: self._of_a_job(n, acts[kind])

    def _expect(self, answer: Answer | None, *statuses: int) -> None:
        assert answer is None or answer.status in statuses, answer.body


def _cancel(product: Product, job: str, key: str) -> Answer:
    return product.post(f"/jobs/{job}/cancel", key=key)


def _retry(product: Product, job: str, key: str) -> Answer:
    return product.post(f"/jobs/{job}/retry", key=key)


def _delete(product: Product, job: str, key: str) -> Answer:
    return product.delete(f"/jobs/{job}", key=key)


@pytest.mark.parametrize("seed", range(4))
def test_longplay_keeps_its_promises(model_server: ModelServer, lasting_clients: None, seed: int) -> None:
    """Whatever comes together; the seeds are so many runs that can go side by side."""
    machine = hypothesis.seed(seed)(type("Served", (Deployment,), {"server": model_server}))
    run_state_machine_as_test(machine, settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS))
