"""Every conditional write, on one page: what it sets, and what must hold for it to happen.

`#name` is an attribute, `:name` a value, `[i]` the attempt in question. Each condition is load-bearing: the tests
remove them one by one and expect to notice. A change that the SDK repeats after a lost reply is refused the second
time; its `token` then tells its writer that it was its own.
"""

from __future__ import annotations

from dataclasses import dataclass

_LET_GO = "REMOVE #lease, #open, #due_at, #wait, #follows, #hold, #ref, #polled_at"
_UNFINISHED = "#status IN (:queued, :running)"
_CRASHED = "#lease <= :now"
_MINE = "#fence = :fence"
_NO_REF = "attribute_not_exists(#ref)"
_AS_SEEN = "#token = :seen"  # nobody has written since: what is settled beside it is by the ledger as it stands
_TAKE = "SET #fence = #fence + :one, #lease = :lease, #due_at = :lease, #token = :token"
_END = "#error = :error, #completed_at = :now, #token = :token"


@dataclass(frozen=True)
class Change:
    """An update expression, and the conditions that are joined by AND."""

    update: str
    conditions: tuple[str, ...]


# --- jobs ---

# A worker takes a queued job, with the attempt that may cost money entered in the same write.
CLAIM = Change(
    f"{_TAKE}, #status = :running, #charges = #charges + :one, "
    "#attempts = list_append(#attempts, :attempts) REMOVE #wait",
    (
        "#status = :queued",
        "#route = :route",
        "#not_before <= :now",
        "#deadline > :now",
        "#charges < #max_charges",
        "attribute_not_exists(#follows)",
    ),
)

# A worker takes over from one that crashed: the old attempt is closed as unknown, the next one opened.
TAKE_OVER = Change(
    f"{_TAKE}, #charges = #charges + :one, #crashes = #crashes + :one, #attempts = :attempts REMOVE #slot",
    (_MINE, _CRASHED, "#charges < #max_charges", _UNFINISHED, _NO_REF),
)

# The provider took the generation: its reference is stored and the job let go in one write, whatever its status.
REFER = Change(
    "SET #ref = :ref, #not_before = :not_before, #due_at = :due_at, #wait = :wait, #token = :token REMOVE #lease",
    (_MINE, "attribute_exists(#lease)"),
)

# A worker takes a job to ask by its reference; asking costs nothing, so a crashed one is simply followed by the next.
STEP = Change(
    f"{_TAKE}, #polled_at = :now",
    ("attribute_exists(#ref)", "#not_before <= :now", f"(attribute_not_exists(#lease) OR {_CRASHED})"),
)

# A callback told the reference that its worker died too early to store, or still waits for; it is superseded then.
LEARN_REF = Change(
    "SET #ref = :ref, #not_before = :now, #attempts[i].#told = :true, #fence = #fence + :one, #token = :token "
    "REMOVE #lease",
    ("#attempts[i].#token = :secret", "attribute_exists(#lease)", _NO_REF),
)

# The same for a call whose answer was lost: it has not been made again yet.
LEARN_REF_LATE = Change(
    "SET #ref = :ref, #not_before = :now, #attempts[i].#told = :true, #status = :running, #fence = #fence + :one, "
    "#token = :token REMOVE #wait",
    (
        "#attempts[i].#token = :secret",
        "attribute_not_exists(#attempts[i].#charged)",  # unknown is what is not written down
        "#route = :route",
        "#status = :queued",  # and so without a reference
    ),
)

# A callback told that there is something to ask for.
NUDGE = Change(
    "SET #not_before = :sooner",
    ("#attempts[i].#token = :secret", "attribute_exists(#ref)", "#not_before > :sooner"),
)

# No call now: the job goes back into the line.
RELEASE = Change(
    "SET #status = :queued, #route = :route, #account = :account, #price_usd = :price_usd, #slot = :slot, "
    "#not_before = :not_before, #due_at = :due_at, #wait = :wait, #charges = :charges, #attempts = :attempts, "
    "#queue = :queue, #patience = :patience, #typical_seconds = :typical_seconds, #typical_basis = :typical_basis, "
    "#token = :token REMOVE #lease, #ref, #polled_at",
    (_MINE, "#status = :running"),
)

# The first whole result wins: a worker that was superseded asks again with the ledger it finds.
SUCCEED = Change(
    "SET #status = :succeeded, #outputs = :outputs, #completed_at = :now, #token = :token, #attempts = :attempts "
    + _LET_GO,
    (_AS_SEEN, _UNFINISHED),
)

FAIL = Change(f"SET #status = :failed, {_END}, #attempts[i] = :attempt {_LET_GO}", (_MINE, _UNFINISHED))

# The worker is gone and its job may not be tried again.
FAIL_CRASHED = Change(
    f"SET #status = :failed, {_END}, #attempts[i] = :attempt, #crashes = #crashes + :one {_LET_GO}",
    (_MINE, _CRASHED, _UNFINISHED),
)

