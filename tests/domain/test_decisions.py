"""Decisions as a table of job and event, without AWS."""

from __future__ import annotations

from typing import Any

import pytest
from longplay.domain import changes
from longplay.domain.changes import Change
from longplay.domain.decisions import (
    Routes,
    after_call_off,
    after_callback,
    after_crash,
    after_end,
    after_erasure,
    after_failure,
    after_reference,
    after_result,
    claim_poll,
    copy_result,
    counted,
    erase_again,
    follow_on,
    give_up,
    take_over,
    unless_ended,
    waiting_until,
    when_canceled,
    when_deleted,
    when_due,
    without_budget,
)
from longplay.domain.errors import Charged, FailureKind, LineTooLong, ProviderError
from longplay.domain.job import NOT_CALLED, Job, Leg, Output, Status, Wait, WaitReason
from longplay.domain.settings import PAUSED, Failover
from longplay.domain.usage import Usage
from msgspec.structs import replace

from tests.domain.jobs import LEASE, LEG, NOW, OTHER_LEG, called, crashed, job

OUTPUT = Output(key="jobs/a/1/0", content_type="audio/wav", bytes=1, sha256="0" * 64)


def _failed(
    mine: Job,
    error: ProviderError,
    *,
    onward: Leg | None = None,
    back: Leg | None = None,
    failover: Failover = Failover.UNSERVED,
    paced: bool = False,
    now: float = NOW,
) -> tuple[Change, Job]:
    closed = mine.closed(now=now, outcome=error.kind, charged=error.charged)
    routes = Routes(onward=lambda: onward, back=lambda: back)
    decision = after_failure(closed, error, routes=routes, failover=failover, paced=paced, now=now)
    return decision.change, decision.job


# --- after a failed call ---


def test_a_refused_call_is_uncharged_and_waits_as_long_as_the_provider_asks() -> None:
    """429 with Retry-After."""
    change, after = _failed(called(), ProviderError(FailureKind.THROTTLED, "slow down", retry_after=30))
    assert (change, after.charges, after.not_before) == (changes.RELEASE, 0, NOW + 30)
    assert after.wait
    assert after.wait.reason is WaitReason.PROVIDER_QUOTA


@pytest.mark.parametrize(("kind", "keeps"), [("throttled", True), ("loading", True), ("upstream", False)])
def test_only_a_call_refused_for_now_keeps_its_slot(kind: str, keeps: bool) -> None:
    """Its line then moves back as a whole."""
    _, after = _failed(called(slot=NOW), ProviderError(FailureKind(kind), "no", retry_after=5), paced=True)
    assert after.slot == (NOW if keeps else None)


def test_an_account_that_is_no_longer_paced_keeps_no_slot() -> None:
    """There is no line to move."""
    _, after = _failed(called(slot=NOW), ProviderError(FailureKind.THROTTLED, "no", retry_after=5))
    assert after.slot is None


def test_a_route_that_does_not_serve_the_model_leads_to_the_next() -> None:
    """With the other route's account, price and queue."""
    change, after = _failed(called(), ProviderError(FailureKind.NOT_SERVED, "no"), onward=OTHER_LEG)
    assert (change, after.leg, after.not_before) == (changes.RELEASE, OTHER_LEG, NOW)


def test_a_busy_route_is_left_only_if_the_settings_say_so() -> None:
    """`failover=busy`."""
    error = ProviderError(FailureKind.THROTTLED, "no", retry_after=5)
    legs = [_failed(called(), error, onward=OTHER_LEG, failover=policy)[1].leg for policy in Failover]
    assert legs == [LEG, OTHER_LEG]


def test_a_call_that_may_have_been_charged_is_not_repeated_beyond_max_charges() -> None:
    """`max_charges` 1."""
    error = ProviderError(FailureKind.UPSTREAM, "500", charged=Charged.UNKNOWN)
    change, after = _failed(called(max_charges=1), error, onward=OTHER_LEG)
    assert (change, after.error and after.error.charged) == (changes.FAIL, Charged.UNKNOWN)


