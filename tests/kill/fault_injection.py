"""Runs a scenario once without faults to find its calls, then once more for each fault point."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from tests.harness.providers import RunningProvider
from tests.kill.audit import Ledgers, final_state_of, violations
from tests.kill.containers import OneContainer
from tests.kill.deployment import empty_account
from tests.kill.injector import Call, Fault, FaultInjector, FaultPoint
from tests.kill.network import network_behind
from tests.kill.simulation import Simulation

DEADLINE = 1_200

ChooseFaultPoints = Callable[[Sequence[Call]], Iterable[FaultPoint]]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """The steps of a run, and the states in which each of its jobs, by name, can end.

    `ends` gives states as "a | b"; "never created" is one of them. After `steps`, time passes until no job is open.
    `may_lack` is the number of billed results that can be deleted before the ledger records them.
    `seats_may_stay` where AWS may fail whenever room is given back: the next job that needs it finds it.
    `settings` are Longplay's.
    """

    steps: Callable[[Simulation], None]
    ends: Mapping[str, str]
    may_lack: int = 0
    seats_may_stay: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name in reports."""
        return self.steps.__name__


@dataclass(frozen=True, kw_only=True)
class InjectionResult:
    """The result of all runs of a scenario: its number of calls, the faults injected, and the failures."""

    calls: int
    injected: int
    failures: list[str]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run: its calls, the ledgers at its end, and the guarantees that it broke."""

    calls: list[Call]
    ledgers: Ledgers
    violations: list[str]


def inject_everywhere(
    scenario: Scenario, provider: RunningProvider, fault_points: ChooseFaultPoints
) -> InjectionResult:
    """Run the scenario with a fault at each point; each failure names its point."""
    baseline = run_scenario(scenario, provider)
    points = [] if baseline.violations else list(fault_points(baseline.calls))
    failures = [f"without a fault: {violation}" for violation in baseline.violations]
    for point in points:
        where = f"call {point.call} of {len(baseline.calls)} ({baseline.calls[point.call - 1]}), {point.fault}"
        failures += [f"{where}: {violation}" for violation in _inject(scenario, provider, point, baseline)]
    return InjectionResult(calls=len(baseline.calls), injected=len(points), failures=failures)


def run_scenario(
    scenario: Scenario,
    provider: RunningProvider,
    point: FaultPoint | None = None,
    *,
    injector: FaultInjector | None = None,
    containers: OneContainer | None = None,
) -> Run:
    """Run the scenario from an empty account until all its jobs have ended, with a fault at the point.

    `injector` chooses the faults in its place, and `containers` those in which functions run.
    """
    injector = injector or FaultInjector(point)
    with _simulation(scenario, provider, injector, containers or OneContainer()) as sim:
        scenario.steps(sim)
        sim.settle()
        calls = list(injector.calls)
        sim.redeliver_everything()
        state = final_state_of(
            sim, ends=scenario.ends, may_lack=scenario.may_lack, seats_may_stay=scenario.seats_may_stay
        )
        return Run(calls=calls, ledgers=state.ledgers, violations=violations(state))


def _inject(scenario: Scenario, provider: RunningProvider, point: FaultPoint, baseline: Run) -> Iterator[str]:
    call = baseline.calls[point.call - 1]
    try:
        run = run_scenario(scenario, provider, point)
    except Exception as error:  # noqa: BLE001 - the report names the fault point of every error
        yield f"{type(error).__name__}: {error}"
        return
    yield from run.violations
    if run.calls[: point.call] != baseline.calls[: point.call]:
        yield "the run came to this call by other calls than the run without faults"
    if point.fault is Fault.REPLY_LOST and call.of_aws and run.ledgers != baseline.ledgers:
        yield f"the SDK's repetition changed the ledgers: {run.ledgers} instead of {baseline.ledgers}"


@contextmanager
def _simulation(
    scenario: Scenario, provider: RunningProvider, injector: FaultInjector, containers: OneContainer
) -> Iterator[Simulation]:
    """A simulation on an empty account; `time.sleep` moves its clock."""
    random.seed(scenario.name)
    with empty_account(provider, default_deadline=DEADLINE, **scenario.settings) as account:
        sim = Simulation(account, provider, injector, containers)
        with (
            containers.running(),
            patch.object(time, "sleep", account.clock.shift),
            network_behind(injector, provider.server, timed=sim.call_provider),
        ):
            yield sim
