"""The items of an outbox, and the queue of their messages. The open ones stand in the index of open jobs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from zlib import crc32

import msgspec
from msgspec.structs import replace

from longplay.domain import changes
from longplay.domain.outbox import Entry
from longplay.domain.schedule import LONGEST_DELAY
from longplay.storage.patience import Patience
from longplay.storage.queue import VERSION, UnreadableMessage
from longplay.storage.table import Item, Part, Table, WriteRefused, new_token

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

T = TypeVar("T", bound=Entry)


class Outbox(Generic[T]):
    """The entries of one kind by name, such as `hook`. Each method raises Unavailable.

    The open ones stand under `shards` keys of the index, each a partition that takes 1,000 writes a second.
    """

    def __init__(self, table: Table, kind: str, entry: type[T], *, shards: int) -> None:
        self._table = table
        self._kind = kind
        self._entry = entry
        self._shards = shards

    def find(self, name: str) -> T | None:
        """The entry as it stands now."""
        item = self._table.get(self.key(name))
        return self.read(item) if item else None

    def find_all(self, names: Sequence[str]) -> list[T]:
        """The entries of these names that there are, in any order; at most 100."""
        return [*map(self.read, self._table.get_all([*map(self.key, names)]).values())]

    def next(self, entry: T, *, seen: T, beside: Sequence[Part] = ()) -> T | None:
        """Write the entry as a step leaves it, and return it with its new token; None if another step came first."""
        after = replace(entry, token=new_token())
        part = self._table.put(self._kind, self.item(after), changes.OUTBOX_NEXT, seen=seen.token)
        try:
            self._table.write(part, *beside)
        except WriteRefused as refused:
            found = refused.items.get(self._kind)
            if found is None or found["token"] != after.token:  # not a repeat of this write, after a lost reply
                return None
        return after

    def due(self, now: float) -> Iterator[str]:
        """The names of the entries that are due, the longest due first."""
        condition = "#open = :open AND #due_at <= :now"
        found = (
            self._table.query("open", condition, open=self._place(shard), now=now) for shard in range(self._shards)
        )
        for item in merge(*found, key=itemgetter("due_at")):
            yield item["pk"].removeprefix(self.key(""))

    def key(self, name: str) -> str:
        """The key of an entry's item."""
        return f"{self._kind}#{name}"

    def item(self, entry: T) -> Item:
        """The entry as it is stored."""
        values = {name: value for name, value in msgspec.to_builtins(entry).items() if value is not None}
        opened = {"open": self._place(crc32(entry.name.encode()) % self._shards)} if entry.due_at is not None else {}
        return {"pk": self.key(entry.name), **values, **opened}

    def read(self, item: Item) -> T:
        """The entry in an item."""
        return msgspec.convert(item, self._entry, strict=False)

    def _place(self, shard: int) -> str:
        return f"{self._kind}s#{shard}"


@dataclass(frozen=True, kw_only=True)
class OutboxQueue:
    """Sends the messages of entries of one kind. One that cannot be sent is left to the sweeper."""

    client: SQSClient
    url: str
    patience: Patience
    kind: str

    def send(self, entry: Entry, *, now: float) -> None:
        """Send the entry's message, delayed until its `not_before`. The sweeper sends it if that is too far away."""
        delay = max(0, math.ceil(entry.not_before - now))
        if delay <= LONGEST_DELAY:
            self.patience.convenience(lambda: self._send(entry, delay), otherwise=None)

    def _send(self, entry: Entry, delay: int) -> None:
        self.patience.repeat(lambda: self._put(entry, delay))

    def _put(self, entry: Entry, delay: int) -> None:
        message = {"version": VERSION, self.kind: entry.name, "token": entry.token}
        self.client.send_message(
            QueueUrl=self.url,
            MessageBody=msgspec.json.encode(message).decode(),
            DelaySeconds=delay,
            MessageGroupId=entry.owner,
        )


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A message about an entry, by its name. `token` is the entry's when the message was sent."""

    version: int
    name: str
    token: str = ""


def is_about(body: str, kind: str) -> bool:
    """Whether a message on a queue of several kinds is about an entry of this one."""
    return f'"{kind}":' in body


def read_note(body: str, kind: str) -> Note:
    """The message in an SQS record's body; raises UnreadableMessage."""
    try:
        members = msgspec.json.decode(body, type=dict[str, Any])
        note = msgspec.convert({**members, "name": members.get(kind)}, Note)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise UnreadableMessage(f"no message about a {kind}: {error}") from error
    if note.version != VERSION:
        raise UnreadableMessage(f"message version {note.version}; this deployment reads {VERSION}")
    return note
