"""The items of batches, and their lines in the bucket, which are read a step at a time and erased once let in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec.structs import replace

from longplay.domain import changes
from longplay.domain.batches import STEP, Batch, Line, RefusedLine
from longplay.domain.listing import Position
from longplay.storage.files import erase_prefix, unless_missing
from longplay.storage.outbox import Outbox
from longplay.storage.patience import Patience
from longplay.storage.table import Item, Table, WriteRefused

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")
_LISTED = "batches#"  # before the owner's name, so that batches are not in the list of its jobs


class Batches(Outbox[Batch]):
    """Batches by id. Each method raises Unavailable."""

    def __init__(self, table: Table) -> None:
        super().__init__(table, "batch", Batch, shards=1)

    def create(self, batch: Batch, *, now: float) -> Batch | None:
        """Put a new batch, or one in the place of an expired one. Returns the one that is there instead, if any."""
        try:
            self._table.write(self._table.put(self._kind, self.item(batch), changes.CREATE, now=now))
        except WriteRefused as refused:
            found = self.read(refused.items[self._kind] or {})
            return None if found.token == batch.token else found  # a repeat of this write, after a lost reply
        return None

    def of_owner(self, owner: str, *, since: float, after: Position | None, page: int) -> Iterator[Position]:
        """Where the owner's batches since this time (epoch seconds) stand in its list, the newest first."""
        place = f"{_LISTED}{owner}"
        begin = {"pk": self.key(after.job), "owner": place, "created_at": after.created_at} if after else None
        condition = "#owner = :owner AND #created_at >= :since"
        found = self._table.query(
            "mine", condition, after=begin, newest_first=True, page=page, owner=place, since=since
        )
        for item in found:
            yield Position(item["created_at"], item["pk"].removeprefix(self.key("")))

    def item(self, entry: Batch) -> Item:
        """The batch as it is stored."""
        return {**super().item(entry), "owner": f"{_LISTED}{entry.owner}"}

    def read(self, item: Item) -> Batch:
        """The batch in an item."""
        batch = super().read(item)
        return replace(batch, owner=batch.owner.removeprefix(_LISTED))


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """All lines without what they ask for: their `custom_ids`, and those that were refused at once."""

    custom_ids: list[str | None]
    refused: list[RefusedLine]


class BatchFiles:
    """Lines under `batches/{folder}/`, where a folder is `Batch.folder`. Methods raise Unavailable."""

    def __init__(self, client: S3Client, bucket_name: str, patience: Patience) -> None:
        self._client = client
        self._bucket = bucket_name
        self._patience = patience

    def store(self, batch: Batch, lines: Sequence[Line], index: Index) -> None:
        """Put the lines of a new batch, a file for each step that will let them in."""
        for begin in range(0, batch.total, STEP):
            these = [line for line in lines if begin <= line.number < begin + STEP]
            self._put(_lines(batch, begin), these)
        self._put(_index(batch), index)

    def lines(self, batch: Batch, number: int) -> list[Line] | None:
        """The lines that are stored with this one; None if they are erased, since all are let in."""
        return self._read(_lines(batch, number), list[Line])

    def index(self, batch: Batch) -> Index:
        """The index of all lines."""
        return self._read(_index(batch), Index) or Index(custom_ids=[None] * batch.total, refused=[])

    def refuse(self, batch: Batch, line: RefusedLine) -> None:
        """Keep why a line did not become a job when it was its turn."""
        self._put(_refusal(batch, line.number), line)

    def refusal(self, batch: Batch, number: int) -> RefusedLine | None:
        """Why the line did not become a job when it was its turn."""
        return self._read(_refusal(batch, number), RefusedLine)

    def erase_lines(self, batch: Batch, number: int) -> None:
        """Delete the lines that are stored with this one."""
        self._patience.repeat(lambda: self._client.delete_object(Bucket=self._bucket, Key=_lines(batch, number)))

    def erase_all_lines(self, batch: Batch) -> None:
        """Delete every line that is still stored, and the batch's copies of images."""
        for prefix in (f"{_folder(batch)}/lines/", f"inputs/{batch.folder}/"):
            erase_prefix(self._client, self._bucket, prefix, self._patience)

    def _put(self, key: str, value: object) -> None:
        body = msgspec.json.encode(value)
        self._patience.repeat(lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=body))

    def _read(self, key: str, kind: type[T]) -> T | None:
        def get() -> bytes:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()

        body = self._patience.repeat(lambda: unless_missing(get))
        return None if body is None else msgspec.json.decode(body, type=kind)


def _folder(batch: Batch) -> str:
    return f"batches/{batch.folder}"


def _index(batch: Batch) -> str:
    return f"{_folder(batch)}/index"


def _lines(batch: Batch, number: int) -> str:
    return f"{_folder(batch)}/lines/{number // STEP}"


def _refusal(batch: Batch, number: int) -> str:
    return f"{_folder(batch)}/refused/{number}"
