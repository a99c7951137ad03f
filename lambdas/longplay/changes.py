"""Every conditional write a job can go through, on one page: what it sets, and what must hold for it to happen.

`#name` is an attribute, `:name` a value, `[i]` the attempt in question. Each condition is load-bearing: the tests
remove them one by one and expect to notice. Every change that can be repeated by the SDK after a lost reply is
false the second time, and stamps `token`, so that its writer recognises its own earlier success.
"""

from __future__ import annotations

from dataclasses import dataclass

_LET_GO = "REMOVE #lease, #open, #due_at, #wait"
_UNFINISHED = "#status IN (:queued, :running)"
_CRASHED = "#lease <= :now"
_MINE = "#fence = :fence"
_CLOSE_ATTEMPT = "#attempts[i] = :attempt"


@dataclass(frozen=True)
class Change:
    """One conditional write: an update expression and the conditions that are joined by AND."""

    update: str
    conditions: tuple[str, ...]


# A worker takes a queued job, with the attempt that may cost money entered in the same write.
CLAIM = Change(
    "SET #status = :running, #fence = #fence + :one, #lease = :lease, #due_at = :lease, #token = :token, "
    "#charges = #charges + :one, #attempts = list_append(#attempts, :attempts) REMOVE #wait",
    (
        "#status = :queued",
        "#route = :route",
        "#not_before <= :now",
        "#deadline > :now",
        "#charges < #max_charges",
    ),
)

# A worker takes over from one that crashed: the old attempt is closed as unknown, the next one opened.
TAKE_OVER = Change(
    "SET #status = :running, #fence = #fence + :one, #lease = :lease, #due_at = :lease, #token = :token, "
    "#charges = #charges + :one, #crashes = #crashes + :one, #attempts = :attempts",
    (_MINE, _CRASHED, "#charges < #max_charges", _UNFINISHED),
)

# The provider could not take the call now: the job goes back into the line.
RELEASE = Change(
    "SET #status = :queued, #route = :route, #price_usd = :price_usd, #not_before = :not_before, #due_at = :due_at, "
    "#wait = :wait, #charges = :charges, #attempts = :attempts, #token = :token REMOVE #lease",
    (_MINE, "#status = :running"),
)

# The first whole result wins, whoever brings it.
SUCCEED = Change(
    f"SET #status = :succeeded, #outputs = :outputs, #completed_at = :now, #token = :token, {_CLOSE_ATTEMPT} {_LET_GO}",
    (_UNFINISHED,),
)

FAIL = Change(
    f"SET #status = :failed, #error = :error, #completed_at = :now, #token = :token, {_CLOSE_ATTEMPT} {_LET_GO}",
    (_MINE, _UNFINISHED),
)

# The worker is gone and its job may not be tried again.
FAIL_CRASHED = Change(
    "SET #status = :failed, #error = :error, #completed_at = :now, #token = :token, #crashes = #crashes + :one, "
    f"{_CLOSE_ATTEMPT} {_LET_GO}",
    (_MINE, _CRASHED, _UNFINISHED),
)

# Nobody is at work on it and its time is up.
FAIL_OVERDUE = Change(
    f"SET #status = :failed, #error = :error, #completed_at = :now, #token = :token {_LET_GO}",
    ("#deadline <= :now", "attribute_not_exists(#lease)", _UNFINISHED),
)

CANCEL_WAITING = Change(
    f"SET #status = :canceled, #completed_at = :now, #token = :token {_LET_GO}",
    (_UNFINISHED, "attribute_not_exists(#lease)"),
)

# A worker is at it: the job stays in the index of open jobs until that worker's result or end is in the ledger.
CANCEL_RUNNING = Change(
    "SET #status = :canceled, #completed_at = :now, #token = :token REMOVE #wait",
    (_UNFINISHED,),
)

# A result for a job that has ended otherwise: kept, listed and charged; the status stays.
KEEP_LATE_RESULT = Change(
    f"SET #outputs = if_not_exists(#outputs, :outputs), #token = :token, {_CLOSE_ATTEMPT}",
    ("attribute_exists(#pk)",),
)

# The last worker of a finished job lets go.
CLOSE = Change(f"SET #token = :token, {_CLOSE_ATTEMPT} {_LET_GO}", (_MINE,))

# The sweeper moves a job along the index before it does anything about it.
MOVE = Change("SET #due_at = :due_at", ("#due_at = :seen",))

CHANGES = {name: value for name, value in dict(globals()).items() if isinstance(value, Change)}
