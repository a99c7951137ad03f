"""For each condition of a job's changes, what must not happen: each scenario fails where that condition is missing."""

from __future__ import annotations

from collections.abc import Callable

from longplay.job import Status
from msgspec.structs import replace

from tests.mutation.bench import CRASHED, DEADLINE, ERROR, LEASE, NOW, OUTPUT, Bench, is_refused

Scenario = Callable[[Bench], object]
SCENARIOS: dict[tuple[str, str], Scenario] = {}

UNFINISHED = "#status IN (:queued, :running)"
MINE = "#fence = :fence"
CRASHED_LEASE = "#lease <= :now"
NO_LEASE, A_LEASE = "attribute_not_exists(#lease)", "attribute_exists(#lease)"
NO_REF, A_REF = "attribute_not_exists(#ref)", "attribute_exists(#ref)"
AS_SEEN = "#token = :seen"
NO_LEADER = "attribute_not_exists(#leader)"


def guards(change: str, condition: str) -> Callable[[Scenario], Scenario]:
    """The scenario notices when this condition, or this side of an OR, is gone."""

    def enter(scenario: Scenario) -> Scenario:
        assert (change, condition) not in SCENARIOS
        SCENARIOS[change, condition] = scenario
        return scenario

    return enter


# --- taking a job ---


@guards("CLAIM", "#status = :queued")
def two_deliveries_of_one_message_start_one_call(bench: Bench) -> None:
    job = bench.running()
    is_refused(lambda: bench.claim(job))


@guards("CLAIM", "#route = :route")
def a_message_of_the_route_before_starts_nothing(bench: Bench) -> None:
    job = bench.released(bench.running(), route="router")
    is_refused(lambda: bench.claim(job, route="endpoint"))


@guards("CLAIM", "#not_before <= :now")
def a_message_that_comes_early_starts_nothing(bench: Bench) -> None:
    job = bench.queued(not_before=NOW + 30)
    is_refused(lambda: bench.claim(job))


@guards("CLAIM", "#deadline > :now")
def a_message_after_the_deadline_starts_nothing(bench: Bench) -> None:
    job = bench.queued()
    is_refused(lambda: bench.claim(job, now=DEADLINE))


@guards("CLAIM", "#charges < #max_charges")
def no_call_beyond_what_the_caller_allows(bench: Bench) -> None:
    job = bench.released(bench.running(max_charges=1))
    is_refused(lambda: bench.claim(job))


@guards("CLAIM", "attribute_not_exists(#follows)")
def a_follower_makes_no_call(bench: Bench) -> None:
    job = bench.follower()
    is_refused(lambda: bench.claim(job))


@guards("TAKE_OVER", MINE)
def two_deliveries_after_a_crash_start_one_call(bench: Bench) -> None:
    job = bench.running()
    bench.taken_over(job)
    is_refused(lambda: bench.take_over(job, now=CRASHED + 1))


@guards("TAKE_OVER", CRASHED_LEASE)
def a_live_worker_is_not_superseded(bench: Bench) -> None:
    job = bench.running()
    is_refused(lambda: bench.take_over(job, now=LEASE - 1))


@guards("TAKE_OVER", "#charges < #max_charges")
def a_crash_does_not_allow_one_more_call(bench: Bench) -> None:
    job = bench.running(max_charges=1)
    is_refused(lambda: bench.take_over(job, now=CRASHED))


@guards("TAKE_OVER", UNFINISHED)
def a_canceled_job_is_not_called_again(bench: Bench) -> None:
    job = bench.canceled_running()
    is_refused(lambda: bench.take_over(job, now=CRASHED))


@guards("TAKE_OVER", NO_REF)
def a_job_whose_reference_has_been_learnt_is_not_called_again(bench: Bench) -> None:
    job = bench.running()
    bench.jobs.learn_ref(job, 0, "prediction-1", now=NOW)
    is_refused(lambda: bench.take_over(job, now=CRASHED))


# --- references ---


