"""Errors that AWS answers with, at every call of a job's life, for each kind of provider."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

import pytest

from local.stand_ins.model import ModelServer
from tests.harness.providers import FAL, HF_FAL_AI, REPLICATE, SAGEMAKER, Provider, model_server_provider
from tests.kill.aws_errors import answers_of
from tests.kill.fault_injection import Scenario
from tests.kill.fault_points import first_of_their_kind
from tests.kill.injector import Call, FaultPoint
from tests.kill.provider_scenarios import caps_pacing_and_cache, submit
from tests.kill.simulation import Simulation


def a_job_with_caps_pacing_and_cache(sim: Simulation) -> None:
    submit(sim, "job")


def a_job_from_its_submission_on(sim: Simulation) -> None:
    sim.submit("job", dict(sim.provider.request))


def a_deleted_job(sim: Simulation) -> None:
    with sim.without_faults():
        job = sim.submit("job", dict(sim.provider.request))
        sim.settle()
    sim.delete(job, retries=False)


def every_answer(calls: Sequence[Call]) -> Iterator[FaultPoint]:
    """Each answer that AWS can give, at each of its calls that differs from the others."""
    for n, call in first_of_their_kind(calls).items():
        if call.of_aws and not call.of_provider:
            yield from (FaultPoint(n, said) for said in answers_of(call.operation))


def some_answers(calls: Sequence[Call]) -> Iterator[FaultPoint]:
    """A third of them: some at each call, in turn. `EVERY_ANSWER=1` gives all, which takes three times as long."""
    part = 1 if "EVERY_ANSWER" in os.environ else 3
    for n, point in enumerate(every_answer(calls)):
        if n % part == 0:
            yield point


@pytest.mark.parametrize("provider", [REPLICATE, FAL, HF_FAL_AI, SAGEMAKER], ids=lambda provider: provider.name)
def test_no_answer_of_aws_breaks_a_guarantee(provider: Provider, survives_with: Callable[..., None]) -> None:
    """The job succeeds and is charged once, with any error of AWS once or for twenty seconds."""
    settings = caps_pacing_and_cache(provider.server)
    scenario = Scenario(steps=a_job_with_caps_pacing_and_cache, ends={"job": "succeeded"}, settings=settings)
    with provider.running(polls=1) as running:
        survives_with(scenario, running, some_answers)


def test_no_answer_of_aws_breaks_a_guarantee_on_an_open_connection(
    model_server: ModelServer, survives_with: Callable[..., None]
) -> None:
    """The same from the submission on, with a server that keeps the connection open."""
    settings = caps_pacing_and_cache("*")
    scenario = Scenario(steps=a_job_from_its_submission_on, ends={"job": "succeeded"}, settings=settings)
    survives_with(scenario, model_server_provider(model_server), every_answer)


def test_no_answer_of_aws_leaves_a_file_of_a_deleted_job(
    model_server: ModelServer, survives_with: Callable[..., None]
) -> None:
    """The caller deletes once: after any answer of S3 or the table, a job that is deleted has no file in the end."""
    scenario = Scenario(steps=a_deleted_job, ends={"job": "succeeded"}, settings={"cache": "off"})
    survives_with(scenario, model_server_provider(model_server), every_answer)
