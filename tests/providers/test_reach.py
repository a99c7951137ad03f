"""Addresses that providers return."""

from __future__ import annotations

import pytest
from longplay.providers.reach import path_of


@pytest.mark.parametrize("address", ["https://[x", 7, None, {"a": 1}, ""])
def test_a_value_that_is_no_address_has_no_path(address: object) -> None:
    """A value that is no address has an empty path, and raises nothing."""
    assert "/" not in path_of(address)
