"""The guarantees with a provider that calls back: in time, twice, late, early or forged."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.harness.product import Answer
from tests.harness.providers import REPLICATE
from tests.kill.injector import Fault
from tests.kill.network import PROVIDER_CALL
from tests.properties.machine import DeploymentMachine, run_machine

REFUSALS = ("server_error", "throttled", "unauthorized", "invalid", "drop", "not_json")
BAD_ENDS = ("failed", "interrupted", "canceled", "aborted", "erased", "no_output")
EXAMPLES, STEPS = 12, 30
DEPLOYMENTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "capped": {"owner_caps": {"usd": 0.6, "jobs": 8, "open_jobs": 4}, "deployment_caps": {"usd": 1, "open_jobs": 6}},
    "paced": {"limits": {"replicate": {"windows": [[1, 3], [4, 60]], "max_concurrent": 2}}, "horizon": None},
    "paced and capped, shared": {
        "limits": {"replicate": {"windows": [[2, 20]]}},
        "cache": "deployment",
        "owner_caps": {"usd": 0.5},
    },
}


@dataclasses.dataclass(frozen=True)
class Callback:
    """A callback before it is sent."""

    url: str
    body: bytes


def _elsewhere(callback: Callback, _: Callback) -> Callback:
    return Callback(callback.url.replace("/callbacks/replicate/", "/callbacks/huggingface/"), callback.body)


UNKNOWN: Mapping[str, Callable[[Callback, Callback], Callback]] = {
    "a wrong token": lambda callback, _: Callback(f"{callback.url}x", callback.body),
    "no token": lambda callback, _: Callback(callback.url.partition("?")[0], callback.body),
    "another job's token": lambda callback, other: Callback(_with_token_of(callback.url, other.url), callback.body),
    "another provider's name": _elsewhere,
}
MISLEADING: Mapping[str, Callable[[Callback, Callback], Callback]] = {
    "garbage": lambda callback, _: Callback(callback.url, b"\x00{"),
    "nothing": lambda callback, _: Callback(callback.url, b""),
    "far too much": lambda callback, _: Callback(callback.url, b'{"id": "' + b"a" * 1_100_000 + b'"}'),
    "a path": lambda callback, _: Callback(callback.url, b'{"id": "../../account"}'),
    "another's reference": lambda callback, other: Callback(callback.url, other.body),
}


class CallbackMachine(DeploymentMachine):
    """Random steps with a provider that is polled, and requests that anyone can send to a callback URL."""

    deployments = DEPLOYMENTS

    @rule(fault=st.sampled_from(REFUSALS), at=st.sampled_from(["create", "poll", "cancel"]), times=st.integers(1, 2))
    def refuse_at_the_provider(self, fault: str, at: str, times: int) -> None:
        """The next calls to the provider fail."""
        self.world.server.fault(fault, at=at, times=times)

    @rule(bad_end=st.sampled_from(BAD_ENDS))
    def have_a_generation_end_badly(self, bad_end: str) -> None:
        """The next generation does not end well."""
        self.world.server.fault(bad_end, times=1)

    @rule(n=st.integers(0, 5))
    def finish(self, n: int) -> None:
        """A generation is done."""
        for generation in self.world.provider.generations()[n : n + 1]:
            self.world.server.finish(generation)

    @rule(prompt=st.sampled_from(["sea", "wood"]), stored=st.booleans(), deadline=st.sampled_from([120, 1_200]))
    def start(self, prompt: str, stored: bool, deadline: int) -> None:
        """Start a generation. If its reference is not stored, the worker died right after the answer."""
        self.submit(owner="alice", prompt=prompt, key=None, fresh=True, max_charges=2, deadline=deadline)
        if not stored:
            self.world.injector.inject_next(PROVIDER_CALL, Fault.KILL_AFTER)
        self.world.deliver_once()

    @precondition(lambda self: self.world.provider.generations())
    @rule(n=st.integers(0, 5), times=st.integers(1, 2), pause=st.sampled_from([0.0, 1.0, 6.0]))
    def call_back(self, n: int, times: int, pause: float) -> None:
        """The provider calls back about any of its generations: early, in time or late."""
        for _ in range(times):
            answer = self._send(self._callback(n))
            assert answer is None or answer.status == 204, answer.body
            self.world.clock.shift(pause)

    @precondition(lambda self: self.world.provider.generations())
    @rule(n=st.integers(0, 5), other=st.integers(0, 5), forgery=st.sampled_from(sorted(UNKNOWN)))
    def forge_a_callback(self, n: int, other: int, forgery: str) -> None:
        """A forged callback gets 404 and changes nothing."""
        genuine, others = self._callback(n), self._callback(other)
        if forgery == "another job's token" and _job(genuine) == _job(others):
            return
        before = self._everything()
        answer = self._send(UNKNOWN[forgery](genuine, others))
        assert answer is None or answer.status == 404, answer.body
        assert self._everything() == before

    @precondition(lambda self: self.world.provider.generations())
    @rule(n=st.integers(0, 5), other=st.integers(0, 5), forgery=st.sampled_from(sorted(MISLEADING)))
    def send_a_wrong_body(self, n: int, other: int, forgery: str) -> None:
        """A caller with the token can have the provider polled, and changes nothing else.

        A reference is believed while none is stored. This is by design: only the provider knows the token.
        """
        genuine, before = self._callback(n), self._references()
        if forgery == "another's reference" and before[f"job#{_job(genuine)}"] is None:
            return
        answer = self._send(MISLEADING[forgery](genuine, self._callback(other)))
        assert answer is None or answer.status == 204, answer.body
        assert self._references() == before

    def _send(self, callback: Callback) -> Answer | None:
        return self.world.call_back(callback.url, callback.body)

    def _callback(self, n: int) -> Callback:
        generations = self.world.provider.generations()
        callback = self.world.server.callback(generations[n % len(generations)])
        return Callback(callback.url, callback.body)

    def _references(self) -> dict[str, Any]:
        return {item["pk"]: item.get("ref") for item in self.world.items()}

    def _everything(self) -> tuple[list[dict[str, Any]], list[str]]:
        return self.world.items(), self.world.bodies()


def _with_token_of(url: str, other: str) -> str:
    return f"{url.partition('?')[0]}?{urlsplit(other).query}"


def _job(callback: Callback) -> str:
    return urlsplit(callback.url).path.split("/")[-2]


@pytest.mark.parametrize("seed", range(3))
def test_guarantees_hold_after_every_step(haste: None, seed: int) -> None:
    """Any order of events keeps the guarantees; the seeds can run side by side."""
    with REPLICATE.running(polls=1) as provider:
        provider.server.polls = 3
        run_machine(CallbackMachine, provider, seed=seed, examples=EXAMPLES, steps=STEPS)
