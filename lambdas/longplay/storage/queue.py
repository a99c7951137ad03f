"""The queues between submit and generator. A message names a job and its route, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from longplay.domain.errors import LongplayError
from longplay.domain.job import Job

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_DELAY = 900  # seconds, an SQS limit
VERSION = 1
_SENT_EARLY = 300  # seconds before a far start at which the sweeper sends its message


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


def first_look(job: Job, *, now: float, resend_after: float) -> float:
    """When the sweeper first looks after a job that starts at its `not_before`: a little later than its message comes.

    A start further away than a message can be delayed has no message yet: the sweeper is the one to send it. A start
    past the deadline never comes: the sweeper is the one to end the job.
    """
    start = job.not_before
    look = start + resend_after if start - now <= LONGEST_DELAY else start - _SENT_EARLY
    return look if job.status.finished else min(look, job.deadline)


class JobQueue:
    """Sends messages to the generator: by `calls` where its provider holds the line, by `steps` where it is asked."""

    def __init__(self, client: SQSClient, urls: Mapping[str, str]) -> None:
        self._client = client
        self._urls = urls

    def send(self, job: Job, *, now: float) -> None:
        """Have a job taken one step further when its time comes; not at all where that is the sweeper's to do.

        The owner is the message group: SQS's fair queues keep one owner from starving the others.
        """
        delay = max(0.0, job.not_before - now)
        if delay > LONGEST_DELAY:
            return
        self._client.send_message(
            QueueUrl=self._urls[job.queue],
            MessageBody=msgspec.json.encode(Message(version=VERSION, job=job.id, route=job.route)).decode(),
            DelaySeconds=math.ceil(delay),
            MessageGroupId=job.owner,
        )
