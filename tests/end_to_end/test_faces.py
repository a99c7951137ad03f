"""Held answers leave room for the work: AWS gives a new account ten functions at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from longplay.domain.settings import Settings

from tests.end_to_end.deployed_stack import DeployedStack

CALLERS = 10  # as many as a new account's functions at once (AWS: Lambda quotas, 2026-11)
SECONDS = 6  # of a generation

pytestmark = pytest.mark.emulator


def test_ten_callers_at_once_leave_the_generator_its_functions(stack: DeployedStack) -> None:
    """As many as may are held and get their file; the others are told at once, and no job is made for them.

    A plain request that comes in between is generated as if they were not there.
    """
    stack.server.fault("slow", seconds=SECONDS, times=None)
    with ThreadPoolExecutor(CALLERS) as callers:
        asked = [callers.submit(_image, stack, f"an image for caller {n}") for n in range(CALLERS)]
        job_id = stack.submit(prompt="a song for another caller", model="musicgen-small", duration=1)
        assert stack.wait(job_id)["status"] == "succeeded"
        answers = [each.result() for each in asked]
    assert Counter(answer.status_code for answer in answers) == {200: Settings().held_answers, 429: 7}
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 429)
    assert stack.server.generations == Settings().held_answers + 1


def _image(stack: DeployedStack, prompt: str) -> requests.Response:
    return requests.post(
        f"{stack.deployment.faces_url}/models/runwayml/stable-diffusion-v1-5",
        headers={"Authorization": f"Bearer {stack.key}"},
        json={"inputs": prompt},
        timeout=120,
    )