def test_a_lost_answer_waits_for_the_callback() -> None:
    """A provider that calls back may have taken the call."""
    mine = called(leg=replace(LEG, callback_grace=300.0))
    error = ProviderError(FailureKind.UNREACHABLE, "reset", charged=Charged.UNKNOWN)
    change, after = _failed(mine, error)
    assert (change, after.not_before) == (changes.RELEASE, NOW - 10 + 300)


def test_a_dead_end_goes_back_to_a_route_that_was_busy() -> None:
    """It waits there for the longest backoff."""
    change, after = _failed(called(), ProviderError(FailureKind.NOT_SERVED, "no"), back=OTHER_LEG)
    assert (change, after.leg, after.not_before) == (changes.RELEASE, OTHER_LEG, NOW + 300)


def test_a_moderated_prompt_fails_for_good() -> None:
    """The caller has to change it."""
    change, after = _failed(called(), ProviderError(FailureKind.MODERATED, "no", charged=Charged.YES))
    assert (change, after.error and after.error.retryable) == (changes.FAIL, False)


def test_a_refused_account_waits_where_no_other_route_is_open() -> None:
    """After a 401 it waits five to six minutes."""
    _, after = _failed(called(), ProviderError(FailureKind.AUTH, "401"))
    assert after.wait
    assert after.wait.reason is WaitReason.ACCOUNT_PAUSED
    assert NOW + PAUSED <= after.not_before <= NOW + 1.2 * PAUSED


@pytest.mark.parametrize(
    ("second", "kinds"),
    [(FailureKind.LOADING, {}), (FailureKind.THROTTLED, {"loading": 1, "throttled": 1})],
)
def test_uncharged_repeats_on_one_route_are_one_entry(second: FailureKind, kinds: dict[str, int]) -> None:
    """With their number in `tries`, and in `kinds` how many failed in which way, if there is more than one."""
    _, once = _failed(called(), ProviderError(FailureKind.LOADING, "503", retry_after=5))
    again = replace(once, status=Status.RUNNING, attempts=(*once.attempts, called().attempts[0]), charges=1)
    _, twice = _failed(again, ProviderError(second, "503", retry_after=5))
    assert [(attempt.tries, attempt.kinds) for attempt in twice.attempts] == [(2, kinds)]


# --- who may write ---


def test_a_superseded_worker_decides_nothing() -> None:
    """Another worker's fence is in the item."""
    mine, found = called(), called(fence=2)
    decision = after_call_off(
        mine, Wait(reason=WaitReason.CONCURRENCY, until=NOW + 5, basis=""), onward=None, seated=False, now=NOW
    )
    assert unless_ended(mine, decision)(found, NOW) is None
    assert after_end(mine)(found, NOW) is None
    assert after_reference(mine, ref="r", poll_at=NOW, wait=None)(found, NOW) is None


def test_a_job_that_was_canceled_during_its_call_is_closed() -> None:
    """The worker's entry is written, and the job let go."""
    mine = called()
    wait = Wait(reason=WaitReason.CONCURRENCY, until=NOW + 5, basis="")
    decision = after_call_off(mine, wait, onward=None, seated=False, now=NOW)
    closed = unless_ended(mine.closed(now=NOW, outcome=NOT_CALLED), decision)(called(status=Status.CANCELED), NOW)
    assert closed
    assert (closed.change, closed.seated) == (changes.CLOSE, False)


def test_a_call_that_was_not_made_leaves_no_entry() -> None:
    """The attempt and its charge are taken back."""
    wait = Wait(reason=WaitReason.CONCURRENCY, until=NOW + 5, basis="")
    after = after_call_off(called(), wait, onward=None, seated=False, now=NOW).job
    assert (after.charges, after.attempts, after.not_before) == (0, (), NOW + 5)


# --- results ---


