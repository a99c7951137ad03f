"""The description of the API, held against the API by a client that was made from it.

`EXAMPLES=200 pytest tests/stories/test_openapi.py` asks more.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
import requests
from openapi_spec_validator import validate

from tests.harness.described import DESCRIPTION, OPERATIONS, ask, follow_links
from tests.harness.in_process import BASE_URL, session_with
from tests.harness.product import Product

EXAMPLES = int(os.environ.get("EXAMPLES", "12"))
# API Gateway answers the one by itself; the other is a function with an asset that is built (tests/infra/test_web.py)
ELSEWHERE = ("/key", "/problems/{code}")
BY_FUNCTIONS = [operation for operation in OPERATIONS if operation.path not in ELSEWHERE]


@pytest.fixture
def session(product_with: Callable[..., Product]) -> requests.Session:
    """A client of a deployment."""
    return session_with(product_with())


def test_it_is_valid_openapi() -> None:
    """By the validator of the OpenAPI community."""
    validate(DESCRIPTION)


def test_it_is_served_without_a_key(product: Product) -> None:
    """With its ETag, so that a client may keep it."""
    answer = product.get("/openapi.json", key="")
    assert answer.json["paths"] == DESCRIPTION["paths"]
    assert product.get("/openapi.json", key="", If_None_Match=answer.headers["ETag"]).status == 304


@pytest.mark.parametrize("operation", BY_FUNCTIONS, ids=lambda operation: operation.label)
def test_the_api_answers_as_it_is_described(operation: Any, session: requests.Session) -> None:
    """For valid and for broken requests: no unexpected status, type, header or document."""
    ask(operation, session, BASE_URL, examples=EXAMPLES)


def test_a_job_is_read_canceled_and_erased_by_the_links_of_its_answer(session: requests.Session) -> None:
    """A client that follows the description's links from job to job meets no answer that is not described."""
    follow_links(session, BASE_URL, examples=EXAMPLES)
