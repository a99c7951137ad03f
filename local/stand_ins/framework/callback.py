"""A callback: the POST by which a provider reports that a generation has ended."""

from dataclasses import dataclass

import requests

TIMEOUT = 10  # seconds


@dataclass(frozen=True, kw_only=True)
class Callback:
    """The request, ready to send."""

    url: str
    headers: dict[str, str]
    body: bytes

    def send(self) -> int:
        """Send it; returns the status of the answer."""
        response = requests.post(self.url, data=self.body, headers=self.headers, timeout=TIMEOUT, allow_redirects=False)
        return response.status_code