RESULTS: dict[str, tuple[dict[str, Any], Change | None]] = {
    "running": ({}, changes.SUCCEED),
    "queued again": ({"status": Status.QUEUED, "lease": None}, changes.SUCCEED),
    "canceled": ({"status": Status.CANCELED}, changes.KEEP_LATE_RESULT),
    "failed": ({"status": Status.FAILED, "lease": None, "due_at": None}, changes.KEEP_LATE_RESULT),
    "deleted": ({"status": Status.CANCELED, "deleted": NOW}, None),
}


@pytest.mark.parametrize("state", RESULTS)
def test_no_paid_result_is_dropped(state: str) -> None:
    """It ends an open job, and is kept for an ended one, except a deleted one."""
    values, change = RESULTS[state]
    paid = replace(called().closed(now=NOW, outcome="succeeded", charged=Charged.YES), outputs=(OUTPUT,))
    decision = after_result(paid)(called(**values), NOW)
    assert (decision.change if decision else None) == change


def test_a_result_keeps_the_attempts_of_later_workers() -> None:
    """Only this worker's entry changes."""
    paid = replace(called().closed(now=NOW, outcome="succeeded", charged=Charged.YES), outputs=(OUTPUT,))
    later = called().attempts[0]
    decision = after_result(paid)(called(fence=2, attempts=(called().attempts[0], later)), NOW)
    assert decision
    assert [attempt.charged for attempt in decision.job.attempts] == [Charged.YES, Charged.UNKNOWN]


# --- crashes ---

CRASHES: dict[str, tuple[dict[str, Any], Change | None]] = {
    "first crash": ({}, None),
    "no charge left": ({"max_charges": 1}, changes.FAIL_CRASHED),
    "third crash": ({"crashes": 2}, changes.FAIL_CRASHED),
    "past its deadline": ({"deadline": NOW}, changes.FAIL_CRASHED),
    "may still call back": ({"max_charges": 1, "leg": replace(LEG, callback_grace=60.0)}, None),
    "may call back no more": ({"max_charges": 1, "leg": replace(LEG, callback_grace=10.0)}, changes.FAIL_CRASHED),
    "canceled": ({"status": Status.CANCELED}, changes.CLOSE),
    "deleted": ({"status": Status.CANCELED, "deleted": NOW}, changes.CLOSE_DELETED),
    "during a poll": ({"ref": "r"}, None),
    "not crashed": ({"lease": LEASE}, None),
}


@pytest.mark.parametrize("state", CRASHES)
def test_a_crash_is_resolved(state: str) -> None:
    """None means that a call or a poll is due, or that its time has not come."""
    values, change = CRASHES[state]
    decision = after_crash(called(**{"lease": NOW - 1, **values}), NOW)
    assert (decision.change if decision else None) == change


def test_a_crashed_call_is_taken_over_once_its_callback_grace_has_passed() -> None:
    """The old attempt is closed as unknown, the next one opened."""
    crashed = called(lease=NOW - 1, leg=replace(LEG, callback_grace=60.0))
    decide = take_over(lease=LEASE, token="next")
    assert decide(crashed, NOW) is None
    taken = decide(crashed, NOW + 50)
    assert taken
    assert [attempt.outcome for attempt in taken.job.attempts] == ["crashed", "calling"]
    assert (taken.job.attempts[1].token, taken.job.lease) == ("next", LEASE)


@pytest.mark.parametrize(
    ("values", "polls"),
    [({"ref": "r", "lease": None}, True), ({"ref": "r"}, False), ({"ref": "r", "lease": NOW}, True), ({}, False)],
)
def test_a_job_with_a_reference_is_polled_by_one_worker(values: dict[str, Any], polls: bool) -> None:
    """A live lease is another worker's."""
    assert (claim_poll(lease=LEASE)(called(**values), NOW) is not None) is polls


# --- the sweeper, the caller, callbacks ---

