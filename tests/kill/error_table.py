"""`python -m tests.kill.error_table`: what becomes of a job for each answer of AWS at each call, by provider kind.

PYTHONPATH must have lambdas/ in it. It takes some minutes.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack

from local.stand_ins.model import ModelServer
from tests.harness.haste import hasty, with_room
from tests.harness.providers import FAL, HF_FAL_AI, REPLICATE, SAGEMAKER, RunningProvider, model_server_provider
from tests.kill.fault_injection import Run, Scenario, run_scenario
from tests.kill.injector import AwsAnswer, FaultPoint
from tests.kill.provider_scenarios import caps_pacing_and_cache
from tests.kill.test_aws_errors import (
    a_job_from_its_submission_on,
    a_job_with_caps_pacing_and_cache,
    every_answer,
)

Row = Counter[str]


def main() -> None:
    """Print a line for each kind of provider and each answer."""
    logging.disable(logging.CRITICAL)
    print("| Provider | Answer | Points | Jobs that succeed | `yes` | Provider's count | `yes` + `unknown` | Broken |")
    print("| - | - | - | - | - | - | - | - |")
    with ExitStack() as stack:
        stack.enter_context(hasty())
        for name, provider, scenario in _kinds(stack):
            for answer, row in _rows(provider, scenario).items():
                numbers = (row[column] for column in ("points", "succeeded", "yes", "count", "possible", "broken"))
                print(f"| {name} | {answer} | {' | '.join(map(str, numbers))} |", flush=True)


def _kinds(stack: ExitStack) -> Iterator[tuple[str, RunningProvider, Scenario]]:
    server = stack.enter_context(ModelServer(quick=True))
    yield "connection held", model_server_provider(server), _scenario("*", held=True)
    for provider in (REPLICATE, FAL, HF_FAL_AI, SAGEMAKER):
        yield provider.name, stack.enter_context(provider.running(polls=1)), _scenario(provider.server)


def _scenario(server: str, *, held: bool = False) -> Scenario:
    steps = a_job_from_its_submission_on if held else a_job_with_caps_pacing_and_cache
    return Scenario(steps=steps, ends={"job": "succeeded"}, settings=caps_pacing_and_cache(server))


def _rows(provider: RunningProvider, scenario: Scenario) -> dict[AwsAnswer, Row]:
    baseline = run_scenario(scenario, provider)
    rows: dict[AwsAnswer, Row] = defaultdict(Counter)
    for point in every_answer(baseline.calls):
        rows[AwsAnswer(point.fault)] += _counted(with_room(lambda: _run(scenario, provider, point)), provider)  # noqa: B023
    return rows


def _run(scenario: Scenario, provider: RunningProvider, point: FaultPoint) -> Run:
    return run_scenario(scenario, provider, point)


def _counted(run: Run, provider: RunningProvider) -> Row:
    charges = Counter(charged for _, attempts in run.ledgers.values() for _, charged in attempts)
    return Counter(
        points=1,
        succeeded=sum(status == "succeeded" for status, _ in run.ledgers.values()),
        yes=charges["yes"],
        count=provider.server.generations,
        possible=charges["yes"] + charges["unknown"],
        broken=len(run.violations),
    )


if __name__ == "__main__":
    main()
