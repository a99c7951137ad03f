"""Whole jobs at a private Space whose app runs on the real Gradio server: its quota, its restarts, its token."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest
import time_machine

from local.stand_ins.space.paths import READ
from tests.harness.product import Product
from tests.spaces.conftest import TOKEN, RunningSpace
from tests.stories.actions import run
from tests.stories.space_jobs import outcomes, waits_for_the_quota

TRACK = {"prompt": "slow jazz", "duration": 2}

pytestmark = pytest.mark.gradio


@pytest.fixture
def product(product_with: Callable[..., Product], space: RunningSpace) -> Product:
    """The product with the Space as its only server, and the Space's token stored."""
    product = product_with(servers={"space": space.front.url})
    store(product, TOKEN)
    return product


def store(product: Product, token: str) -> None:
    """Store this token for Spaces."""
    product.aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString=json.dumps({"space": token}))


def test_a_used_up_quota_is_waited_for_as_long_as_the_space_says(
    product: Product, clock: time_machine.Traveller
) -> None:
    """The wait ends 0:12:34 later, and the job is then served."""
    job = product.submit({**TRACK, "prompt": "jazz over the quota"})
    waits_for_the_quota(product, job, clock)


@pytest.mark.parametrize("after", [30, 400])
def test_a_stream_that_breaks_loses_nothing(
    product: Product, space: RunningSpace, clock: time_machine.Traveller, after: int
) -> None:
    """The end is told once, and is lost on its way, in its head or its body: the call is made again, free of charge."""
    space.front.fault("cut", at="poll", after=after)
    job = product.submit({**TRACK, "fresh": True, "max_charges": 1})
    run(product, clock, 40)
    assert outcomes(product, job) == [("upstream", "no"), ("succeeded", "no")]
    assert len(product.file(product.job(job["id"]))) > 44


def test_a_restart_in_the_middle_of_a_call_loses_nothing(
    product: Product, space: RunningSpace, clock: time_machine.Traveller
) -> None:
    """The reader is cut off, the Space is started again, and the call is then made again."""
    job = product.submit({**TRACK, "prompt": "an endless song"})
    ends = threading.Thread(target=end_while_read, args=[space])
    ends.start()
    run(product, clock, 10)
    ends.join()
    assert outcomes(product, job) == [("upstream", "no")]
    run(product, clock, 20)
    assert product.job(job["id"])["wait"]["reason"] == "model_loading"
    space.restart()
    run(product, clock, 120)
    assert outcomes(product, job)[-1] == ("succeeded", "no")


def end_while_read(space: RunningSpace) -> None:
    """End the app as soon as a caller reads the events of a call."""
    pause = threading.Event()
    while not any(READ.fullmatch(seen.path) and seen.method == "GET" and seen.status for seen in space.front.requests):
        pause.wait(0.02)
    space.app.kill()


def test_a_private_space_that_refuses_the_token_is_not_called_until_it_is_accepted(
    product: Product, space: RunningSpace, clock: time_machine.Traveller
) -> None:
    """The job waits and nothing is lost; the right token serves it."""
    store(product, "hf_OfSomebodyElse0123456789")
    job = product.submit(TRACK)
    run(product, clock, 60)
    assert product.job(job["id"])["wait"]["reason"] == "account_paused"
    assert [seen.status for seen in space.front.requests if "/call/" in seen.path] == [401]
    store(product, TOKEN)
    run(product, clock, 330)
    assert outcomes(product, job)[-1] == ("succeeded", "no")


def test_a_private_space_without_its_token_looks_as_if_there_were_none(
    product: Product, clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    """The job fails at once and free of charge, and the log names the command that stores a token."""
    product.aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString="{}")
    job = product.submit(TRACK)
    run(product, clock, 10)
    failed = product.job(job["id"])
    assert (failed["status"], failed["error"]["code"], failed["error"]["charged"]) == ("failed", "not_served", "no")
    assert "make token PROVIDER=space" in caplog.text


def test_the_doctor_finds_nothing_to_do(product: Product) -> None:
    """The Space runs, and its endpoint has the parameters that the routes send."""
    found = [row for row in product.examine() if row["route"] == "space"]
    assert {row["works"] for row in found} == {"yes"}
    assert len(found) == 7
