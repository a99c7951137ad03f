"""How jobs must not end, follow, or be created where a condition says no."""

from __future__ import annotations

from longplay.domain.job import Status
from msgspec.structs import replace

from tests.mutation.registry import A_LEASE, A_REF, AS_SEEN, CRASHED_LEASE, MINE, NO_LEASE, NO_REF, UNFINISHED, guards
from tests.mutation.storage import CRASHED, DEADLINE, LEASE, NOW, OUTPUT, Bench, is_refused

# --- ends ---


@guards("SUCCEED", AS_SEEN)
def a_late_result_does_not_overwrite_its_successors_ledger(bench: Bench) -> None:
    job = bench.running()
    bench.taken_over(job)
    is_refused(lambda: bench.succeed(job))


@guards("SUCCEED", UNFINISHED)
def a_canceled_job_does_not_succeed(bench: Bench) -> None:
    job = bench.canceled_running()
    is_refused(lambda: bench.succeed(bench.current(job)))


@guards("FAIL", MINE)
def a_superseded_worker_fails_nothing(bench: Bench) -> None:
    job = bench.running()
    bench.taken_over(job)
    is_refused(lambda: bench.fail("FAIL", job))


@guards("FAIL", UNFINISHED)
def a_canceled_job_does_not_fail(bench: Bench) -> None:
    job = bench.canceled_running()
    is_refused(lambda: bench.fail("FAIL", job))


@guards("FAIL_CRASHED", MINE)
def a_job_taken_over_is_not_failed_for_the_crash_before(bench: Bench) -> None:
    job = bench.running()
    bench.taken_over(job)
    is_refused(lambda: bench.fail("FAIL_CRASHED", job, now=CRASHED + 1))


@guards("FAIL_CRASHED", CRASHED_LEASE)
def a_live_worker_has_not_crashed(bench: Bench) -> None:
    job = bench.running()
    is_refused(lambda: bench.fail("FAIL_CRASHED", job, now=LEASE - 1))


@guards("FAIL_CRASHED", UNFINISHED)
def a_canceled_job_is_not_failed_for_its_crash(bench: Bench) -> None:
    job = bench.canceled_running()
    is_refused(lambda: bench.fail("FAIL_CRASHED", job, now=CRASHED))


@guards("FAIL_OVERDUE", "#deadline <= :now")
def a_sweeper_with_a_fast_clock_fails_nothing(bench: Bench) -> None:
    job = bench.queued()
    is_refused(lambda: bench.fail("FAIL_OVERDUE", bench.current(job), now=DEADLINE - 1))


@guards("FAIL_OVERDUE", NO_LEASE)
def a_worker_may_finish_past_the_deadline(bench: Bench) -> None:
    job = bench.running()
    is_refused(lambda: bench.fail("FAIL_OVERDUE", bench.current(job), now=DEADLINE))


@guards("FAIL_OVERDUE", UNFINISHED)
def a_canceled_job_is_not_overdue(bench: Bench) -> None:
    job = bench.canceled()
    is_refused(lambda: bench.fail("FAIL_OVERDUE", bench.current(job), now=DEADLINE))


@guards("FAIL_OVERDUE", NO_REF)
def an_overdue_job_that_its_provider_holds_stays_open(bench: Bench) -> None:
    job = bench.at_provider()
    is_refused(lambda: bench.fail("FAIL_OVERDUE", bench.current(job), now=DEADLINE))


@guards("FAIL_OVERDUE_AT_PROVIDER", "#deadline <= :now")
def a_held_job_may_use_all_its_time(bench: Bench) -> None:
    job = bench.at_provider()
    is_refused(lambda: bench.fail("FAIL_OVERDUE_AT_PROVIDER", job, now=DEADLINE - 1))


@guards("FAIL_OVERDUE_AT_PROVIDER", NO_LEASE)
def an_asker_may_finish_past_the_deadline(bench: Bench) -> None:
    job = bench.polled(bench.at_provider(), now=NOW, lease=LEASE)
    is_refused(lambda: bench.fail("FAIL_OVERDUE_AT_PROVIDER", job, now=DEADLINE))


@guards("FAIL_OVERDUE_AT_PROVIDER", UNFINISHED)
def a_held_job_that_was_canceled_is_not_overdue(bench: Bench) -> None:
    job = bench.at_provider()
    bench.change("CANCEL_AT_PROVIDER", job)
    is_refused(lambda: bench.fail("FAIL_OVERDUE_AT_PROVIDER", job, now=DEADLINE))


@guards("FAIL_OVERDUE_AT_PROVIDER", A_REF)
def an_overdue_job_that_nobody_holds_does_not_stay_open(bench: Bench) -> None:
    job = bench.queued()
    is_refused(lambda: bench.fail("FAIL_OVERDUE_AT_PROVIDER", job, now=DEADLINE))


@guards("FAIL_OVERDUE", AS_SEEN)
def a_job_that_was_called_meanwhile_is_not_settled_by_the_ledger_before(bench: Bench) -> None:
    job = bench.queued()
    bench.released(bench.claim(job))
    is_refused(lambda: bench.fail("FAIL_OVERDUE", job, now=DEADLINE))


@guards("CANCEL_WAITING", AS_SEEN)
def a_call_made_just_before_a_cancel_is_settled(bench: Bench) -> None:
    job = bench.queued()
    bench.released(bench.claim(job))
    is_refused(lambda: bench.change("CANCEL_WAITING", job))