DUE: dict[str, tuple[Job, Change | None]] = {
    "waiting": (job(due_at=NOW), changes.MOVE),
    "waiting past its deadline": (job(due_at=NOW, deadline=NOW), changes.FAIL_OVERDUE),
    "at the provider": (called(due_at=NOW, lease=None, ref="r"), changes.MOVE),
    "overdue at the provider": (
        called(due_at=NOW, lease=None, ref="r", deadline=NOW),
        changes.FAIL_OVERDUE_AT_PROVIDER,
    ),
    "lingering past its deadline": (
        called(due_at=NOW, lease=None, ref="r", deadline=NOW, status=Status.CANCELED),
        changes.MOVE,
    ),
    "calling": (called(due_at=NOW), None),
    "moved by another run": (job(due_at=NOW + 60), None),
}


@pytest.mark.parametrize("state", DUE)
def test_the_sweeper_moves_or_fails_what_is_due(state: str) -> None:
    """A live worker is left alone."""
    found, change = DUE[state]
    decision = when_due(NOW, resend_after=60)(found, NOW)
    assert (decision.change if decision else None) == change


def test_a_run_that_has_sent_enough_moves_the_rest_a_little() -> None:
    """They are due again before all that is due later."""
    decision = when_due(NOW, resend_after=60, sends=False)(job(due_at=NOW, not_before=NOW - 600), NOW)
    assert decision
    assert (decision.send, decision.due_at) == (False, NOW + 60)


CANCELS: dict[str, tuple[Job, Change | None]] = {
    "waiting": (job(), changes.CANCEL_WAITING),
    "following": (job(follows="leader"), changes.CANCEL_WAITING),
    "calling": (called(), changes.CANCEL_RUNNING),
    "crashed": (called(lease=NOW), changes.CANCEL_RUNNING),
    "at the provider": (called(lease=None, ref="r"), changes.CANCEL_AT_PROVIDER),
    "lingering": (called(lease=None, ref="r", status=Status.FAILED), None),
    "ended, with its worker": (called(status=Status.CANCELED), None),
    "over": (job(status=Status.SUCCEEDED, due_at=None), None),
}


@pytest.mark.parametrize("state", CANCELS)
def test_a_cancel_closes_the_job_or_leaves_that_to_its_worker_or_last_poll(state: str) -> None:
    """A waiting job closes at once; a job that has ended is not canceled."""
    found, change = CANCELS[state]
    decision = when_canceled(found, NOW)
    assert (decision.change if decision else None) == change


ENDED = called(lease=None, status=Status.FAILED, due_at=None)
CALLBACKS: dict[str, tuple[Job, Change | None]] = {
    "calling": (called(), changes.LEARN_REF),
    "crashed": (called(lease=NOW), changes.LEARN_REF),
    "queued after a lost answer": (called(status=Status.QUEUED, lease=None), changes.LEARN_REF_LATE),
    "at the provider": (called(lease=None, ref="r"), changes.NUDGE),
    "polled": (called(ref="r"), changes.NUDGE),
    "lingering": (called(lease=None, ref="r", status=Status.CANCELED), changes.NUDGE),
    "over after a lost answer": (ENDED, changes.LEARN_REF_ENDED),
    "over after a crash": (replace(ENDED, attempts=(crashed(),)), changes.LEARN_REF_ENDED),
    "over after a poll": (replace(ENDED, attempts=(replace(crashed(), accepted=True),)), None),
    "over after a callback": (replace(ENDED, attempts=(replace(crashed(), ref_from_callback=True),)), None),
    "over after a result": (replace(ENDED, attempts=(replace(crashed(), charged=Charged.YES),)), None),
    "deleted after a lost answer": (replace(ENDED, deleted=NOW, due_at=NOW), changes.LEARN_REF_ENDED),
    "over for long": (replace(ENDED, deadline=NOW - 3_601), None),
    "called again": (called(attempts=called().attempts * 2), None),
}


