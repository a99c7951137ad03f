"""A change of the API that would break a client of it is noticed, and one that would not is not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.project.description import breaking, described

Edit = Callable[[Any], object]


@pytest.fixture(scope="module")
def today() -> Any:
    """Today's description."""
    return described()


def _schemas(description: Any) -> Any:
    return description["components"]["schemas"]


def _generate(description: Any) -> Any:
    return _schemas(description)["GenerateRequest"]["properties"]


def _new_parameter(description: Any, *, required: bool) -> None:
    parameter = {"name": "x", "in": "query", "required": required, "schema": {"type": "string"}}
    description["paths"]["/jobs"]["get"]["parameters"].append(parameter)


BREAKS: dict[str, tuple[Edit, str]] = {
    "a path is gone": (lambda d: d["paths"].pop("/usage"), "GET /usage is gone"),
    "a method is gone": (lambda d: d["paths"]["/jobs/{id}"].pop("delete"), "DELETE /jobs/{id} is gone"),
    "a parameter is needed": (lambda d: _new_parameter(d, required=True), "GET /jobs needs the parameter x"),
    "a parameter is gone": (lambda d: d["paths"]["/jobs"]["get"]["parameters"].pop(), "has no parameter cursor"),
    "an answer is gone": (lambda d: d["paths"]["/generate"]["post"]["responses"].pop("202"), "does not answer 202"),
    "a member of an answer is gone": (lambda d: _schemas(d)["Job"]["properties"].pop("attempts"), "has no attempts"),
    "a member is optional now": (lambda d: _schemas(d)["Job"]["required"].remove("id"), "does not always have id"),
    "a member in a list is gone": (lambda d: _schemas(d)["Attempt"]["properties"].pop("usd"), "has no usd"),
    "a member has another type": (
        lambda d: _schemas(d)["Cost"]["properties"]["charged_usd"].update(type="string"),
        "charged_usd is of another type",
    ),
    "a word is not taken": (lambda d: _generate(d)["kind"]["enum"].remove("video"), "does not take video"),
    "a member is not taken": (lambda d: _generate(d).pop("tags"), "does not take tags"),
    "a member is needed": (lambda d: _schemas(d)["GenerateRequest"].update(required=["seed"]), "needs seed"),
    "a bound is narrower": (lambda d: _generate(d)["max_charges"].update(maximum=1), "has a narrower maximum"),
}
KEEPS: dict[str, Edit] = {
    "a new path": lambda d: d["paths"].update({"/new": d["paths"]["/models"]}),
    "a new parameter": lambda d: _new_parameter(d, required=False),
    "a new member of an answer": lambda d: _schemas(d)["Job"]["properties"].update(x={"type": "string"}),
    "a new member of a request": lambda d: _generate(d).update(x={"type": "string"}),
    "a new word that is taken": lambda d: _generate(d)["kind"]["enum"].append("speech"),
    "a wider bound": lambda d: _generate(d)["max_charges"].update(maximum=99),
    "another text": lambda d: d["info"].update(description="x"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_a_change_that_breaks_a_client_is_named(today: Any, case: str) -> None:
    """By its place and what it was."""
    edit, said = BREAKS[case]
    changed = copy.deepcopy(today)
    edit(changed)
    found = [*breaking(today, changed)]
    assert any(said in sentence for sentence in found), found


@pytest.mark.parametrize("case", KEEPS)
def test_a_change_that_breaks_no_client_is_let_through(today: Any, case: str) -> None:
    """Additions, wider bounds, and texts."""
    changed = copy.deepcopy(today)
    KEEPS[case](changed)
    assert (changed != today, [*breaking(today, changed)]) == (True, [])
