"""The description of the API, and a client that was made from it (Schemathesis)."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyStrategyDefinition
from longplay.domain.models_file import load_catalogue
from longplay.http.openapi import openapi
from longplay.providers import PROVIDERS
from schemathesis import checks
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode

DAY = 86_400
DESCRIPTION = openapi(load_catalogue(PROVIDERS, servers={"*": "http://127.0.0.1/{model}"}), longest_deadline=DAY)
API = schemathesis.openapi.from_dict(copy.deepcopy(DESCRIPTION))  # it is changed where links are followed
OPERATIONS: list[Any] = [found.ok() for found in API.get_all_operations()]  # type: ignore[union-attr]
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
OPTIONS: dict[str, Any] = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


def ask(operation: Any, session: requests.Session, base_url: str, *, examples: int) -> None:
    """Valid and broken requests of an operation: fails at an unexpected status, type, header or document."""

    @settings(max_examples=examples, **OPTIONS)
    @given(case=st.one_of([operation.as_strategy(generation_mode=mode) for mode in MODES]))
    def each(case: Any) -> None:
        answer = case.call(base_url=base_url, session=session, allow_redirects=False)
        case.validate_response(answer, checks=CHECKS)

    each()


def follow_links(session: requests.Session, base_url: str, *, examples: int) -> None:
    """The operations that the links of answers lead to, from job to job; fails as `ask` does.

    Hypothesis expects the same answer to the same request, and a job goes on between them. Where it gives up at that,
    the run ends early, with what it has found until then.
    """
    found: list[BaseException] = []

    class Links(API.exclude(path=["/key", "/problems/{code}"]).as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, _case: Any) -> dict[str, Any]:
            return {"session": session, "base_url": base_url, "allow_redirects": False}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            try:
                case.validate_response(response, checks=CHECKS)
            except FailureGroup as failures:
                found.append(failures)
                raise

    with suppress(FlakyStrategyDefinition):
        Links.run(settings=settings(max_examples=examples, stateful_step_count=6, **OPTIONS))
    assert found == []
