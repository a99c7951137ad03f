"""What may happen to any deployment, in any order and at once, and what must hold after each step of it."""

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
from tests.kill import audit
from tests.kill.edge import Moment
from tests.kill.parts import Part
from tests.properties import promises
from tests.properties.windows import crowded
from tests.properties.world import World

KEYS = {owner: f"lp_{owner}_0123456789abcdef" for owner in ("alice", "bob")}
WAITS = st.sampled_from([0.5, 1.0, 3.0, 11.0, 31.0, 70.0, 400.0])
PHASES = (Phase.explicit, Phase.generate)  # shrinking would take minutes for what the steps tell
MOMENTS = st.sampled_from(list(Moment))
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
    """Callers, workers, the sweeper, the clock, and death; what its provider does, each kind of provider adds."""

    part: Part
    deployments: Mapping[str, Mapping[str, Any]]

    @initialize(data=st.data())
    def deploy(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.deployments)))
        self.world = World(self.part, **self.deployments[name])
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
        wishes = {"prompt": prompt, "fresh": fresh, "max_charges": max_charges, "deadline_seconds": deadline}
        body = {**self.part.request, **wishes}
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

    # --- the queues, the schedule and the clock ---

    @rule()
    def deliver(self) -> None:
        self.world.deliver_once()

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
            broken = promises.broken(items, self.world.settings, generations=self.world.server.generations)
            assert not broken, broken
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
            world.deliver_once()
            world.sweep()
            self._everything_overdue_has_ended()
            if not any("open" in item for item in world.items()):
                break
            world.clock.shift(61)
        for body in world.bodies():
            world.hand_over(body)
        self.promises_hold()
        remains = world.remains()
        complaints = [text for check in AT_REST for text in check(remains)]
        assert not complaints, complaints

    def _everything_overdue_has_ended(self) -> None:
        now = time.time()
        for job in promises.jobs_in(self.world.items()):
            late = job["status"] in ("queued", "running") and job["deadline"] <= now
            died_asking = "ref" in job and "lease" in job  # the next one asks, is soon looked for, and then it ends
            asked_first = died_asking and job["due_at"] <= now + self.world.settings.resend_after
            assert not late or asked_first or job.get("lease", 0) > now, job

    def _ends_are_final(self, items: list[dict[str, Any]]) -> None:
        for job in promises.jobs_in(items):
            status: str = self.ends.get(job["pk"], job["status"])
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


def hold(machine: type[Deployment], part: Part, *, seed: int, examples: int, steps: int) -> None:
    """Run so many examples of a machine, the same for a seed; raises what an invariant says."""
    seeded = hypothesis.seed(seed)(type("Served", (machine,), {"part": part}))
    run_state_machine_as_test(
        seeded, settings=settings(max_examples=examples, stateful_step_count=steps, phases=PHASES)
    )


def _cancel(product: Product, job: str, key: str) -> Answer:
    return product.post(f"/jobs/{job}/cancel", key=key)


def _retry(product: Product, job: str, key: str) -> Answer:
    return product.post(f"/jobs/{job}/retry", key=key)


def _delete(product: Product, job: str, key: str) -> Answer:
    return product.delete(f"/jobs/{job}", key=key)
