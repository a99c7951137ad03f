"""The same where the provider answers with a reference and calls back: in time, twice, late, too early, or forged."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.harness.product import Answer
from tests.kill.edge import Moment
from tests.kill.network import PROVIDER_CALL
from tests.kill.parts import REPLICATE
from tests.properties.machine import Deployment, hold

REFUSALS = ("server_error", "throttled", "unauthorized", "invalid", "drop", "not_json")
FATES = ("failed", "interrupted", "canceled", "aborted", "erased", "no_output")
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
class Hint:
    """A callback as it is about to be sent."""

    url: str
    body: bytes


def _elsewhere(hint: Hint, _: Hint) -> Hint:
    return Hint(hint.url.replace("/callbacks/replicate/", "/callbacks/huggingface/"), hint.body)


UNKNOWN: Mapping[str, Callable[[Hint, Hint], Hint]] = {
    "a wrong token": lambda hint, _: Hint(f"{hint.url}x", hint.body),
    "no token": lambda hint, _: Hint(hint.url.partition("?")[0], hint.body),
    "another job's token": lambda hint, other: Hint(_with_token_of(hint.url, other.url), hint.body),
    "another provider's name": _elsewhere,
}
MISLEADING: Mapping[str, Callable[[Hint, Hint], Hint]] = {
    "garbage": lambda hint, _: Hint(hint.url, b"\x00{"),
    "nothing": lambda hint, _: Hint(hint.url, b""),
    "far too much": lambda hint, _: Hint(hint.url, b'{"id": "' + b"a" * 1_100_000 + b'"}'),
    "a path": lambda hint, _: Hint(hint.url, b'{"id": "../../account"}'),
    "another's reference": lambda hint, other: Hint(hint.url, other.body),
}


class CallingBack(Deployment):
    """A provider that is asked by reference, and what anybody may send to where it should call back."""

    deployments = DEPLOYMENTS

    @rule(fault=st.sampled_from(REFUSALS), at=st.sampled_from(["create", "poll", "cancel"]), times=st.integers(1, 2))
    def refuse_at_the_provider(self, fault: str, at: str, times: int) -> None:
        self.world.server.fault(fault, at=at, times=times)

    @rule(fate=st.sampled_from(FATES))
    def have_a_generation_end_badly(self, fate: str) -> None:
        self.world.server.fault(fate, times=1)

    @rule(n=st.integers(0, 5))
    def finish(self, n: int) -> None:
        for generation in self.world.part.generations()[n : n + 1]:
            self.world.server.finish(generation)

    @rule(prompt=st.sampled_from(["sea", "wood"]), stored=st.booleans(), deadline=st.sampled_from([120, 1_200]))
    def start(self, prompt: str, stored: bool, deadline: int) -> None:
        """One more generation; where its reference is not stored, the worker died right after hearing it."""
        self.submit(owner="alice", prompt=prompt, key=None, fresh=True, max_charges=2, deadline=deadline)
        if not stored:
            self.world.edge.ambush(PROVIDER_CALL, Moment.AFTER)
        self.world.deliver_once()

    @precondition(lambda self: self.world.part.generations())
    @rule(n=st.integers(0, 5), times=st.integers(1, 2), pause=st.sampled_from([0.0, 1.0, 6.0]))
    def call_back(self, n: int, times: int, pause: float) -> None:
        """About any generation ever made: too early, in time or late is a matter of what has come to pass."""
        for _ in range(times):
            answer = self._send(self._hint(n))
            assert answer is None or answer.status == 204, answer.body
            self.world.clock.shift(pause)

    @precondition(lambda self: self.world.part.generations())
    @rule(n=st.integers(0, 5), other=st.integers(0, 5), forgery=st.sampled_from(sorted(UNKNOWN)))
    def forge_a_callback(self, n: int, other: int, forgery: str) -> None:
        """Unknown, and nothing has changed."""
        true, others = self._hint(n), self._hint(other)
        if forgery == "another job's token" and _job(true) == _job(others):
            return
        before = self._all_there_is()
        answer = self._send(UNKNOWN[forgery](true, others))
        assert answer is None or answer.status == 404, answer.body
        assert self._all_there_is() == before

    @precondition(lambda self: self.world.part.generations())
    @rule(n=st.integers(0, 5), other=st.integers(0, 5), forgery=st.sampled_from(sorted(MISLEADING)))
    def send_a_wrong_body(self, n: int, other: int, forgery: str) -> None:
        """Whoever knows the token may have the provider asked, and changes nothing else.

        By design the token's owner is believed where no reference is stored yet; nobody but the provider can tell it.
        """
        true, before = self._hint(n), self._references()
        if forgery == "another's reference" and before[f"job#{_job(true)}"] is None:
            return
        answer = self._send(MISLEADING[forgery](true, self._hint(other)))
        assert answer is None or answer.status == 204, answer.body
        assert self._references() == before

    def _send(self, hint: Hint) -> Answer | None:
        return self.world.call_back(hint.url, hint.body)

    def _hint(self, n: int) -> Hint:
        generations = self.world.part.generations()
        callback = self.world.server.callback(generations[n % len(generations)])
        return Hint(callback.url, callback.body)

    def _references(self) -> dict[str, Any]:
        return {item["pk"]: item.get("ref") for item in self.world.items()}

    def _all_there_is(self) -> tuple[list[dict[str, Any]], list[str]]:
        return self.world.items(), self.world.bodies()


def _with_token_of(url: str, other: str) -> str:
    return f"{url.partition('?')[0]}?{urlsplit(other).query}"


def _job(hint: Hint) -> str:
    return urlsplit(hint.url).path.split("/")[-2]


@pytest.mark.parametrize("seed", range(3))
def test_longplay_keeps_its_promises(haste: None, seed: int) -> None:
    """Whatever comes together; the seeds are so many runs that can go side by side."""
    with REPLICATE.playing() as part:
        part.server.polls = 3
        hold(CallingBack, part, seed=seed, examples=EXAMPLES, steps=STEPS)
