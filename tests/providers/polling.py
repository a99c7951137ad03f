"""Steps of a generation that is polled: submit, poll until the result, catch the failure."""

from __future__ import annotations

from longplay.domain.errors import ProviderError
from longplay.providers.protocol import Accepted, Call, Done, PolledProvider, Provider

from tests.providers.failures import raised


def accepted(provider: Provider, asked: Call) -> Accepted:
    """The provider's answer to a submitted call, which is a reference."""
    answer = provider.submit(asked)
    assert isinstance(answer, Accepted)
    return answer


def poll_to_end(provider: PolledProvider, ref: str, asked: Call) -> Done:
    """The result, after as many polls as it takes."""
    while isinstance(answer := provider.poll(ref, asked), Accepted):
        assert answer.ref == ref
    return answer


def generate(provider: Provider, asked: Call) -> Done:
    """The result of a submitted call, polled for where the provider answers with a reference."""
    answer = provider.submit(asked)
    if isinstance(answer, Done):
        return answer
    assert isinstance(provider, PolledProvider)
    return poll_to_end(provider, answer.ref, asked)


def generation_failure(provider: Provider, asked: Call) -> ProviderError:
    """The failure of a submitted call, at once or at a later poll."""
    return raised(generate, provider, asked)
