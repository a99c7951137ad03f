"""Parses the query of a list of jobs, and the cursor that continues it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from longplay.domain.catalogue import Catalogue, Kind
from longplay.domain.errors import InvalidParameter
from longplay.domain.job import Job, Status
from longplay.domain.query import one, refuse_others, whole_number

MOST_LISTED = 100
USUALLY_LISTED = 20
_LAST = 253402300799.0  # the end of the year 9999 in epoch seconds
_A_TIME = "a time with its zone, such as 2026-11-25T10:00:00Z"


class Position(msgspec.Struct, frozen=True, array_like=True):
    """The place of a job in its owner's list: when it was created (epoch seconds), and its id."""

    created_at: Annotated[float, Meta(ge=1, le=_LAST)]
    job: Annotated[str, Meta(pattern="^[a-z2-7]{26}$")]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs a caller asks for: all those to which every filter applies, newest first.

    The times are epoch seconds; a job created at `created_before` is not listed. `after` is the last job of the page
    before.
    """

    status: frozenset[Status] = frozenset(Status)
    kind: frozenset[Kind] = frozenset(Kind)
    model: str | None = None
    batch: str | None = None
    tag: Mapping[str, str] = {}
    created_after: float = 0.0
    created_before: float = _LAST
    limit: int = USUALLY_LISTED
    after: Position | None = None

    @property
    def selective(self) -> bool:
        """Whether it may leave out jobs of its time."""
        return replace(self, created_after=0.0, created_before=_LAST, limit=USUALLY_LISTED, after=None) != Wanted()

    def includes(self, job: Job) -> bool:
        """Whether every filter applies to the job."""
        request = job.request
        return (
            job.status in self.status
            and request.kind in self.kind
            and self.model in (None, request.model)
            and self.batch in (None, job.batch)
            and self.tag.items() <= job.tags.items()
        )


def parse_listing(query: Mapping[str, Sequence[str]], owner: str, catalogue: Catalogue) -> Wanted:
    """The list that the parameters of a query ask for; raises InvalidParameter with the parameter and its bound."""
    fields = {name: _PARSERS[name](values, catalogue) for name, values in query.items() if name in _PARSERS}
    refuse_others(query, *_PARSERS, "cursor")
    wanted = Wanted(**fields)
    if wanted.created_after > wanted.created_before:  # DynamoDB refuses such a range, too
        raise InvalidParameter("created_after", "`created_after` must not be later than `created_before`.")
    after = _position(one("cursor", query["cursor"]), owner, wanted) if "cursor" in query else None
    return replace(wanted, after=after)


def parse_batch_listing(query: Mapping[str, Sequence[str]], owner: str) -> Wanted:
    """The list of batches that a query asks for; raises InvalidParameter."""
    refuse_others(query, "limit", "cursor")
    wanted = Wanted(limit=_limit(query["limit"], None)) if "limit" in query else Wanted()
    after = _position(one("cursor", query["cursor"]), owner, wanted) if "cursor" in query else None
    return replace(wanted, after=after)


def parse_begin(query: Mapping[str, Sequence[str]], *, total: int) -> int:
    """The first line of a page of results, from 0; raises InvalidParameter."""
    refuse_others(query, "from")
    return whole_number("from", one("from", query.get("from", ["0"])), least=0, most=total - 1)


def cursor_after(position: Position, owner: str, wanted: Wanted) -> str:
    """The text that continues this owner's list after a job, with the same filters."""
    sealed = msgspec.json.encode([position, _seal(position, owner, wanted)])
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _position(cursor: str, owner: str, wanted: Wanted) -> Position:
    try:
        sealed = base64.urlsafe_b64decode(cursor + "==")
        position, seal = msgspec.json.decode(sealed, type=tuple[Position, str])
    except (ValueError, msgspec.DecodeError):
        raise _foreign() from None
    if seal != _seal(position, owner, wanted):
        raise _foreign()
    return position


def _seal(position: Position, owner: str, wanted: Wanted) -> str:
    """Shows to which list a cursor belongs. It is no secret: another owner's position opens no job."""
    filters = replace(wanted, limit=0, after=None)
    return hashlib.sha256(msgspec.json.encode([position, owner, filters], order="deterministic")).hexdigest()[:16]


def _foreign() -> InvalidParameter:
    return InvalidParameter(
        "cursor", "`cursor` is not from a list with these filters. Leave it out to start with the newest job."
    )


def _words(name: str, words: type[Status] | type[Kind]) -> Callable[[Sequence[str], Catalogue], frozenset[Any]]:
    def parse(values: Sequence[str], _: Catalogue) -> frozenset[Any]:
        if not set(values) <= {*words}:
            raise InvalidParameter(name, f"`{name}` must be one of {', '.join(words)}; it may be given several times.")
        return frozenset(map(words, values))

    return parse


def _model(values: Sequence[str], catalogue: Catalogue) -> str:
    """The model's own name, by any of its names; a model of an older catalogue is taken as it is given."""
    name = one("model", values)
    known = catalogue.find(name)
    return known.name if known else name


def _batch(values: Sequence[str], _: Catalogue) -> str:
    return one("batch", values)


def _tag(values: Sequence[str], _: Catalogue) -> dict[str, str]:
    pairs = [value.partition(":") for value in values]
    if not all(colon for _name, colon, _value in pairs):
        raise InvalidParameter(
            "tag", "`tag` must be the name and the value of a tag with a colon between, such as song:7."
        )
    return {name: value for name, _colon, value in pairs}


def _time(name: str) -> Callable[[Sequence[str], Catalogue], float]:
    def parse(values: Sequence[str], _: Catalogue) -> float:
        try:
            time = datetime.fromisoformat(one(name, values))
        except ValueError:
            time = datetime.min
        if time.tzinfo is None:
            raise InvalidParameter(name, f"`{name}` must be {_A_TIME}. In a URL, a + is written as %2B.")
        return max(0.0, time.timestamp())

    return parse


def _limit(values: Sequence[str], _: Catalogue | None) -> int:
    return whole_number("limit", one("limit", values), least=1, most=MOST_LISTED)


_PARSERS: dict[str, Callable[[Sequence[str], Catalogue], Any]] = {
    "status": _words("status", Status),
    "kind": _words("kind", Kind),
    "model": _model,
    "batch": _batch,
    "tag": _tag,
    "created_after": _time("created_after"),
    "created_before": _time("created_before"),
    "limit": _limit,
}
