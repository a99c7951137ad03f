"""The queue between the end of a job and the function that tells its webhook. A message names a hook only."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from longplay.domain.hooks import Hook
from longplay.domain.schedule import LONGEST_DELAY
from longplay.storage.patience import Patience
from longplay.storage.queue import VERSION, UnreadableMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class HookMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A hook that is to be told, by its name."""

    version: int
    hook: str


def read_hook_message(body: str) -> HookMessage:
    """The message in an SQS record's body; raises UnreadableMessage."""
    try:
        message = msgspec.json.decode(body, type=HookMessage)
    except msgspec.DecodeError as error:
        raise UnreadableMessage(f"no message about a hook: {error}") from error
    if message.version != VERSION:
        raise UnreadableMessage(f"message version {message.version}; this deployment reads {VERSION}")
    return message


class HookQueue:
    """Sends hooks to the function that tells them. One that cannot be sent is left to the sweeper."""

    def __init__(self, client: SQSClient, url: str, patience: Patience) -> None:
        self._client = client
        self._url = url
        self._patience = patience

    def send(self, hook: Hook, *, now: float) -> None:
        """Send the hook's message, delayed until its `not_before`. The sweeper sends it if that is too far away."""
        delay = max(0, math.ceil(hook.not_before - now))
        if delay <= LONGEST_DELAY:
            self._patience.convenience(lambda: self._send(hook, delay), otherwise=None)

    def _send(self, hook: Hook, delay: int) -> None:
        self._patience.repeat(lambda: self._put(hook, delay))

    def _put(self, hook: Hook, delay: int) -> None:
        message = HookMessage(version=VERSION, hook=hook.name)
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=msgspec.json.encode(message).decode(),
            DelaySeconds=delay,
            MessageGroupId=hook.owner,
        )