@guards("REFER", MINE)
def a_superseded_worker_stores_no_reference(bench: Bench) -> None:
    job = bench.running()
    bench.taken_over(job)
    is_refused(lambda: bench.jobs.refer(replace(job, ref="prediction-1")))


@guards("REFER", A_LEASE)
def a_reference_does_not_reopen_a_job_that_was_failed_for_its_crash(bench: Bench) -> None:
    job = bench.running()
    bench.jobs.fail_crashed(job, ERROR, now=CRASHED)
    is_refused(lambda: bench.jobs.refer(replace(job, ref="prediction-1")))


@guards("STEP", A_REF)
def a_job_without_a_reference_is_not_asked_for(bench: Bench) -> None:
    job = bench.queued()
    is_refused(lambda: bench.jobs.step(job, now=NOW, lease=LEASE))


@guards("STEP", "#not_before <= :now")
def a_provider_is_not_asked_early(bench: Bench) -> None:
    job = bench.referred(not_before=NOW + 30)
    is_refused(lambda: bench.jobs.step(job, now=NOW, lease=LEASE))


@guards("STEP", f"({NO_LEASE} OR {CRASHED_LEASE})")
def two_deliveries_ask_once(bench: Bench) -> None:
    job = bench.jobs.step(bench.referred(), now=NOW, lease=LEASE)
    is_refused(lambda: bench.jobs.step(job, now=NOW, lease=LEASE))


@guards("STEP", NO_LEASE)
def a_job_that_nobody_is_at_is_asked_for(bench: Bench) -> None:
    assert bench.jobs.step(bench.referred(), now=NOW, lease=LEASE).lease == LEASE


@guards("STEP", CRASHED_LEASE)
def a_job_whose_asker_crashed_is_asked_for_again(bench: Bench) -> None:
    job = bench.jobs.step(bench.referred(), now=NOW, lease=LEASE)
    assert bench.jobs.step(job, now=CRASHED, lease=CRASHED + 9).lease == CRASHED + 9


@guards("LEARN_REF", "#attempts[i].#token = :secret")
def a_forged_callback_stores_no_reference(bench: Bench) -> None:
    job = bench.running()
    forged = replace(job, attempts=(replace(job.attempts[0], token="guessed"),))
    is_refused(lambda: bench.jobs.learn_ref(forged, 0, "prediction-1", now=NOW))


@guards("LEARN_REF", A_LEASE)
def a_callback_for_a_job_that_has_ended_stores_no_reference(bench: Bench) -> None:
    job = bench.running()
    bench.jobs.fail(job, ERROR, now=NOW)
    is_refused(lambda: bench.jobs.learn_ref(job, 0, "prediction-1", now=NOW))


@guards("LEARN_REF", NO_REF)
def a_second_callback_replaces_no_reference(bench: Bench) -> None:
    job = bench.running()
    bench.jobs.learn_ref(job, 0, "prediction-1", now=NOW)
    is_refused(lambda: bench.jobs.learn_ref(job, 0, "prediction-2", now=NOW))


@guards("NUDGE", "#attempts[i].#token = :secret")
def a_forged_callback_has_nothing_asked(bench: Bench) -> None:
    job = bench.referred(not_before=NOW + 30)
    forged = replace(job, attempts=(replace(job.attempts[0], token="guessed"),))
    is_refused(lambda: bench.jobs.nudge(forged, 0, sooner=NOW))


@guards("NUDGE", A_REF)
def a_late_callback_does_not_shorten_another_wait(bench: Bench) -> None:
    job = bench.running()
    bench.released(job, not_before=NOW + 30)
    is_refused(lambda: bench.jobs.nudge(job, 0, sooner=NOW))


@guards("NUDGE", "#not_before > :sooner")
def a_callback_never_has_the_provider_asked_later(bench: Bench) -> None:
    job = bench.referred(not_before=NOW + 5)
    is_refused(lambda: bench.jobs.nudge(job, 0, sooner=NOW + 9))


# --- letting go ---


