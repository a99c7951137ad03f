"""The queues between submit and generator. A message names a job and its route, and nothing else."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from longplay.errors import LongplayError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_DELAY = 900  # seconds, an SQS limit
VERSION = 1


class UnreadableMessage(LongplayError):
    """A message no version of Longplay has written; it belongs into the dead-letter queue."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One step to take: of which job, by which route."""

    version: int
    job: str
    route: str


def read_message(body: str) -> Message:
    """The message in an SQS record's body; raises UnreadableMessage."""
    try:
        message = msgspec.json.decode(body, type=Message)
    except msgspec.DecodeError as error:
        raise UnreadableMessage(f"not a Longplay message: {error}") from error
    if message.version != VERSION:
        raise UnreadableMessage(f"message version {message.version}; this deployment reads {VERSION}")
    return message


class JobQueue:
    """Sends messages to the generator."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._url = queue_url

    def send(self, job_id: str, route: str, *, owner: str, delay: float = 0) -> None:
        """Have a job taken one step further in `delay` seconds (at most 900, an SQS limit).

        The owner is the message group: SQS's fair queues keep one owner from starving the others.
        """
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=msgspec.json.encode(Message(version=VERSION, job=job_id, route=route)).decode(),
            DelaySeconds=math.ceil(max(0, delay)),
            MessageGroupId=owner,
        )