@pytest.mark.parametrize("state", CALLBACKS)
def test_a_callback_brings_the_reference_or_an_earlier_poll(state: str) -> None:
    """A callback about an earlier attempt, or about one whose outcome is known, changes nothing."""
    found, change = CALLBACKS[state]
    decision = after_callback(1, lambda: "prediction")(found, NOW)
    assert (decision.change if decision else None) == change


def test_a_callback_without_a_reference_changes_nothing_while_none_is_known() -> None:
    """The worker's own answer, or the next look, will tell."""
    assert after_callback(1, lambda: None)(called(), NOW) is None


def test_callbacks_poll_at_most_every_five_seconds() -> None:
    """However often they come."""
    decision = after_callback(1, lambda: None)(called(lease=None, ref="r", polled_at=NOW - 1), NOW)
    assert decision
    assert decision.job.not_before == NOW + 4


@pytest.mark.parametrize(
    ("values", "fails"),
    [
        ({}, True),
        ({"not_before": NOW + 1}, False),
        ({"max_charges": 2}, False),
        ({"max_charges": 2, "deadline": NOW}, True),
        ({"lease": LEASE, "deadline": NOW}, False),
    ],
)
def test_a_job_that_is_overdue_or_allowed_no_further_call_fails(values: dict[str, Any], fails: bool) -> None:
    """Its provider has not called back, or its message came after its deadline."""
    found = called(**{"status": Status.QUEUED, "lease": None, "max_charges": 1, **values})
    assert (give_up(found, NOW) is not None) is fails


# --- deleted jobs ---


def test_only_an_ended_job_is_deleted() -> None:
    """Its prompt goes in the same write."""
    assert when_deleted(resend_after=60)(called(), NOW) is None
    deleted = when_deleted(resend_after=60)(ENDED, NOW)
    assert deleted
    assert (deleted.change, deleted.job.request.prompt, deleted.due_at) == (changes.ERASE, "", NOW + 60)


@pytest.mark.parametrize(("ago", "look"), [(0, 60), (120, 120), (7_200, 1_800)])
def test_files_that_cannot_be_erased_are_tried_less_and_less_often(ago: float, look: float) -> None:
    """The job is moved along the index before each try."""
    found = replace(ENDED, deleted=NOW - ago, due_at=NOW)
    decision = erase_again(NOW, resend_after=60)(found, NOW)
    assert decision
    assert (decision.change, decision.due_at) == (changes.MOVE, NOW + look)


@pytest.mark.parametrize(
    ("values", "erased"), [({}, True), ({"token": "later"}, False), ({"lease": LEASE}, False), ({"ref": "r"}, False)]
)
def test_a_job_leaves_the_index_once_its_files_are_erased(values: dict[str, Any], erased: bool) -> None:
    """Not if a worker may store others, or has done so."""
    seen = replace(ENDED, deleted=NOW, due_at=NOW)
    assert (after_erasure(seen)(replace(seen, **values), NOW) is not None) is erased


# --- followers ---


@pytest.mark.parametrize(("waited", "look"), [(0, 15), (15, 15), (60, 60), (480, 480), (3_600, 600)])
def test_a_follower_looks_less_and_less_often(waited: float, look: float) -> None:
    """It is told when its leader ends; the looks are for a message that was lost. They double up to ten minutes."""
    decision = follow_on(job(follows="leader", created_at=NOW - waited), "leader", now=NOW)
    assert (decision.change, decision.job.not_before) == (changes.FOLLOW_ON, NOW + look)


def test_a_job_that_has_taken_the_lead_copies_nothing() -> None:
    """Only a follower ends with a copy."""
    assert copy_result((OUTPUT,))(job(), NOW) is None
    copied = copy_result((OUTPUT,))(job(follows="leader"), NOW)
    assert copied
    assert copied.change is changes.FOLLOWER_SUCCEED


def test_every_end_is_marked_as_one() -> None:
    """The ledger settles budget, cache, slot and seat by this mark alone."""
    ends = {name for name, change in changes.CHANGES.items() if "#hold" in change.update.partition("REMOVE")[2]}
    assert ends == {name for name, change in changes.CHANGES.items() if change.ends}


