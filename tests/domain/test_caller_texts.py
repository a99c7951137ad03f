"""The texts for callers about a failed call: the failure, its cost, their next step, and nothing for the operator."""

from __future__ import annotations

import pytest
from longplay.domain.caller_texts import (
    AWS_BUSY,
    COSTS,
    NO_MORE_CALLS,
    NOT_YET_STORED,
    REFUSED_ACCESS,
    TEXTS,
    failure_text,
    grace_text,
    poll_text,
    wait_text,
)
from longplay.domain.errors import Case, Charged, FailureKind, ProviderError

from tests.harness.operators import OPERATORS, leaks

FINDING = "the token was refused: gpu.example.com:8080 answered 401 for facebook/x. Run `make token PROVIDER=y`."


def test_every_failure_has_a_text() -> None:
    """One for each kind, and one for each case."""
    assert set(TEXTS) == {*FailureKind, *Case}


@pytest.mark.parametrize("charged", Charged)
@pytest.mark.parametrize("kind", FailureKind)
def test_a_text_says_what_happened_what_it_cost_and_what_to_do(kind: FailureKind, charged: Charged) -> None:
    """In this order, in whole sentences, without a word of the finding."""
    error = ProviderError(kind, FINDING, charged=charged)
    text = failure_text(error, charged)
    what, _, advice = text.partition(f" {COSTS[charged]} ")
    assert what.endswith(".")
    assert advice.endswith(".")
    assert leaks(error) == []


@pytest.mark.parametrize("case", Case)
def test_a_case_has_its_own_text(case: Case) -> None:
    """In place of that of its kind."""
    error = ProviderError(FailureKind.UPSTREAM, FINDING, case=case)
    assert failure_text(error, Charged.NO).startswith(TEXTS[case].what)
    assert leaks(error) == []


def test_the_models_own_words_are_quoted_where_they_help() -> None:
    """A refused request says which field is wrong; without a reason it says so."""
    told = ProviderError(FailureKind.BAD_INPUT, FINDING, detail="steps must be positive.")
    silent = ProviderError(FailureKind.BAD_INPUT, FINDING)
    assert failure_text(told, Charged.NO) == (
        "The model refused the request: steps must be positive. It cost nothing. Change what it complains about."
    )
    assert failure_text(silent, Charged.NO).startswith("The model refused the request: it gave no reason. ")


def test_words_of_the_model_with_braces_are_no_format() -> None:
    """They are quoted as they are."""
    error = ProviderError(FailureKind.BAD_INPUT, FINDING, detail="{'seed': {detail} {0}}")
    assert "{'seed': {detail} {0}}" in failure_text(error, Charged.NO)


def test_a_wait_says_that_the_job_goes_on_by_itself() -> None:
    """Also while a provider may call back, and after a poll, which costs nothing in any case."""
    error = ProviderError(FailureKind.TIMEOUT, FINDING, charged=Charged.UNKNOWN)
    assert wait_text(error) == (
        "The provider did not finish in time. It may have been charged. The job waits and tries again by itself."
    )
    assert "may still report a result" in grace_text(error)
    assert "charged" not in poll_text(error)
    assert "refuses this deployment's access" in poll_text(ProviderError(FailureKind.AUTH, FINDING))


@pytest.mark.parametrize("text", [REFUSED_ACCESS, AWS_BUSY, NOT_YET_STORED, NO_MORE_CALLS])
def test_the_other_texts_are_for_callers_too(text: str) -> None:
    """They have no word for the operator."""
    assert OPERATORS.search(text) is None