@guards("RELEASE", MINE)
def a_superseded_worker_puts_nothing_back(bench: Bench) -> None:
    job = bench.running()
    bench.taken_over(job)
    is_refused(lambda: bench.jobs.release(job))


@guards("RELEASE", "#status = :running")
def a_canceled_job_is_not_put_back(bench: Bench) -> None:
    job = bench.canceled_running()
    is_refused(lambda: bench.jobs.release(job))


@guards("CLOSE", MINE)
def a_superseded_worker_does_not_close_its_successors_job(bench: Bench) -> None:
    job = bench.running()
    bench.taken_over(job)
    is_refused(lambda: bench.jobs.close(job))


@guards("CLOSE", A_LEASE)
def a_job_is_closed_and_settled_once(bench: Bench) -> None:
    job = bench.canceled_running()
    bench.jobs.close(job)
    is_refused(lambda: bench.jobs.close(job))


@guards("MOVE", "#due_at = :seen")
def two_sweepers_send_one_message(bench: Bench) -> None:
    bench.queued(due_at=NOW)
    due = next(bench.jobs.due(NOW, limit=1))
    bench.jobs.move(due, due_at=NOW + 60)
    is_refused(lambda: bench.jobs.move(due, due_at=NOW + 60))


# --- ends ---


@guards("SUCCEED", AS_SEEN)
def a_late_result_does_not_overwrite_its_successors_ledger(bench: Bench) -> None:
    job = bench.running()
    bench.taken_over(job)
    is_refused(lambda: bench.jobs.succeed(replace(job, outputs=(OUTPUT,)), now=NOW))


@guards("SUCCEED", UNFINISHED)
def a_canceled_job_does_not_succeed(bench: Bench) -> None:
    job = bench.canceled_running()
    is_refused(lambda: bench.jobs.succeed(replace(bench.now(job), outputs=(OUTPUT,)), now=NOW))


@guards("FAIL", MINE)
def a_superseded_worker_fails_nothing(bench: Bench) -> None:
    job = bench.running()
    bench.taken_over(job)
    is_refused(lambda: bench.jobs.fail(job, ERROR, now=NOW))


@guards("FAIL", UNFINISHED)
def a_canceled_job_does_not_fail(bench: Bench) -> None:
    job = bench.canceled_running()
    is_refused(lambda: bench.jobs.fail(job, ERROR, now=NOW))


@guards("FAIL_CRASHED", MINE)
def a_job_taken_over_is_not_failed_for_the_crash_before(bench: Bench) -> None:
    job = bench.running()
    bench.taken_over(job)
    is_refused(lambda: bench.jobs.fail_crashed(job, ERROR, now=CRASHED + 1))


@guards("FAIL_CRASHED", CRASHED_LEASE)
def a_live_worker_has_not_crashed(bench: Bench) -> None:
    job = bench.running()
    is_refused(lambda: bench.jobs.fail_crashed(job, ERROR, now=LEASE - 1))


@guards("FAIL_CRASHED", UNFINISHED)
def a_canceled_job_is_not_failed_for_its_crash(bench: Bench) -> None:
    job = bench.canceled_running()
    is_refused(lambda: bench.jobs.fail_crashed(job, ERROR, now=CRASHED))


@guards("FAIL_OVERDUE", "#deadline <= :now")
def a_sweeper_with_a_fast_clock_fails_nothing(bench: Bench) -> None:
    job = bench.queued()
    is_refused(lambda: bench.jobs.fail_overdue(bench.now(job), ERROR, now=DEADLINE - 1))


@guards("FAIL_OVERDUE", NO_LEASE)
def a_worker_may_finish_past_the_deadline(bench: Bench) -> None:
    job = bench.running()
    is_refused(lambda: bench.jobs.fail_overdue(bench.now(job), ERROR, now=DEADLINE))


@guards("FAIL_OVERDUE", UNFINISHED)
def a_canceled_job_is_not_overdue(bench: Bench) -> None:
    job = bench.canceled()
    is_refused(lambda: bench.jobs.fail_overdue(bench.now(job), ERROR, now=DEADLINE))


