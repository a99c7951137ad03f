"""Words that only the operator reads: servers, addresses, accounts, settings and commands."""

from __future__ import annotations

import re

from longplay.domain.caller_texts import failure_text, grace_text, poll_text, wait_text
from longplay.domain.errors import ProviderError

OPERATORS = re.compile(
    r"127\.0\.0\.1|localhost|10\.0\.0\.7|\w://|:\d{4}|\.(com|co|run|cloud|invalid|ai)\b|`make |models\.toml|\bservers\b"
    r"|\bsettings?\b|\bbucket\b|\bAWS\b|\barn:|\btoken\b(?! to)|\bbilling\b|\bcredits?\b|/models/|\blog\b",
    re.IGNORECASE,
)


def leaks(error: ProviderError) -> list[str]:
    """The texts that callers could read about an error and that have words for the operator in them."""
    texts = (failure_text(error, error.charged), wait_text(error), poll_text(error), grace_text(error))
    return [text for text in texts if OPERATORS.search(text)]
