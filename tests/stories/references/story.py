"""A story of a provider that answers with a reference: who is in it, and what it may begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import time_machine

from tests.harness.product import Answer, Product
from tests.harness.providers import Provider
from tests.stories.acts import run

BASE = "https://api.example.com/prod/"


@dataclass(frozen=True, kw_only=True)
class Story:
    """The product with one provider as its only server, on a public address; `server` plays that provider."""

    provider: Provider
    server: Any
    product: Product
    clock: time_machine.Traveller

    @property
    def made(self) -> Any:
        """The provider's last generation."""
        return self.server.made[-1]

    def submit(self, **more: Any) -> dict[str, Any]:
        """A job of the provider's."""
        return self.product.submit({**self.provider.request, **more})

    def begin(self, **more: Any) -> dict[str, Any]:
        """A job of which the provider has just been asked for a generation, past the partners that do not serve it."""
        job = self.submit(**more)
        for _ in (*self.provider.unserved, self.provider.name):
            self.product.deliver()
        return self.job(job)

    def run(self, seconds: int) -> None:
        """Let messages be delivered for so long."""
        run(self.product, self.clock, seconds)

    def job(self, job: dict[str, Any]) -> dict[str, Any]:
        """A job as it now is."""
        return self.product.job(job["id"])

    def charges(self, job: dict[str, Any]) -> list[str]:
        """What each attempt at the provider was charged, by the ledger."""
        attempts = self.job(job)["attempts"]
        return [attempt["charged"] for attempt in attempts if attempt["route"] == self.provider.name]

    def callback(self) -> tuple[str, bytes]:
        """The provider's callback about its last generation, as it comes to us: path and body."""
        callback = self.server.callback(self.made.id)
        assert callback.url.startswith(BASE)
        url = urlsplit(callback.url)
        return f"{url.path.removeprefix('/prod')}?{url.query}", callback.body

    def call_back(self) -> Answer:
        """The provider calls back about its last generation."""
        return self.product.call_back(*self.callback())

    def open_jobs(self) -> list[Any]:
        """The jobs that are not accounted for."""
        found = self.product.aws.dynamodb.query(
            TableName="jobs",
            IndexName="open",
            KeyConditionExpression="#o = :o",
            ExpressionAttributeNames={"#o": "open"},
            ExpressionAttributeValues={":o": {"S": "open"}},
        )
        return list(found["Items"])
