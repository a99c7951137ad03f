"""A hypothesis state machine of a deployment: its events in any order, and the guarantees that hold after each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import hypothesis
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.harness.product import Answer, Product
from tests.harness.providers import RunningProvider
from tests.kill import audit
from tests.kill.injector import Fault
from tests.properties import guarantees
from tests.properties.windows import overfull_windows
from tests.properties.world import World

KEYS = {owner: f"lp_{owner}_0123456789abcdef" for owner in ("alice", "bob")}
WAITS = st.sampled_from([0.5, 1.0, 3.0, 11.0, 31.0, 70.0, 400.0])
PHASES = (Phase.explicit, Phase.generate)  # no shrinking: it takes minutes, and the steps show the cause
FAULTS = st.sampled_from(list(Fault))
# The invariants check budgets, windows and deadlines more strictly. A used slot can look like a future one after
# the line was pushed back.
CHECKED_BY_INVARIANTS = (
    "_budgets_are_settled",
    "_no_window_was_exceeded",
    "_every_job_ends_by_its_deadline",
    "_no_slot_or_seat_stays_reserved",
)
FINAL_CHECKS = [check for check in audit.CHECKS if check.__name__ not in CHECKED_BY_INVARIANTS]
JUMP = 2  # a turn in a race in which time passes and neither runner goes on

Runner = Callable[[], object]


class DeploymentMachine(RuleBasedStateMachine):
    """Events of callers, workers, the sweeper and the clock, and faults; subclasses add the provider's events."""

    provider: RunningProvider
    deployments: Mapping[str, Mapping[str, Any]]

    @initialize(data=st.data())
    def deploy(self, data: st.DataObject) -> None:
        """Start one of the deployments on an empty account."""
        name = data.draw(st.sampled_from(sorted(self.deployments)))
        self.world = World(self.provider, **self.deployments[name])
        self.ends: dict[str, str] = {}
        self.clock_was_disturbed = False

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
        """A caller submits a job."""
        fields = {"prompt": prompt, "fresh": fresh, "max_charges": max_charges, "deadline_seconds": deadline}
        body = {**self.provider.request, **fields}
        headers = {"Idempotency_Key": key} if key else {}
        answer = self.world.ask(lambda product: product.post("/generate", body, key=KEYS[owner], **headers))
        assert answer is None or answer.status in (200, 202, 422, 429), answer.body

    @rule(n=st.integers(0, 9))
    def cancel(self, n: int) -> None:
        """A caller cancels a job."""
        self._expect(self._of_a_job(n, _cancel), 200, 410)

    @rule(n=st.integers(0, 9))
    def retry(self, n: int) -> None:
        """A caller retries a job."""
        self._expect(self._of_a_job(n, _retry), 200, 202, 409, 410, 429)

    @rule(n=st.integers(0, 9))
    def delete(self, n: int) -> None:
        """A caller deletes a job."""
        self._expect(self._of_a_job(n, _delete), 204, 409)

    # --- the queues, the schedule and the clock ---

    @rule()
    def deliver(self) -> None:
        """SQS delivers the messages that are due."""
        self.world.deliver_once()

    @rule(n=st.integers(0, 9))
    def deliver_again(self, n: int) -> None:
        """SQS delivers a message once more."""
        for body in self.world.bodies()[n : n + 1]:
            self.world.deliver_message(body)

    @rule()
    def lose_the_messages(self) -> None:
        """The messages that are due are lost."""
        self.world.lose_messages()

    @rule()
    def sweep(self) -> None:
        """The schedule starts the sweeper."""
        if self.world.sweep():
            self._everything_overdue_has_ended()

    @rule(seconds=WAITS)
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.world.clock.shift(seconds)

    @rule(seconds=st.sampled_from([0.4, 2.0]))
    def set_the_clock_back(self, seconds: float) -> None:
        """The clock is set back."""
        self.world.clock.shift(-seconds)
        self.clock_was_disturbed = True

    # --- faults and races ---

    @rule(fault=FAULTS, calls_ahead=st.integers(1, 8))
    def inject_a_fault(self, fault: Fault, calls_ahead: int) -> None:
        """One of the next calls has a fault."""
        self.world.injector.inject_at(fault, calls_ahead=calls_ahead)

    @precondition(lambda self: self.world.bodies())
    @rule(
        n=st.integers(0, 9),
        other=st.sampled_from(["deliver", "cancel", "delete", "sweep", "retry"]),
        turns=st.lists(st.sampled_from([0, 0, 1, 1, JUMP]), max_size=16),
    )
    def race(self, n: int, other: str, turns: list[int]) -> None:
        """A delivery and another event run at the same time; their calls take turns."""
        bodies = self.world.bodies()
        body = bodies[n % len(bodies)]
        self.clock_was_disturbed = self.clock_was_disturbed or JUMP in turns
        runners = [lambda: self.world.deliver_message(body), self._rival(other, body, n)]
        self.world.injector.race(runners, turns, between=lambda _turn: self.world.clock.shift(45))

    # --- guarantees ---

    @invariant()
    def guarantees_hold(self) -> None:
        """The guarantees that hold after every step."""
        if hasattr(self, "world"):
            items = self.world.items()
            broken = guarantees.broken(items, self.world.settings, generations=self.world.server.generations)
            assert not broken, broken
            self._ends_are_final(items)
            self._windows_hold()

    def teardown(self) -> None:
        """Run until no job is open, then check everything and remove the deployment."""
        if hasattr(self, "world"):
            try:
                self._run_until_nothing_is_open()
            finally:
                self.world.close()

    def _run_until_nothing_is_open(self) -> None:
        world = self.world
        world.injector.inject_at(Fault.KILL_BEFORE, calls_ahead=0)
        world.server.faults.clear()
        for _ in range(60):
            world.deliver_once()
            world.sweep()
            self._everything_overdue_has_ended()
            if not any("open" in item for item in world.items()):
                break
            world.clock.shift(61)
        for body in world.bodies():
            world.deliver_message(body)
        self.guarantees_hold()
        state = world.state()
        violations = [text for check in FINAL_CHECKS for text in check(state)]
        assert not violations, violations

    def _everything_overdue_has_ended(self) -> None:
        now = time.time()
        for job in guarantees.jobs_in(self.world.items()):
            overdue = job["status"] in ("queued", "running") and job["deadline"] <= now
            crashed_polling = "ref" in job and "lease" in job  # the next worker polls soon, and then the job ends
            polled_first = crashed_polling and job["due_at"] <= now + self.world.settings.resend_after
            assert not overdue or polled_first or job.get("lease", 0) > now, job

    def _ends_are_final(self, items: list[dict[str, Any]]) -> None:
        for job in guarantees.jobs_in(items):
            status = self.ends.get(job["pk"], str(job["status"]))
            assert job["status"] == status, f"{status} became {job['status']}"
            if status not in ("queued", "running"):
                self.ends[job["pk"]] = status

    def _windows_hold(self) -> None:
        """Not checked after the clock jumped: a worker that stalls between reading the clock and calling is late."""
        for limit in self.world.settings.limits.values():
            assert self.clock_was_disturbed or overfull_windows(self.world.accepted(), limit) == []

    def _of_a_job(self, n: int, act: Callable[[Product, str, str], Answer]) -> Answer | None:
        jobs = sorted(guarantees.jobs_in(self.world.items()), key=lambda job: (job["created_at"], job["pk"]))
        if n >= len(jobs):
            return None
        job_id, key = jobs[n]["pk"].removeprefix("job#"), KEYS[jobs[n]["owner"]]
        return self.world.ask(lambda product: act(product, job_id, key))

    def _rival(self, kind: str, body: str, n: int) -> Runner:
        acts = {"cancel": _cancel, "delete": _delete, "retry": _retry}
        if kind == "deliver":
            return lambda: self.world.deliver_message(body)
        return self.world.sweep if kind == "sweep" else lambda: self._of_a_job(n, acts[kind])

    def _expect(self, answer: Answer | None, *statuses: int) -> None:
        assert answer is None or answer.status in statuses, answer.body


def run_machine(
    machine: type[DeploymentMachine], provider: RunningProvider, *, seed: int, examples: int, steps: int
) -> None:
    """Run this many examples of a machine, the same for equal seeds; raises the error of a broken invariant."""
    seeded = hypothesis.seed(seed)(type("Served", (machine,), {"provider": provider}))
    run_state_machine_as_test(
        seeded, settings=settings(max_examples=examples, stateful_step_count=steps, phases=PHASES)
    )


def _cancel(product: Product, job: str, key: str) -> Answer:
    return product.post(f"/jobs/{job}/cancel", key=key)


def _retry(product: Product, job: str, key: str) -> Answer:
    return product.post(f"/jobs/{job}/retry", key=key)


def _delete(product: Product, job: str, key: str) -> Answer:
    return product.delete(f"/jobs/{job}", key=key)
