"""Callbacks, the only path that needs no API key, through the deployed stack."""

from __future__ import annotations

import pytest

from tests.end_to_end.deployed_stack import DeployedStack


@pytest.mark.parametrize("secret", ["", "?t=", "?t=guessed"])
def test_a_callback_for_no_known_attempt_is_answered_without_a_key(deployed: DeployedStack, secret: str) -> None:
    """The error code shows that the function answered, not API Gateway's own 404."""
    answer = deployed.post(f"/callbacks/replicate/unknown/1{secret}", {"id": "some"}, key=None)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "callback_unknown"