@guards("FAIL_OVERDUE", NO_REF)
def an_overdue_job_that_its_provider_holds_stays_open(bench: Bench) -> None:
    job = bench.referred()
    is_refused(lambda: bench.jobs.fail_overdue(bench.now(job), ERROR, now=DEADLINE))


@guards("FAIL_OVERDUE_HELD", "#deadline <= :now")
def a_held_job_may_use_all_its_time(bench: Bench) -> None:
    job = bench.referred()
    is_refused(lambda: bench.jobs.fail_overdue_held(job, ERROR, now=DEADLINE - 1))


@guards("FAIL_OVERDUE_HELD", NO_LEASE)
def an_asker_may_finish_past_the_deadline(bench: Bench) -> None:
    job = bench.jobs.step(bench.referred(), now=NOW, lease=LEASE)
    is_refused(lambda: bench.jobs.fail_overdue_held(job, ERROR, now=DEADLINE))


@guards("FAIL_OVERDUE_HELD", UNFINISHED)
def a_held_job_that_was_canceled_is_not_overdue(bench: Bench) -> None:
    job = bench.referred()
    bench.jobs.cancel_held(job, now=NOW)
    is_refused(lambda: bench.jobs.fail_overdue_held(job, ERROR, now=DEADLINE))


@guards("FAIL_OVERDUE_HELD", A_REF)
def an_overdue_job_that_nobody_holds_does_not_stay_open(bench: Bench) -> None:
    job = bench.queued()
    is_refused(lambda: bench.jobs.fail_overdue_held(job, ERROR, now=DEADLINE))


@guards("FAIL_OVERDUE", AS_SEEN)
def a_job_that_was_called_meanwhile_is_not_settled_by_the_ledger_before(bench: Bench) -> None:
    job = bench.queued()
    bench.released(bench.claim(job))
    is_refused(lambda: bench.jobs.fail_overdue(job, ERROR, now=DEADLINE))


@guards("CANCEL_WAITING", AS_SEEN)
def a_call_made_just_before_a_cancel_is_settled(bench: Bench) -> None:
    job = bench.queued()
    bench.released(bench.claim(job))
    is_refused(lambda: bench.jobs.cancel_waiting(job, now=NOW))


@guards("CANCEL_WAITING", UNFINISHED)
def a_job_is_canceled_and_settled_once(bench: Bench) -> None:
    job = bench.canceled()
    is_refused(lambda: bench.jobs.cancel_waiting(bench.now(job), now=NOW))


@guards("CANCEL_WAITING", NO_LEASE)
def a_job_that_was_just_claimed_is_not_canceled_as_a_waiting_one(bench: Bench) -> None:
    job = bench.running()
    is_refused(lambda: bench.jobs.cancel_waiting(bench.now(job), now=NOW))


@guards("CANCEL_WAITING", NO_REF)
def a_job_that_its_provider_holds_is_not_canceled_as_a_waiting_one(bench: Bench) -> None:
    job = bench.referred()
    is_refused(lambda: bench.jobs.cancel_waiting(bench.now(job), now=NOW))


@guards("CANCEL_RUNNING", UNFINISHED)
def a_running_job_is_canceled_once(bench: Bench) -> None:
    job = bench.canceled_running()
    is_refused(lambda: bench.jobs.cancel_running(job, now=NOW))


@guards("CANCEL_RUNNING", A_LEASE)
def a_job_that_was_just_let_go_is_not_canceled_as_a_running_one(bench: Bench) -> None:
    job = bench.released(bench.running())
    is_refused(lambda: bench.jobs.cancel_running(job, now=NOW))


@guards("CANCEL_HELD", UNFINISHED)
def a_held_job_is_canceled_once(bench: Bench) -> None:
    job = bench.referred()
    bench.jobs.cancel_held(job, now=NOW)
    is_refused(lambda: bench.jobs.cancel_held(job, now=NOW))


