"""Calls to Hugging Face's provider: the model, and the types of the fixtures that make them."""

from __future__ import annotations

from collections.abc import Callable

from longplay.domain.errors import ProviderError
from longplay.providers.protocol import Done

MODEL = "facebook/musicgen-small"

#: Submits a call of this kind, with fields of the call.
Submit = Callable[..., Done]
#: The same, for the failure it raises.
Failure = Callable[..., ProviderError]