# Nobody is at work on it and its time is up.
FAIL_OVERDUE = Change(
    f"SET #status = :failed, {_END} {_LET_GO}",
    (_AS_SEEN, "#deadline <= :now", "attribute_not_exists(#lease)", _UNFINISHED, _NO_REF),
)

# As above, but the provider is at work: the job stays open until what that cost, or brought, is in the ledger.
FAIL_OVERDUE_HELD = Change(
    f"SET #status = :failed, {_END}, #not_before = :now, #due_at = :due_at REMOVE #wait",
    ("#deadline <= :now", "attribute_not_exists(#lease)", _UNFINISHED, "attribute_exists(#ref)"),
)

CANCEL_WAITING = Change(
    f"SET #status = :canceled, #completed_at = :now, #token = :token {_LET_GO}",
    (_AS_SEEN, _UNFINISHED, "attribute_not_exists(#lease)", _NO_REF),
)

# A worker is at it: the job stays open, and its budget held, until that worker's end is in the ledger.
CANCEL_RUNNING = Change(
    "SET #status = :canceled, #completed_at = :now, #token = :token REMOVE #wait",
    (_UNFINISHED, "attribute_exists(#lease)"),
)

# The provider is at it: likewise, until it has been told to stop and asked what came of it.
CANCEL_HELD = Change(
    "SET #status = :canceled, #completed_at = :now, #not_before = :now, #due_at = :due_at, #token = :token "
    "REMOVE #wait",
    (_UNFINISHED, "attribute_not_exists(#lease)", "attribute_exists(#ref)"),
)

# A result for a job that has ended otherwise: kept, listed and charged; the status stays.
KEEP_LATE_RESULT = Change(
    "SET #outputs = if_not_exists(#outputs, :outputs), #token = :token, #attempts[i] = :attempt",
    ("attribute_exists(#pk)", "attribute_not_exists(#deleted)"),
)

# The last worker of a finished job lets go.
CLOSE = Change(f"SET #token = :token, #attempts[i] = :attempt {_LET_GO}", (_MINE, "attribute_exists(#lease)"))

# The sweeper moves a job along the index before it does anything about it.
MOVE = Change("SET #due_at = :due_at", ("#due_at = :seen",))

# What its owner wants erased; the ledger stays.
ERASE = Change(
    "SET #deleted = :now, #request = :request, #token = :token REMOVE #outputs, #tags",
    ("attribute_exists(#pk)", "NOT " + _UNFINISHED),
)

# --- followers: jobs that wait for another's result of the same request ---
# Only a queued job has `follows`: no worker can claim it, and whatever ends it takes `follows` away.

FOLLOW_ON = Change(
    "SET #follows = :follows, #not_before = :not_before, #due_at = :due_at, #wait = :wait, #token = :token",
    ("#not_before <= :now", "attribute_exists(#follows)"),
)

FOLLOWER_SUCCEED = Change(
    "SET #status = :succeeded, #outputs = :outputs, #cached = :true, #completed_at = :now, #token = :token " + _LET_GO,
    ("attribute_exists(#follows)",),
)

TAKE_THE_LEAD = Change(
    "SET #slot = :slot, #not_before = :not_before, #due_at = :due_at, #wait = :wait, #token = :token REMOVE #follows",
    ("attribute_exists(#follows)",),
)

# --- results by what was asked ---

_ENTRY = "SET #leader = :leader, #until = :until, #expires_at = :expires_at"

CACHE_CLAIM = Change(f"{_ENTRY} REMOVE #outputs", ("(attribute_not_exists(#leader) OR #until <= :now)",))
CACHE_RECLAIM = Change(f"{_ENTRY} REMOVE #outputs", ("(attribute_not_exists(#leader) OR #leader = :dead)",))
CACHE_REPLACE = Change(f"{_ENTRY} REMOVE #outputs", ())
CACHE_FILL = Change(f"{_ENTRY}, #outputs = :outputs", ())

# --- budgets, in millionths of a dollar, on the day of the submit ---

HOLD = Change(
    "SET #used = if_not_exists(#used, :zero) + :hold, #jobs = if_not_exists(#jobs, :zero) + :one, "
    "#waiting = if_not_exists(#waiting, :zero) + :one, #expires_at = :expires_at",
    (
        "(attribute_not_exists(#used) OR #used <= :room)",
        "(attribute_not_exists(#jobs) OR #jobs < :most_jobs)",
        "(attribute_not_exists(#waiting) OR #waiting < :most_open)",
    ),
)
SETTLE = Change("SET #used = #used - :back, #waiting = #waiting - :one", ())

# --- how long generations take ---

MEASURE = Change(
    "SET #milliseconds = if_not_exists(#milliseconds, :zero) + :milliseconds, "
    "#count = if_not_exists(#count, :zero) + :one, #expires_at = :expires_at",
    (),
)

CHANGES = {name: value for name, value in dict(globals()).items() if isinstance(value, Change)}
