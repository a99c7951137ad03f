"""The queues between submit and generator. A message names a job and its route only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from longplay.domain.errors import LongplayError
from longplay.domain.job import Job, Status, WaitReason
from longplay.domain.schedule import EARLY, LONGEST_DELAY
from longplay.storage.patience import Patience

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

VERSION = 1


class UnreadableMessage(LongplayError):
    """The body is no message of Longplay. It goes to the dead-letter queue."""


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The next step of a job, by the route it had when the message was sent.

    `not_before` (epoch seconds) is when the step may be made: the message of a reserved start comes before it, and any
    message seems to where the clock of the worker is behind.
    """

    version: int
    job: str
    route: str
    not_before: float = 0.0


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
    """Sends messages to the generator: `calls` for providers that keep the connection open, `steps` for the others."""

    def __init__(self, client: SQSClient, urls: Mapping[str, str], patience: Patience | None = None) -> None:
        self._client = client
        self._urls = urls
        self._patience = patience or Patience()

    def send(self, job: Job, *, now: float) -> None:
        """Send the job's message, delayed until its `not_before`. The sweeper sends it if that is too far away.

        The message of a job with a reserved start comes a second or two before it, since SQS may deliver it late.

        The owner is the message group: SQS's fair queues keep one owner from delaying the others. A message that
        cannot be sent is left to the sweeper too: the job is written, and nothing is lost.
        """
        delay = job.not_before - now
        if delay <= LONGEST_DELAY:
            self._patience.convenience(lambda: self._send(job, delay), otherwise=None)

    def tell(self, job_ids: Iterable[str], *, of: Job) -> None:
        """Send each of these jobs its message now. They follow the job `of`, which has ended."""
        for job_id in job_ids:
            message = Message(version=VERSION, job=job_id, route=of.leg.route)
            self._patience.convenience(partial(self._tell, message, of), otherwise=None)

    def _tell(self, message: Message, of: Job) -> None:
        self._patience.repeat(lambda: self._put(message, of, delay=0))

    def _send(self, job: Job, delay: float) -> None:
        self._patience.repeat(lambda: self._send_once(job, delay))

    def _send_once(self, job: Job, delay: float) -> None:
        reserved = _waits_for_its_slot(job)
        message = Message(version=VERSION, job=job.id, route=job.leg.route, not_before=job.not_before)
        self._put(message, job, delay=max(0, math.floor(delay - EARLY) if reserved else math.ceil(delay)))

    def _put(self, message: Message, job: Job, *, delay: int) -> None:
        self._client.send_message(
            QueueUrl=self._urls.get(job.leg.queue) or self._urls["calls"],  # a later version may have more queues
            MessageBody=msgspec.json.encode(message).decode(),
            DelaySeconds=delay,
            MessageGroupId=job.owner,
        )


def _waits_for_its_slot(job: Job) -> bool:
    """Whether its start is reserved. A job that waits for a seat has had its slot; a worker must not wait with it."""
    for_a_seat = job.wait is not None and job.wait.reason is WaitReason.CONCURRENCY
    return job.slot is not None and job.status is Status.QUEUED and not for_a_seat
