"""Every conditional write, on one page: what it sets, and the conditions under which it happens.

`#name` is an attribute, `:name` a value, `[i]` the attempt in question. Every condition is needed: the mutation tests
remove each in turn and expect a scenario to fail. The SDK repeats a write after a lost reply. The repeat is refused,
and the write's `token` in the item then shows that the first one came through.
"""

from __future__ import annotations

from dataclasses import dataclass

_LET_GO_OPEN = "REMOVE #lease, #wait, #follows, #hold, #ref, #polled_at"
_LET_GO = f"{_LET_GO_OPEN}, #open, #due_at"
_UNFINISHED = "#status IN (:queued, :running)"
_CRASHED = "#lease <= :now"
_MINE = "#fence = :fence"
_NO_REF = "attribute_not_exists(#ref)"
_AS_SEEN = "#token = :seen"  # no other write has come since, so the ledger that is settled here is the latest one
_TAKE = "SET #fence = #fence + :one, #lease = :lease, #token = :token"
_WATCHED = "#due_at = :lease, #open = :open"  # a call that crashes is found when its lease ends
_FAILED = "#error = :error, #completed_at = :now, #token = :token"
_END = f"{_FAILED}, #counted = :counted"
_THIS_ATTEMPT = "#attempts[i].#token = :secret"


@dataclass(frozen=True)
class Change:
    """An update expression (none for a put or a delete) and the conditions, joined by AND.

    The ledger adds what belongs beside a change by these marks. `ends`: the job is over, so its budgets are settled
    and it gives back its lead, its unused slot and its seat. `succeeds`: its result is kept, so the cache
    gets it. `ends_call`: the call is over and the job goes on, so it gives back its seat.
    """

    update: str
    conditions: tuple[str, ...]
    ends: bool = False
    succeeds: bool = False
    ends_call: bool = False


# --- jobs ---

# A new job or batch, or one in the place of an expired one.
CREATE = Change("", ("(attribute_not_exists(#pk) OR #expires_at <= :now)",))