# --- followers without a budget ---


@pytest.mark.parametrize(
    ("retry_after", "change"), [(30, changes.FOLLOW_ON), (600, changes.FOLLOWER_FAIL), (9_000, changes.FOLLOWER_FAIL)]
)
def test_a_follower_without_budget_waits_or_fails(retry_after: int, change: Change) -> None:
    """It waits for room that comes before its deadline, and fails with the code of the cap otherwise."""
    follower = job(follows="b")
    decision = without_budget(LineTooLong("The cap is reached.", retry_after=retry_after))(follower, NOW)
    assert decision is not None
    after = decision.job
    assert (decision.change, decision.send) == (change, change is changes.FOLLOW_ON)
    if change is changes.FOLLOW_ON:
        assert after.wait == Wait(reason=WaitReason.BUDGET, until=NOW + 30, basis="The cap is reached.")
    else:
        assert after.error is not None
        assert (after.error.code, after.error.charged) == ("line_too_long", Charged.NO)


def test_a_follower_that_leads_by_now_is_left_alone() -> None:
    """Another delivery of its message was faster."""
    assert without_budget(LineTooLong("The cap is reached.", retry_after=1))(job(), NOW) is None


def test_a_decision_that_waits_for_the_line_waits_as_a_whole() -> None:
    """The job starts then, and its caller is told so."""
    waits = job(wait=Wait(reason=WaitReason.PROVIDER_QUOTA, until=NOW + 5, basis="quota"))
    moved = waiting_until(when_due(NOW + 60, resend_after=60)(waits, NOW), NOW + 90)  # type: ignore[arg-type]
    assert (moved.job.not_before, moved.job.wait and moved.job.wait.until) == (NOW + 90, NOW + 90)


def test_a_cancel_at_the_provider_sends_the_message_that_tells_it() -> None:
    """At once, so that the provider stops before it has generated more."""
    decision = when_canceled(called(lease=None, ref="gen-1"), NOW)
    assert decision is not None
    assert (decision.change, decision.send, decision.job.not_before) == (changes.CANCEL_AT_PROVIDER, True, NOW)


def test_every_end_keeps_what_is_counted_of_the_job() -> None:
    """Else a job that is opened again would be counted twice."""
    ends = {name: change.update for name, change in changes.CHANGES.items() if change.ends or change.succeeds}
    assert [name for name, update in ends.items() if "#counted = :counted" not in update] == []


@pytest.mark.parametrize(
    ("before", "charged", "usage"),
    [
        (None, Charged.YES, Usage(jobs=1, canceled=1, charged=5_000)),
        (None, Charged.UNKNOWN, Usage(jobs=1, canceled=1, unknown=5_000)),
        ((0, 5_000), Charged.YES, Usage(charged=5_000, unknown=-5_000)),
        ((0, 5_000), Charged.NO, Usage(unknown=-5_000)),
        ((5_000, 0), Charged.YES, Usage()),
    ],
)
def test_a_job_is_counted_once_and_then_by_what_becomes_known(
    before: tuple[int, int] | None, charged: Charged, usage: Usage
) -> None:
    """At its close it counts as it ended, and a later close adds the difference."""
    seen = called(status=Status.CANCELED, counted=before)
    closed = replace(seen, attempts=(replace(seen.attempts[0], charged=charged),))
    decision = after_end(closed)(seen, NOW)
    assert decision is not None
    whole, found = counted(decision, seen)
    assert (found, sum(whole.job.counted or ())) == (usage, 0 if charged is Charged.NO else 5_000)


def test_a_change_of_a_job_that_is_not_over_counts_nothing() -> None:
    """Nor does it write that anything is counted."""
    decision = when_canceled(called(), NOW)
    assert decision is not None
    assert counted(decision, called()) == (decision, Usage())