@guards("CANCEL_HELD", NO_LEASE)
def a_job_that_is_being_asked_for_is_canceled_as_a_running_one(bench: Bench) -> None:
    job = bench.jobs.step(bench.referred(), now=NOW, lease=LEASE)
    is_refused(lambda: bench.jobs.cancel_held(job, now=NOW))


@guards("CANCEL_HELD", A_REF)
def a_job_whose_provider_has_just_failed_does_not_stay_open(bench: Bench) -> None:
    job = bench.released(bench.running())
    is_refused(lambda: bench.jobs.cancel_held(job, now=NOW))


@guards("KEEP_LATE_RESULT", "attribute_exists(#pk)")
def a_result_for_a_job_long_gone_makes_no_item(bench: Bench) -> None:
    job = replace(bench.running(), id="long-gone", outputs=(OUTPUT,))
    is_refused(lambda: bench.jobs.keep_late_result(job))


@guards("KEEP_LATE_RESULT", "attribute_not_exists(#deleted)")
def a_result_for_a_deleted_job_is_not_listed(bench: Bench) -> None:
    job = bench.canceled_running()
    bench.jobs.erase(job, now=NOW)
    is_refused(lambda: bench.jobs.keep_late_result(replace(job, outputs=(OUTPUT,))))


@guards("ERASE", "attribute_exists(#pk)")
def to_delete_what_is_not_there_makes_no_item(bench: Bench) -> None:
    job = replace(bench.queued(), id="never-was")
    is_refused(lambda: bench.jobs.erase(job, now=NOW))


@guards("ERASE", f"NOT {UNFINISHED}")
def a_job_under_way_is_not_deleted(bench: Bench) -> None:
    job = bench.running()
    is_refused(lambda: bench.jobs.erase(job, now=NOW))


# --- followers ---


@guards("FOLLOW_ON", "#not_before <= :now")
def two_deliveries_to_a_follower_send_one_message(bench: Bench) -> None:
    job = replace(bench.follower(), not_before=NOW + 5)
    bench.jobs.follow_on(job, now=NOW)
    is_refused(lambda: bench.jobs.follow_on(job, now=NOW))


@guards("FOLLOW_ON", "attribute_exists(#follows)")
def a_job_that_took_the_lead_follows_nobody(bench: Bench) -> None:
    job = bench.promoted()
    is_refused(lambda: bench.jobs.follow_on(job, now=NOW))


@guards("FOLLOWER_SUCCEED", "attribute_exists(#follows)")
def a_follower_that_was_canceled_does_not_succeed(bench: Bench) -> None:
    job = bench.follower()
    bench.jobs.cancel_waiting(job, now=NOW)
    is_refused(lambda: bench.jobs.succeed_following(replace(job, outputs=(OUTPUT,)), now=NOW))


@guards("TAKE_THE_LEAD", "attribute_exists(#follows)")
def a_follower_takes_one_slot(bench: Bench) -> None:
    job = bench.promoted()
    is_refused(lambda: bench.jobs.take_the_lead(replace(job, follows=None), beside=[]))


# --- creation, and what is recognised as one's own ---


@guards("JobTable.create", "attribute_not_exists(pk) OR expires_at <= :now")
def an_idempotency_key_makes_one_job(bench: Bench) -> None:
    job = bench.running()
    is_refused(lambda: bench.queued(id=job.id))


@guards("JobTable.create", "attribute_not_exists(pk)")
def a_first_request_makes_a_job(bench: Bench) -> None:
    assert bench.queued().status is Status.QUEUED


@guards("JobTable.create", "expires_at <= :now")
def an_expired_key_starts_anew(bench: Bench) -> None:
    job = bench.running(expires_at=int(NOW))
    bench.queued(id=job.id)


@guards("JobTable", "its own token is recognised")
def a_claim_whose_reply_was_lost_is_ones_own(bench: Bench) -> None:
    job = bench.queued()
    with bench.repeating("update_item"):
        claimed = bench.claim(job)
    assert (claimed.fence, len(claimed.attempts)) == (1, 1)