# A worker takes a queued job. The attempt that may cost money is entered in the same write.
CLAIM = Change(
    f"{_TAKE}, {_WATCHED}, #status = :running, #charges = #charges + :one, "
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

# A worker takes over after a crash: it closes the old attempt as unknown and opens the next.
TAKE_OVER = Change(
    f"{_TAKE}, {_WATCHED}, #charges = #charges + :one, #crashes = #crashes + :one, #attempts = :attempts REMOVE #slot",
    (_MINE, _CRASHED, "#charges < #max_charges", _UNFINISHED, _NO_REF),
)

# The provider answered with a reference. It is stored and the job let go in one write, in any status.
STORE_REF = Change(
    "SET #ref = :ref, #not_before = :not_before, #due_at = :due_at, #open = :open, #wait = :wait, "
    "#attempts[i].#accepted = :true, #token = :token REMOVE #lease",
    (_MINE, "attribute_exists(#lease)"),
)

# A worker takes a job to poll its provider. A poll costs nothing.
CLAIM_POLL = Change(
    f"{_TAKE}, #polled_at = :now",
    ("attribute_exists(#ref)", "#not_before <= :now", "attribute_not_exists(#lease)"),
)

# The same after a worker died in a poll: such crashes count too.
CLAIM_POLL_AGAIN = Change(
    f"{_TAKE}, #polled_at = :now, #crashes = #crashes + :one",
    (_MINE, _CRASHED),
)

# A callback brings the reference that the worker has not stored: it died, or still waits and is superseded by this.
LEARN_REF = Change(
    "SET #ref = :ref, #not_before = :now, #attempts[i].#told = :true, #fence = #fence + :one, #token = :token "
    "REMOVE #lease",
    (_THIS_ATTEMPT, "attribute_exists(#lease)", _NO_REF),
)

# The same after a lost answer, while the call has not been made again.
LEARN_REF_LATE = Change(
    "SET #ref = :ref, #not_before = :now, #attempts[i].#told = :true, #status = :running, #fence = #fence + :one, "
    "#token = :token REMOVE #wait",
    (
        _THIS_ATTEMPT,
        "attribute_not_exists(#attempts[i].#charged)",  # an unknown charge is not stored
        "#route = :last_route",
        "#status = :queued",  # a queued job has no reference
    ),
)

# The same after the job has ended: it is open again until the provider was told to stop and was polled once more.
LEARN_REF_ENDED = Change(
    "SET #ref = :ref, #not_before = :now, #attempts[i].#told = :true, #fence = #fence + :one, #token = :token, "
    "#open = :open, #due_at = :due_at",
    (
        _THIS_ATTEMPT,
        "attribute_not_exists(#attempts[i].#charged)",
        "attribute_not_exists(#attempts[i].#accepted)",  # its outcome is known: the provider was polled
        "attribute_not_exists(#attempts[i].#told)",
        "attribute_not_exists(#lease)",
    ),
)

# A callback asks for an earlier poll.
NUDGE = Change(
    "SET #not_before = :not_before, #token = :token",
    (_THIS_ATTEMPT, "attribute_exists(#ref)", "#not_before > :not_before"),
)

# There is room for the call of a job that waits for it.
START_NOW = Change("SET #not_before = :now, #due_at = :due_at, #open = :open, #token = :token", (_AS_SEEN,))

# No call now: the job is queued again.
RELEASE = Change(
    "SET #status = :queued, #route = :route, #account = :account, #price_usd = :price_usd, #slot = :slot, "
    "#not_before = :not_before, #due_at = :due_at, #open = :open, #wait = :wait, #charges = :charges, "
    "#attempts = :attempts, #queue = :queue, #patience = :patience, #typical_seconds = :typical_seconds, "
    "#typical_basis = :typical_basis, #token = :token REMOVE #lease, #ref, #polled_at",
    (_MINE, "#status = :running"),
    ends_call=True,
)

# The first whole result wins. A worker that finds another ledger merges its entry into that one and writes again.
SUCCEED = Change(
    "SET #status = :succeeded, #outputs = :outputs, #completed_at = :now, #token = :token, #attempts = :attempts, "
    "#counted = :counted " + _LET_GO,
    (_AS_SEEN, _UNFINISHED),
    ends=True,
    succeeds=True,
)

FAIL = Change(f"SET #status = :failed, {_END}, #attempts[i] = :attempt {_LET_GO}", (_MINE, _UNFINISHED), ends=True)

# The worker crashed and the job may not be tried again.
FAIL_CRASHED = Change(
    f"SET #status = :failed, {_END}, #attempts[i] = :attempt, #crashes = #crashes + :one {_LET_GO}",
    (_MINE, _CRASHED, _UNFINISHED),
    ends=True,
)

# No worker and no provider has it, and its deadline has passed.
FAIL_OVERDUE = Change(
    f"SET #status = :failed, {_END} {_LET_GO}",
    (_AS_SEEN, "#deadline <= :now", "attribute_not_exists(#lease)", _UNFINISHED, _NO_REF),
    ends=True,
)

# The deadline has passed and the provider is at work: the job stays open until the ledger has what that cost.
FAIL_OVERDUE_AT_PROVIDER = Change(
    f"SET #status = :failed, {_FAILED}, #not_before = :now, #due_at = :now, #open = :open REMOVE #wait",
    ("#deadline <= :now", "attribute_not_exists(#lease)", _UNFINISHED, "attribute_exists(#ref)"),
)

CANCEL_WAITING = Change(
    f"SET #status = :canceled, #completed_at = :now, #token = :token, #counted = :counted {_LET_GO}",
    (_AS_SEEN, _UNFINISHED, "attribute_not_exists(#lease)", _NO_REF),
    ends=True,
)

# A worker holds it: the job stays open, and its budget reserved, until that worker has written its end.
CANCEL_RUNNING = Change(
    "SET #status = :canceled, #completed_at = :now, #token = :token REMOVE #wait",
    (_UNFINISHED, "attribute_exists(#lease)"),
)

# The provider is at work: the job stays open until the provider was told to stop and was polled once more.
CANCEL_AT_PROVIDER = Change(
    "SET #status = :canceled, #completed_at = :now, #not_before = :now, #due_at = :now, #open = :open, #token = :token "
    "REMOVE #wait",
    (_UNFINISHED, "attribute_not_exists(#lease)", "attribute_exists(#ref)"),
)

# A result for a job that has ended otherwise: kept, listed and charged. The status stays.
KEEP_LATE_RESULT = Change(
    "SET #outputs = if_not_exists(#outputs, :outputs), #token = :token, #attempts[i] = :attempt, #counted = :counted",
    (_AS_SEEN,),
    succeeds=True,
)

# The last worker of a finished job lets go.
CLOSE = Change(
    f"SET #token = :token, #attempts[i] = :attempt, #counted = :counted {_LET_GO}",
    (_AS_SEEN,),
    ends=True,
)

# The same for a deleted job. It stays open until its files are erased: the worker may have stored some.
CLOSE_DELETED = Change(
    f"SET #token = :token, #attempts[i] = :attempt, #due_at = :now, #counted = :counted {_LET_GO_OPEN}",
    (_AS_SEEN,),
    ends=True,
)

# The sweeper moves a job along the index before it sends its message.
MOVE = Change("SET #due_at = :due_at, #open = :open, #token = :token", ("#due_at = :seen_due_at",))

# The owner deletes the job: prompt and files go, the ledger stays. The job is open until its files are erased.
ERASE = Change(
    "SET #deleted = :now, #request = :request, #open = :open, #due_at = if_not_exists(#due_at, :due_at), "
    "#token = :token REMOVE #outputs, #tags, #webhook",
    ("attribute_exists(#pk)", "NOT " + _UNFINISHED),
)

# The files of a deleted job are erased, and no write has come since that may have stored others.
ERASED = Change("SET #token = :token REMOVE #open, #due_at", (_AS_SEEN,))

# --- followers: jobs that wait for the result of another job with the same request ---
# Only a queued job has `follows`: no worker can claim it, and every end removes `follows`.

FOLLOW_ON = Change(
    "SET #follows = :follows, #not_before = :not_before, #due_at = :due_at, #open = :open, #wait = :wait, "
    "#token = :token",
    ("(#not_before <= :now OR #follows <> :follows)", "attribute_exists(#follows)"),
)

FOLLOWER_SUCCEED = Change(
    "SET #status = :succeeded, #outputs = :outputs, #cached = :true, #completed_at = :now, #token = :token, "
    "#counted = :counted " + _LET_GO,
    ("attribute_exists(#follows)",),
    ends=True,
)

# It would take the lead, and has no budget for a call.
FOLLOWER_FAIL = Change(f"SET #status = :failed, {_END} {_LET_GO}", ("attribute_exists(#follows)",), ends=True)

TAKE_THE_LEAD = Change(
    "SET #slot = :slot, #not_before = :not_before, #due_at = :due_at, #open = :open, #wait = :wait, #hold = :hold, "
    "#held_by = :held_by, #budget_day = :budget_day, #expected_at = :expected_at, #token = :token REMOVE #follows",
    ("attribute_exists(#follows)",),
)

# --- outboxes: hooks and batches; every step is a compare-and-set on `token` ---

OUTBOX_NEXT = Change("", (_AS_SEEN,))

# --- batches: a line becomes a job only while its batch is open ---

BATCH_OPEN = Change("", ("attribute_exists(#pk)", "attribute_not_exists(#closed_at)"))

# --- hooks: what is told to webhooks and to the event bus ---

# A hook is put in the write that makes it happen. A late result can come twice; it is then told twice.
HOOK_PUT = Change("", ())
# The job's own note that its webhook has taken its end.
HEARD = Change("SET #webhook_heard = :true", ("attribute_exists(#pk)",))
# The next secret of an owner's webhooks.
ROTATE = Change("", ("(attribute_not_exists(#pk) OR #generation = :seen)",))

# --- results by request ---

_ENTRY = "SET #leader = :leader, #until = :until, #expires_at = :expires_at"

CACHE_CLAIM = Change(f"{_ENTRY} REMOVE #outputs", ("(attribute_not_exists(#leader) OR #until <= :now)",))
CACHE_RECLAIM = Change(f"{_ENTRY} REMOVE #outputs", ("(attribute_not_exists(#leader) OR #leader = :dead)",))
CACHE_REPLACE = Change(f"{_ENTRY} REMOVE #outputs", ())
# A fresh result is not replaced by an older job's, which ends later.
CACHE_FILL = Change(
    f"{_ENTRY}, #outputs = :outputs REMOVE #followers", ("(attribute_not_exists(#leader) OR #leader = :leader)",)
)
# A follower is told when its leader ends, if there is room on the list.
CACHE_FOLLOW = Change(
    "SET #followers = list_append(if_not_exists(#followers, :none), :follower)",
    ("#leader = :leader", "attribute_not_exists(#outputs)"),
)
CACHE_DROP = Change("", ("#leader = :leader",))

# --- lines of reserved starts: every change is a compare-and-set on `version` ---

LINE_START = Change("", ("attribute_not_exists(#pk)",))
LINE_NEXT = Change("", ("#version = :seen",))

# --- budgets, in millionths of a dollar, on the day of the submit ---

HOLD = Change(
    "SET #used = if_not_exists(#used, :zero) + :hold, #jobs = if_not_exists(#jobs, :zero) + :one, "
    "#waiting = if_not_exists(#waiting, :zero) + :one, #held = if_not_exists(#held, :zero) + :hold, "
    "#ends = if_not_exists(#ends, :zero) + :ends, #expires_at = :expires_at",
    (
        "(attribute_not_exists(#used) OR #used <= :room)",
        "(attribute_not_exists(#jobs) OR #jobs < :most_jobs)",
        "(attribute_not_exists(#waiting) OR #waiting < :most_open)",
    ),
)
SETTLE = Change(
    "SET #used = #used - :back, #waiting = #waiting - :jobs, #held = if_not_exists(#held, :zero) - :held, "
    "#ends = if_not_exists(#ends, :zero) - :ends",
    (),
)
GIVE_BACK = Change(
    "SET #expires_at = :expires_at ADD #used :back, #waiting :one, #held :held, #ends :ends, #version :one", ()
)
COLLECT = Change(
    "SET #used = :zero, #waiting = :zero, #held = :zero, #ends = :zero ADD #version :one", ("#version = :seen",)
)

# --- what an owner's jobs come to, a day ---

COUNT = Change(
    "SET #owner = :owner, #created_at = :created_at, #model = :model, #expires_at = :expires_at "
    "ADD #jobs :jobs, #succeeded :succeeded, #failed :failed, #canceled :canceled, #cached :cached, "
    "#charged :charged, #unknown :unknown",
    (),
)

# --- how long generations take ---

MEASURE = Change(
    "SET #milliseconds = if_not_exists(#milliseconds, :zero) + :milliseconds, "
    "#count = if_not_exists(#count, :zero) + :one, #expires_at = :expires_at",
    (),
)

# --- closed routes and accounts, and the doctor's report: the later one stays ---

CIRCUIT_OPEN = Change("", ("(attribute_not_exists(#pk) OR #until < :until)",))
REPORT_KEEP = Change("", ("(attribute_not_exists(#pk) OR #checked_at < :checked_at)",))

# --- answers that are held back: a place is free if it was never taken, or its time is over ---

ANSWER_HOLD = Change("", ("(attribute_not_exists(#pk) OR #until <= :now)",))
ANSWER_MOVE = Change("SET #until = :until", ("#token = :token",))  # to now: it is free

CHANGES = {name: value for name, value in dict(globals()).items() if isinstance(value, Change)}
