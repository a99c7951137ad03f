"""The deployed API answers as it is described, API Gateway and its key included; with few requests."""

from __future__ import annotations

import os
from typing import Any

import pytest
import requests

from tests.end_to_end.deployed_stack import DeployedStack
from tests.harness.described import OPERATIONS, ask, follow_links

EXAMPLES = int(os.environ.get("EXAMPLES", "6"))

pytestmark = pytest.mark.emulator


@pytest.fixture
def session(stack: DeployedStack) -> requests.Session:
    """A client with a key."""
    session = requests.Session()
    session.headers["x-api-key"] = stack.key
    return session


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_the_deployed_api_answers_as_it_is_described(
    operation: Any, stack: DeployedStack, session: requests.Session
) -> None:
    """For valid and for broken requests: no unexpected status, type, header or document."""
    ask(operation, session, stack.deployment.api_url, examples=EXAMPLES)


def test_a_job_is_read_canceled_and_erased_by_the_links_of_its_answer(
    stack: DeployedStack, session: requests.Session
) -> None:
    """From job to job, by the links of the description."""
    follow_links(session, stack.deployment.api_url, examples=EXAMPLES)
