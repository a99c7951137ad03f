"""Each provider with an API of its own, the stand-in that plays it, and the calls that are made of it."""

from contextlib import ExitStack

import pytest

from tests.providers.conftest import Tokens
from tests.providers.own_apis.table import OWN_APIS


@pytest.fixture(params=OWN_APIS, ids=lambda own: own.name)
def own(request):
    """Each in turn."""
    return request.param


@pytest.fixture(scope="session")
def stand_ins():
    with ExitStack() as stack:
        yield {own.name: stack.enter_context(own.stand_in(quick=True, token=own.token)) for own in OWN_APIS}


@pytest.fixture
def stand_in(stand_ins, own):
    """The provider's, with no faults set and nothing remembered: a generation is over at its second poll."""
    stand_ins[own.name].clear()
    return stand_ins[own.name]


@pytest.fixture
def tokens(own):
    return Tokens({own.name: own.token, "huggingface": "hf_AbCdEfGh0123456789"})


@pytest.fixture
def provider(own, tokens):
    return own.adapter(tokens.get, forget_tokens=tokens.forget)


@pytest.fixture
def order(own, stand_in, tmp_path):
    """Any of its calls, by name."""
    return lambda name, **fields: own.call(name, stand_in.url, tmp_path, **fields)


@pytest.fixture
def asked(order):
    return order("music")


@pytest.fixture
def submit(server, own, provider, tmp_path):
    """Submit a call to a server that says what a test wants."""

    def make(name="music", url=f"http://127.0.0.1:{server.port}", **fields):
        return provider.submit(own.call(name, url, tmp_path, **fields))

    return make


@pytest.fixture
def input_for(own, tmp_path):
    """What the provider's model is sent."""
    return lambda name, **fields: own.input_of(own.call(name, f"https://{own.host}", tmp_path, **fields))
