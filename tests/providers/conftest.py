"""A server that sends what a test says, and the tokens that are stored."""

from collections.abc import Iterator

import pytest

from tests.providers.payloads import OWN_TOKEN, TOKEN
from tests.providers.raw_server import RawServer
from tests.providers.tokens import Tokens


@pytest.fixture
def server() -> Iterator[RawServer]:
    """A server that answers as its `script` says."""
    with RawServer() as raw_server:
        yield raw_server


@pytest.fixture
def tokens() -> Tokens:
    """Hugging Face's token, and the operator's for a self-hosted server."""
    return Tokens(huggingface=TOKEN, self_hosted=OWN_TOKEN)
