"""One run of a simulated deployment: its callers, the queues and the schedule, while time passes and processes die."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from tests.harness.product import Answer
from tests.harness.providers import Report
from tests.kill.deployment import VISIBILITY, SimulatedDeployment
from tests.kill.injector import Fault
from tests.kill.network import PROVIDER_CALL, Send

GENERATION_SECONDS = 20.0  # seconds that a call for a generation takes
OTHER_CALL_SECONDS = 1.0  # seconds that any other call to a provider takes
SWEEP_EVERY = 60.0
REFUSED_FOR_NOW = (429, 503)  # statuses that a provider does not count as a start
MOST_STEPS = 200


@dataclass
class Simulation(SimulatedDeployment):
    """A deployment with callers, SQS and the schedule, from an empty account until no job is open."""

    names: dict[str, str] = field(default_factory=dict)
    starts: list[float] = field(default_factory=list)
    most_at_once: int = 0
    _at_once: int = 0
    _during_next_call: Callable[[], None] | None = None
    _next_sweep: float = field(default_factory=lambda: time.time() + SWEEP_EVERY)

    # --- callers ---

    def submit(self, name: str, body: dict[str, Any], *, retries: bool = True) -> str:
        """The id of a new job; "" if the function died and the caller does not retry.

        A caller that retries sends an Idempotency-Key and repeats the request until it is answered.
        """
        headers = {"Idempotency_Key": name} if retries else {}
        tagged = {**body, "tags": {"name": name}}
        answer = self._ask("submit", lambda: self.product.post("/generate", tagged, **headers), retries=retries)
        if answer is None:
            return ""
        assert answer.status in (200, 202), answer.body
        self.names[answer.json["id"]] = name
        return str(answer.json["id"])

    def cancel(self, job_id: str) -> None:
        """Cancel the job; the request is repeated until it is answered."""
        answer = self._ask("jobs", lambda: self.product.post(f"/jobs/{job_id}/cancel"))
        assert answer is None or answer.status == 200, answer.body

    def retry(self, job_id: str) -> str:
        """The id of the new job that repeats this one; the request is repeated until it is answered."""
        answer = self._ask("jobs", lambda: self.product.post(f"/jobs/{job_id}/retry"))
        assert answer is not None
        assert answer.status in (200, 202), answer.body
        self.names[answer.json["id"]] = f"retry of {self.names[job_id]}"
        return str(answer.json["id"])

    def delete(self, job_id: str, *, retries: bool = True) -> None:
        """Delete the job; a caller that retries repeats the request until it is answered."""
        answer = self._ask("jobs", lambda: self.product.delete(f"/jobs/{job_id}"), retries=retries)
        expected = (204,) if retries else (None, 204, 503)
        assert (answer and answer.status) in expected, answer

    def send_batch(self, names: Sequence[str], **more: Any) -> str:
        """The id of a new batch with a line of each name; the request is repeated until it is answered."""
        lines = [{**self.provider.request, "custom_id": name, "tags": {"name": name}, **more} for name in names]
        answer = self._ask("batches", lambda: self.product.post("/batches", lines, Idempotency_Key="batch"))
        assert answer is not None
        assert answer.status == HTTPStatus.ACCEPTED, answer.body
        return str(answer.json["id"])

    def cancel_batch(self, batch: str) -> None:
        """Cancel the batch; the request is repeated until it is answered."""
        answer = self._ask("batches", lambda: self.product.post(f"/batches/{batch}/cancel"))
        assert answer is not None
        assert answer.status == HTTPStatus.ACCEPTED, answer.body

    def deliver_batch(self) -> None:
        """Deliver the messages about batches that are due, and no others."""
        self._deliver_some(lambda body: '"batch"' in body)

    def deliver_jobs(self) -> None:
        """Deliver the messages about jobs that are due, and no others."""
        self._deliver_some(lambda body: '"batch"' not in body)

    def _deliver_some(self, chosen: Callable[[str], bool]) -> None:
        """The others are there again at once."""
        for delivery in self.receive():
            if not chosen(delivery.body):
                self.aws.sqs.change_message_visibility(
                    QueueUrl=delivery.queue_url, ReceiptHandle=delivery.receipt, VisibilityTimeout=0
                )
            elif self.deliver_message(delivery.body):
                self._delete(delivery)

    def during_next_call(self, act: Callable[[], None]) -> None:
        """Do this while the provider works on the next call."""
        self._during_next_call = act

    # --- the queue and the schedule ---

    def deliver(self) -> None:
        """Deliver every message that is due. A message whose function dies becomes visible again later."""
        while self.deliver_once():
            pass

    def provider_reports(self) -> None:
        """The provider reports its latest generation, if there is one, as done; this brings an answer that was lost."""
        for latest in self.provider.generations()[-1:]:
            self.server.finish(latest)
            if self._takes_report(self.server.callback(latest)):
                self.injector.answer_recovered()

    def crash_worker(self, fault: Fault, operation: str = PROVIDER_CALL) -> None:
        """Kill the next generator at its next call of this operation, in addition to the fault point."""
        self.injector.inject_next(operation, fault)

    # --- time ---

    def pass_time(self, seconds: float) -> None:
        """Let time pass: messages are delivered when they are due, and the sweeper runs every minute."""
        until = time.time() + seconds
        self.deliver()
        while time.time() < until:
            self._step(min(until, _next(self.starts_of_open_jobs())))
            self.deliver()

    def settle(self) -> None:
        """Let time pass until every job has ended and no message is left."""
        for _ in range(MOST_STEPS):
            self.deliver()
            if not (starts := self.starts_of_open_jobs()):
                return
            self._step(_next(starts))

    def redeliver_everything(self) -> None:
        """Deliver the messages in flight, then every message once more: SQS delivers at least once."""
        self.clock.shift(VISIBILITY)
        self.deliver()
        self.sweep()
        for body in dict.fromkeys(self.delivered):
            self.deliver_message(body)

    @contextmanager
    def without_faults(self) -> Iterator[None]:
        """Calls in this block prepare the scenario: they are not recorded and get no fault."""
        with self.injector.without_faults():
            yield

    # --- state ---

    def starts_of_open_jobs(self) -> list[float]:
        """When each open job can go on, in epoch seconds."""
        return [item["not_before"] for item in self.items() if "open" in item]

    def call_provider(self, send: Send, *, starts: bool) -> Any:
        """Send a call to the provider; it takes simulated time, and other processes go on.

        A call that asks for a generation counts as a start unless the provider refuses it for now.
        """
        began, act = time.time(), self._during_next_call
        self._during_next_call = None
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        seconds = GENERATION_SECONDS if starts else OTHER_CALL_SECONDS
        self.clock.shift(seconds / 2)
        try:
            if act:
                with self.injector.outside():
                    act()
            answer = send()
        finally:
            self._at_once -= 1
            self.clock.shift(seconds / 2)
        if starts and answer.status_code not in REFUSED_FOR_NOW:
            self.starts.append(began)
        return answer

    def _takes_report(self, said: Any) -> bool:
        if self.provider.reports is Report.NOTICE:
            return self.notify(said)
        answer = self.call_back(said.url, said.body)
        return answer is not None and answer.status == HTTPStatus.NO_CONTENT

    def _ask(self, function: str, request: Callable[[], Answer], *, retries: bool = True) -> Answer | None:
        while retries:
            answer = self.run(function, request)
            if answer is not None and answer.status != HTTPStatus.SERVICE_UNAVAILABLE:
                return answer
            self.clock.shift(5)
        return self.run(function, request)

    def _step(self, until: float) -> None:
        """Move the clock to this time, or to the next sweep if that is earlier."""
        self.clock.move_to(min(until, self._next_sweep))
        if time.time() >= self._next_sweep:
            self._next_sweep = time.time() + SWEEP_EVERY
            self.sweep()


def _next(starts: list[float]) -> float:
    return min((math.ceil(start) for start in starts if start > time.time()), default=math.inf)