@guards("CANCEL_WAITING", UNFINISHED)
def a_job_is_canceled_and_settled_once(bench: Bench) -> None:
    job = bench.canceled()
    is_refused(lambda: bench.change("CANCEL_WAITING", bench.current(job)))


@guards("CANCEL_WAITING", NO_LEASE)
def a_job_that_was_just_claimed_is_not_canceled_as_a_waiting_one(bench: Bench) -> None:
    job = bench.running()
    is_refused(lambda: bench.change("CANCEL_WAITING", bench.current(job)))


@guards("CANCEL_WAITING", NO_REF)
def a_job_that_its_provider_holds_is_not_canceled_as_a_waiting_one(bench: Bench) -> None:
    job = bench.at_provider()
    is_refused(lambda: bench.change("CANCEL_WAITING", bench.current(job)))


@guards("CANCEL_RUNNING", UNFINISHED)
def a_running_job_is_canceled_once(bench: Bench) -> None:
    job = bench.canceled_running()
    is_refused(lambda: bench.change("CANCEL_RUNNING", job))


@guards("CANCEL_RUNNING", A_LEASE)
def a_job_that_was_just_let_go_is_not_canceled_as_a_running_one(bench: Bench) -> None:
    job = bench.released(bench.running())
    is_refused(lambda: bench.change("CANCEL_RUNNING", job))


@guards("CANCEL_AT_PROVIDER", UNFINISHED)
def a_held_job_is_canceled_once(bench: Bench) -> None:
    job = bench.at_provider()
    bench.change("CANCEL_AT_PROVIDER", job)
    is_refused(lambda: bench.change("CANCEL_AT_PROVIDER", job))


@guards("CANCEL_AT_PROVIDER", NO_LEASE)
def a_job_that_is_being_asked_for_is_canceled_as_a_running_one(bench: Bench) -> None:
    job = bench.polled(bench.at_provider(), now=NOW, lease=LEASE)
    is_refused(lambda: bench.change("CANCEL_AT_PROVIDER", job))


@guards("CANCEL_AT_PROVIDER", A_REF)
def a_job_whose_provider_has_just_failed_does_not_stay_open(bench: Bench) -> None:
    job = bench.released(bench.running())
    is_refused(lambda: bench.change("CANCEL_AT_PROVIDER", job))


@guards("KEEP_LATE_RESULT", "attribute_exists(#pk)")
def a_result_for_a_job_long_gone_makes_no_item(bench: Bench) -> None:
    job = replace(bench.running(), id="long-gone", outputs=(OUTPUT,))
    is_refused(lambda: bench.change("KEEP_LATE_RESULT", job))


@guards("KEEP_LATE_RESULT", "attribute_not_exists(#deleted)")
def a_result_for_a_deleted_job_is_not_listed(bench: Bench) -> None:
    job = bench.canceled_running()
    bench.change("ERASE", job)
    is_refused(lambda: bench.change("KEEP_LATE_RESULT", replace(job, outputs=(OUTPUT,))))


@guards("ERASE", "attribute_exists(#pk)")
def to_delete_what_is_not_there_makes_no_item(bench: Bench) -> None:
    job = replace(bench.queued(), id="never-was")
    is_refused(lambda: bench.change("ERASE", job))


@guards("ERASE", f"NOT {UNFINISHED}")
def a_job_under_way_is_not_deleted(bench: Bench) -> None:
    job = bench.running()
    is_refused(lambda: bench.change("ERASE", job))


# --- followers ---


@guards("FOLLOW_ON", "#not_before <= :now")
def two_deliveries_to_a_follower_send_one_message(bench: Bench) -> None:
    job = replace(bench.follower(), not_before=NOW + 5)
    bench.change("FOLLOW_ON", job)
    is_refused(lambda: bench.change("FOLLOW_ON", job))


@guards("FOLLOW_ON", "attribute_exists(#follows)")
def a_job_that_took_the_lead_follows_nobody(bench: Bench) -> None:
    job = bench.promoted()
    is_refused(lambda: bench.change("FOLLOW_ON", job))


@guards("FOLLOWER_SUCCEED", "attribute_exists(#follows)")
def a_follower_that_was_canceled_does_not_succeed(bench: Bench) -> None:
    job = bench.follower()
    bench.change("CANCEL_WAITING", job)
    is_refused(lambda: bench.change("FOLLOWER_SUCCEED", replace(job, outputs=(OUTPUT,))))


@guards("TAKE_THE_LEAD", "attribute_exists(#follows)")
def a_follower_takes_one_slot(bench: Bench) -> None:
    job = bench.promoted()
    is_refused(lambda: bench.change("TAKE_THE_LEAD", replace(job, follows=None)))


# --- creation, and what is recognized as one's own ---


@guards("CREATE", "(attribute_not_exists(#pk) OR #expires_at <= :now)")
def an_idempotency_key_makes_one_job(bench: Bench) -> None:
    job = bench.running()
    is_refused(lambda: bench.queued(id=job.id))


@guards("CREATE", "attribute_not_exists(#pk)")
def a_first_request_makes_a_job(bench: Bench) -> None:
    assert bench.queued().status is Status.QUEUED


@guards("CREATE", "#expires_at <= :now")
def an_expired_key_starts_anew(bench: Bench) -> None:
    job = bench.running(expires_at=int(NOW))
    bench.queued(id=job.id)


@guards("JobTable", "its own token is recognized")
def a_claim_whose_reply_was_lost_is_ones_own(bench: Bench) -> None:
    job = bench.queued()
    with bench.repeating("update_item"):
        claimed = bench.claim(job)
    assert (claimed.fence, len(claimed.attempts)) == (1, 1)
