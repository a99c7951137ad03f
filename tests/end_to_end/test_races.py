"""Concurrent requests on an emulator with an atomic table: one start per job, one job per key, no limit exceeded.

Tests with `deployed_api` in their name send requests to the deployed API. The others run sixteen sets of the functions'
objects, each with its own clients and caches, in threads of this process: without emulated Lambda they are faster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import cycle, islice
from typing import Any

import boto3
import pytest
from longplay.domain.errors import OverDailyBudget
from longplay.domain.job import Job
from longplay.storage.queue import Message

from local.emulator.emulator import ADMINISTRATOR
from local.stand_ins.model import ModelServer
from tests.end_to_end.deployed_stack import DeployedStack
from tests.end_to_end.racers import NOW, Racetrack, at_once, submit
from tests.harness.aws import REGION, make_account

AT_ONCE = 16
CALLERS = 50
FUNCTIONS = 5  # concurrent requests to emulated Lambda: each function begins with a cold start
IMAGE: dict[str, Any] = {"model": "stable-diffusion-v1-5", "width": 256, "height": 256}
ACCOUNT = "stable-diffusion-v1-5"  # the server that serves the image's first route


@pytest.fixture(scope="module")
def racetrack(deployed: DeployedStack) -> Iterator[Racetrack]:
    """An account on the emulator, in a region where nothing is deployed."""
    settings = {name.upper(): value for name, value in ADMINISTRATOR.items()}
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in {**settings, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": deployed.aws.url}.items():
            monkeypatch.setenv(name, value)
        session = boto3.Session()
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
        track = Racetrack(account=make_account(), monkeypatch=monkeypatch)
        session.events.register("before-call.dynamodb", lambda model, **_: track.calls.append(model.name))
        yield track


@pytest.fixture(scope="module")
def quick() -> Iterator[ModelServer]:
    """A model server that renders the smallest valid files."""
    with ModelServer(quick=True) as server:
        yield server


def test_sixteen_deliveries_of_each_of_200_messages_make_one_call(racetrack: Racetrack, quick: ModelServer) -> None:
    """Every other delivery leaves the job alone."""
    functions = racetrack.functions(AT_ONCE, servers={"*": f"{quick.url}/models/{{model}}"})
    jobs = [_job(submit(functions[0].service, "deliveries", prompt=f"image {n}", **IMAGE)) for n in range(200)]
    for job in jobs:
        message = Message(version=1, job=job.id, route=job.leg.route)
        outcomes = at_once([partial(function.worker.advance, message, remaining=60) for function in functions])
        assert Counter(outcomes) == {"succeeded": 1, "left alone": AT_ONCE - 1}
    assert Counter(request.inputs for request in quick.requests) == {f"image {n}": 1 for n in range(200)}
    assert quick.generations == len(jobs)


def test_equal_submissions_under_one_key_make_one_job_and_one_message(racetrack: Racetrack) -> None:
    """All callers get the same job."""
    services, before = racetrack.services(AT_ONCE, cache="off"), racetrack.messages()
    once = partial(submit, key="a key", prompt="an image under a key", **IMAGE)
    answers = at_once([partial(once, service, "keys") for service in islice(cycle(services), CALLERS)])
    assert len({_job(answer).id for answer in answers}) == 1
    assert racetrack.messages() - before == 1


def test_equal_posts_under_one_key_to_the_deployed_api_make_one_job_and_one_generation(stack: DeployedStack) -> None:
    """The same race, through API Gateway and the deployed functions."""
    body = {"prompt": "fifty posts under one key", **IMAGE}
    post = partial(stack.post, "/generate", body, headers={"Idempotency-Key": "fifty"})
    answers = [answer.json() for answer in at_once([post] * CALLERS, abreast=FUNCTIONS)]
    assert len({answer["id"] for answer in answers}) == 1
    job = stack.wait(answers[0]["id"])
    assert (job["status"], len(job["attempts"])) == ("succeeded", 1)
    assert (len(stack.server.requests), stack.server.generations) == (1, 1)


def test_equal_posts_to_the_deployed_api_share_one_generation(stack: DeployedStack) -> None:
    """Each caller gets its own job; all but one are cached."""
    stack.server.fault("slow", seconds=2)  # so that many requests arrive during the call
    post = partial(stack.post, "/generate", {"prompt": "fifty posts of one prompt", **IMAGE})
    ids = {answer.json()["id"] for answer in at_once([post] * CALLERS, abreast=FUNCTIONS)}
    jobs = [stack.wait(job_id) for job_id in ids]
    assert len(ids) == CALLERS
    assert Counter((job["status"], job["cached"]) for job in jobs) == {
        ("succeeded", False): 1,
        ("succeeded", True): CALLERS - 1,
    }
    assert len({job["outputs"][0]["sha256"] for job in jobs}) == 1
    assert (len(stack.server.requests), stack.server.generations) == (1, 1)


def test_concurrent_submissions_get_slots_that_keep_every_window(racetrack: Racetrack) -> None:
    """No slot is given twice."""
    windows, rounds = [(1, 2), (30, 3600)], 3
    services = racetrack.services(
        AT_ONCE,
        servers={ACCOUNT: "http://127.0.0.1:1"},
        limits={ACCOUNT: {"windows": windows}},
        horizon=None,
    )
    submit_one = partial(submit, deadline_seconds=86_400, **IMAGE)
    racetrack.calls.clear()
    jobs = [
        _job(answer)
        for n in range(rounds)
        for answer in at_once(
            [partial(submit_one, service, "slots", prompt=f"{n} of {place}") for place, service in enumerate(services)]
        )
    ]
    slots = sorted(_slot(job) for job in jobs)
    assert len(set(slots)) == rounds * AT_ONCE
    for starts, seconds in windows:
        assert all(later - earlier >= seconds for earlier, later in zip(slots, slots[starts:], strict=False))
    print(f"\n{AT_ONCE} at once, {len(slots)} slots: {dict(Counter(racetrack.calls))}")


def test_concurrent_submissions_cannot_exceed_a_budget(racetrack: Racetrack) -> None:
    """Exactly as many are accepted as the budget allows."""
    services = racetrack.services(AT_ONCE, owner_caps={"jobs": 10})
    bodies = [{"prompt": f"image {n} of a budget", **IMAGE} for n in range(CALLERS)]
    answers = at_once(
        [partial(submit, service, "budgets", **body) for service, body in zip(cycle(services), bodies, strict=False)]
    )
    accepted = [answer for answer in answers if isinstance(answer, Job)]
    assert Counter(type(answer) for answer in answers) == {Job: 10, OverDailyBudget: CALLERS - 10}
    budget = racetrack.item(f"budget#budgets#{accepted[0].budget_day}")
    assert (budget["jobs"]["N"], budget["waiting"]["N"]) == ("10", "10")
    assert int(budget["used"]["N"]) == sum(job.hold or 0 for job in accepted)


def _job(answer: Any) -> Job:
    assert isinstance(answer, Job), answer
    return answer


def _slot(job: Job) -> float:
    assert job.slot is not None
    assert job.slot >= NOW
    return job.slot
