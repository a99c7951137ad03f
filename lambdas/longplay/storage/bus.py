"""The event bus of the operator's account (Amazon EventBridge), on which every end of a job is an event."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from longplay.domain.hooks import Delivery


class EventsClient(Protocol):
    """The one call needed of boto3's EventBridge client."""

    def put_events(self, *, Entries: Sequence[Mapping[str, str]]) -> Mapping[str, Any]:  # noqa: N803 - AWS's spelling
        """Put events on a bus."""
        ...


class Bus:
    """The account's default bus. `source` tells this deployment's events from others."""

    def __init__(self, client: EventsClient, source: str) -> None:
        self._client = client
        self._source = source

    def put(self, kind: str, detail: str, *, now: float) -> Delivery:
        """Put one event, and say what came of it. A delivery has the status 200 where the bus has taken it."""
        began = time.monotonic()
        status, outcome = self._put(kind, detail)
        return Delivery(started_at=now, seconds=time.monotonic() - began, outcome=outcome, status=status)

    def _put(self, kind: str, detail: str) -> tuple[int | None, str]:
        entry = {"Source": self._source, "DetailType": kind, "Detail": detail}
        try:
            answer = self._client.put_events(Entries=[entry])
        except (ClientError, BotoCoreError) as error:
            return None, f"The event bus did not answer: {error}"
        if answer["FailedEntryCount"]:
            return None, f"The event bus refused it: {answer['Entries'][0].get('ErrorCode')}"
        return 200, "The event bus took it."
