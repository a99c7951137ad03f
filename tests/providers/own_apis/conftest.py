"""Each provider with its own API, in turn."""

from tests.providers.own_apis.fixtures import (
    asked,
    input_for,
    order,
    own,
    provider,
    stand_in,
    stand_ins,
    submit,
    tokens,
)

__all__ = ["asked", "input_for", "order", "own", "provider", "stand_in", "stand_ins", "submit", "tokens"]
