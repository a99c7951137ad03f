"""How many messages of each queue wait for a worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from longplay.storage.patience import Patience

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_FRESH = 5.0  # seconds


class Backlog:
    """The messages that could be delivered now if a worker were free, as SQS estimates them."""

    def __init__(
        self,
        client: SQSClient,
        urls: Mapping[str, str],
        patience: Patience | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._urls = urls
        self._patience = patience or Patience()
        self._clock = clock
        self._known: dict[str, tuple[float, int]] = {}

    def waiting(self, queue: str) -> int:
        """The number for `calls` or `steps`, at most 5 s old. 0 if SQS does not answer within a second."""
        fresh_until, waiting = self._known.get(queue, (0.0, 0))
        if self._clock() >= fresh_until:
            waiting = self._patience.convenience(lambda: self._patience.repeat(lambda: self._asked(queue)), otherwise=0)
            self._known[queue] = (self._clock() + _FRESH, waiting)
        return waiting

    def one_more(self, queue: str) -> None:
        """Count a message that this function has sent since it asked."""
        fresh_until, waiting = self._known.get(queue, (0.0, 0))
        self._known[queue] = (fresh_until, waiting + 1)

    def _asked(self, queue: str) -> int:
        answer = self._client.get_queue_attributes(
            QueueUrl=self._urls[queue], AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])
