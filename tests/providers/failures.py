"""A provider's failure: how a test catches it and which facts it checks.

Each failure that is caught here is also checked for words that callers must not read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.protocol import PollError

from tests.harness.operators import leaks

#: How many generations a server may bill when the provider reports this charge.
BILLED = {Charged.NO: (0,), Charged.UNKNOWN: (0, 1), Charged.YES: (1,)}


def facts(error: ProviderError) -> tuple[FailureKind, Charged]:
    """The kind of a failure, and whether it was charged."""
    return error.kind, error.charged


def raised(call: Callable[..., object], *args: Any, **options: Any) -> ProviderError:
    """The provider's failure that this call raises."""
    with pytest.raises(ProviderError) as caught:
        call(*args, **options)
    assert leaks(caught.value) == []
    return caught.value


def poll_failure(call: Callable[..., object], *args: Any, **options: Any) -> ProviderError:
    """Why this poll failed; a failed poll says nothing about the generation."""
    with pytest.raises(PollError) as caught:
        call(*args, **options)
    assert leaks(caught.value.error) == []
    return caught.value.error
