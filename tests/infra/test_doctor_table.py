"""The doctor's findings as a table in a terminal."""

from __future__ import annotations

from typing import Any

from infra.operator.doctor_table import table, unserved

WELL = {
    "server": "yes",
    "token": "yes",
    "accepted": "yes",
    "live": "yes",
    "open": "yes",
    "price": "yes",
    "limit": "yes",
}
REFUSED = {"server": "yes", "token": "yes", "accepted": "no", "price": "yes", "limit": "no"}
STORE = "Replicate refuses the token. Store another with `make token PROVIDER=replicate`."


def _route(model: str, route: str, works: str, findings: dict[str, str], advice: str | None = None) -> dict[str, Any]:
    row = {"model": model, "route": route, "provider": route, "account": route, "works": works}
    return {**row, "set_up": findings["server"] == "yes", "findings": findings, "advice": advice}


GOOD = _route("sdxl", "router", "yes", WELL)
BAD = _route("sdxl", "replicate", "no", REFUSED, STORE)


def test_each_route_has_a_row_with_its_next_step_at_the_end() -> None:
    """A route that works has no next step."""
    heading, good, bad, *_ = table([GOOD, BAD]).splitlines()
    assert heading.split("  ")[0] == "model"
    assert good.split() == ["sdxl", "router", "yes", "yes", "yes", "yes", "–", "yes", "yes", "yes", "yes"]
    assert bad.endswith(STORE)
    assert bad.split()[:10] == ["sdxl", "replicate", "NO", "yes", "yes", "NO", "–", "–", "–", "yes"]


def test_the_columns_are_aligned() -> None:
    """Each column starts at the same character in every row."""
    heading, good, bad, *_ = table([GOOD, BAD]).splitlines()
    assert heading.index("works") == good.index("yes") == bad.index("NO")


def test_an_account_without_a_limit_is_named_once() -> None:
    """Several routes may use one account."""
    another = {**BAD, "model": "musicgen-large"}
    assert table([GOOD, BAD, another]).count("No limit is set for replicate:") == 1


def test_an_account_that_is_not_set_up_needs_no_limit() -> None:
    """A limit matters only where calls are made."""
    assert "No limit" not in table([_route("sdxl", "fal", "no", {"server": "no", "limit": "no"}, "Name it.")])


def test_a_route_that_is_not_set_up_is_shown_as_off() -> None:
    """Its row still says how to set it up."""
    off = _route("sdxl", "fal", "no", {"server": "no", "price": "yes", "limit": "no"}, "To use it, name it.")
    _, row, *_, last = table([off]).splitlines()
    assert row.split()[2] == "off"
    assert row.endswith("To use it, name it.")
    assert last == "Not offered, because no server is set up for them: sdxl."


def test_a_model_that_is_not_offered_counts_as_unserved_only_if_no_model_is_offered() -> None:
    """An operator may leave models out."""
    off = _route("svd", "fal", "no", {"server": "no", "limit": "no"}, "To use it, name it.")
    assert unserved([GOOD, off]) == []
    assert unserved([off]) == ["svd"]


def test_a_model_is_unserved_if_no_route_of_it_may_work() -> None:
    """A route whose state is unknown may work."""
    unknown = _route("svd", "router", "unknown", {"server": "yes"})
    assert unserved([GOOD, BAD, {**BAD, "model": "svd"}, unknown]) == []
    assert unserved([GOOD, {**BAD, "model": "svd"}]) == ["svd"]
