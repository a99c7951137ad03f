"""The description of the API, held against the API by a client that was made from it.

`EXAMPLES=200 pytest tests/stories/test_openapi.py` asks more.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from longplay.domain.models_file import load_catalogue
from longplay.http.openapi import openapi
from longplay.providers import PROVIDERS
from openapi_spec_validator import validate
from schemathesis import checks
from schemathesis.generation import GenerationMode

from tests.harness.in_process import BASE_URL, session_with
from tests.harness.product import Product

EXAMPLES = int(os.environ.get("EXAMPLES", "12"))
DAY = 86_400
DESCRIPTION = openapi(load_catalogue(PROVIDERS, servers={"*": "http://127.0.0.1/{model}"}), longest_deadline=DAY)
API = schemathesis.openapi.from_dict(DESCRIPTION).exclude(path="/key")  # API Gateway answers there by itself
OPERATIONS: list[Any] = [found.ok() for found in API.get_all_operations()]  # type: ignore[union-attr]
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


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


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_the_api_answers_as_it_is_described(operation: Any, session: requests.Session) -> None:
    """For valid and for broken requests: no unexpected status, type, header or document."""

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=st.one_of([operation.as_strategy(generation_mode=mode) for mode in MODES]))
    def ask(case: Any) -> None:
        answer = case.call(base_url=BASE_URL, session=session, allow_redirects=False)
        case.validate_response(answer, checks=CHECKS)

    ask()


def test_a_job_is_read_canceled_and_erased_by_the_links_of_its_answer(session: requests.Session) -> None:
    """A client that follows the description's links from job to job meets no answer that is not described."""

    class Links(API.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, _case: Any) -> dict[str, Any]:
            return {"session": session, "base_url": BASE_URL, "allow_redirects": False}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            case.validate_response(response, checks=CHECKS)

    Links.run(
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=6,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
    )
