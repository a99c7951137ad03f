"""Replicate's provider and its stand-in."""

import pytest

from tests.providers.own_apis.fixtures import asked, input_for, order, provider, stand_in, stand_ins, submit, tokens
from tests.providers.own_apis.table import REPLICATE, OwnApi

__all__ = ["asked", "input_for", "order", "provider", "stand_in", "stand_ins", "submit", "tokens"]


@pytest.fixture
def own() -> OwnApi:
    """The provider under test."""
    return REPLICATE
