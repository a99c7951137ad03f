"""A callback as a stand-in makes it."""

from dataclasses import dataclass

import requests

SECONDS_PATIENCE = 10


@dataclass(frozen=True, kw_only=True)
class Callback:
    """A POST to make."""

    url: str
    headers: dict[str, str]
    body: bytes

    def send(self) -> int:
        """Make it, and return the status it is answered with."""
        response = requests.post(
            self.url, data=self.body, headers=self.headers, timeout=SECONDS_PATIENCE, allow_redirects=False
        )
        return response.status_code
