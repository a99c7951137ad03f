"""The product and one provider that answers with a reference, with the actions that the stories share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import time_machine

from tests.harness.product import Answer, Product
from tests.harness.providers import Provider
from tests.stories.actions import run

BASE = "https://api.example.com/prod/"


@dataclass(frozen=True, kw_only=True)
class Story:
    """The product with one provider as its only server; `server` is that provider's stand-in."""

    provider: Provider
    server: Any
    product: Product
    clock: time_machine.Traveller

    @property
    def made(self) -> Any:
        """The provider's last generation."""
        return self.server.made[-1]

    def submit(self, **more: Any) -> dict[str, Any]:
        """Submit a job that this provider serves."""
        return self.product.submit({**self.provider.request, **more})

    def begin(self, **more: Any) -> dict[str, Any]:
        """Submit a job, and deliver messages until the provider has started its generation.

        Each partner that does not serve the model takes one delivery more.
        """
        job = self.submit(**more)
        for _ in (*self.provider.unserved, self.provider.name):
            self.product.deliver()
        return self.job(job)

    def run(self, seconds: int) -> None:
        """Deliver messages every 5 seconds, for this many seconds."""
        run(self.product, self.clock, seconds)

    def job(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job as its caller sees it now."""
        return self.product.job(job["id"])

    def charges(self, job: dict[str, Any]) -> list[str]:
        """The charge of each attempt at this provider: `yes`, `no` or `unknown`."""
        attempts = self.job(job)["attempts"]
        return [attempt["charged"] for attempt in attempts if attempt["route"] == self.provider.name]

    def callback(self) -> tuple[str, bytes]:
        """The path and the body of the provider's callback about its last generation."""
        callback = self.server.callback(self.made.id)
        assert callback.url.startswith(BASE)
        url = urlsplit(callback.url)
        return f"{url.path.removeprefix('/prod')}?{url.query}", callback.body

    def call_back(self) -> Answer:
        """Send the provider's callback about its last generation."""
        return self.product.call_back(*self.callback())

    def open_jobs(self) -> list[Any]:
        """The items of the jobs whose cost is not settled yet."""
        return [item for item in self.product.aws.dynamodb.scan(TableName="jobs")["Items"] if "open" in item]
