"""How a provider with an API of its own is called to the end, and what then can be said of it."""

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.protocol import Accepted, Call, Done, PolledProvider


def settle(provider: PolledProvider, ref: str, asked: Call) -> Done:
    """Poll until there is an answer."""
    while isinstance(answer := provider.poll(ref, asked), Accepted):
        assert answer.ref == ref
    return answer


def failure(provider: PolledProvider, asked: Call) -> ProviderError:
    """What submitting and polling to the end raises."""
    with pytest.raises(ProviderError) as caught:
        settle(provider, provider.submit(asked).ref, asked)
    return caught.value


def facts(error: ProviderError) -> tuple[FailureKind, Charged]:
    """What kind of failure it is, and what it cost."""
    return error.kind, error.charged
