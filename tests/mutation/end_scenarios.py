"""Scenarios for the conditions under which jobs end, follow another job, and are created."""

from __future__ import annotations

from longplay.domain.job import Status
from msgspec.structs import replace

from tests.mutation.registry import A_LEASE, A_REF, AS_SEEN, CRASHED_LEASE, MINE, NO_LEASE, NO_REF, UNFINISHED, guards
from tests.mutation.storage import CRASHED, DEADLINE, LEASE, NOW, OUTPUT, Storage, assert_refused

# --- ends ---


@guards("SUCCEED", AS_SEEN)
def a_late_result_does_not_overwrite_a_newer_ledger(storage: Storage) -> None:
    job = storage.running()
    storage.taken_over(job)
    assert_refused(lambda: storage.succeed(job))


@guards("SUCCEED", UNFINISHED)
def a_canceled_job_does_not_succeed(storage: Storage) -> None:
    job = storage.canceled_running()
    assert_refused(lambda: storage.succeed(storage.current(job)))


@guards("FAIL", MINE)
def a_superseded_worker_does_not_fail_the_job(storage: Storage) -> None:
    job = storage.running()
    storage.taken_over(job)
    assert_refused(lambda: storage.fail("FAIL", job))


@guards("FAIL", UNFINISHED)
def a_canceled_job_does_not_fail(storage: Storage) -> None:
    job = storage.canceled_running()
    assert_refused(lambda: storage.fail("FAIL", job))


@guards("FAIL_CRASHED", MINE)
def a_job_that_was_taken_over_does_not_fail_for_the_earlier_crash(storage: Storage) -> None:
    job = storage.running()
    storage.taken_over(job)
    assert_refused(lambda: storage.fail("FAIL_CRASHED", job, now=CRASHED + 1))


@guards("FAIL_CRASHED", CRASHED_LEASE)
def a_job_with_a_running_lease_does_not_fail_as_crashed(storage: Storage) -> None:
    job = storage.running()
    assert_refused(lambda: storage.fail("FAIL_CRASHED", job, now=LEASE - 1))


@guards("FAIL_CRASHED", UNFINISHED)
def a_canceled_job_does_not_fail_as_crashed(storage: Storage) -> None:
    job = storage.canceled_running()
    assert_refused(lambda: storage.fail("FAIL_CRASHED", job, now=CRASHED))


@guards("FAIL_OVERDUE", "#deadline <= :now")
def a_job_does_not_fail_before_its_deadline(storage: Storage) -> None:
    job = storage.queued()
    assert_refused(lambda: storage.fail("FAIL_OVERDUE", storage.current(job), now=DEADLINE - 1))


@guards("FAIL_OVERDUE", NO_LEASE)
def a_worker_may_finish_after_the_deadline(storage: Storage) -> None:
    job = storage.running()
    assert_refused(lambda: storage.fail("FAIL_OVERDUE", storage.current(job), now=DEADLINE))


@guards("FAIL_OVERDUE", UNFINISHED)
def a_canceled_job_is_not_overdue(storage: Storage) -> None:
    job = storage.canceled()
    assert_refused(lambda: storage.fail("FAIL_OVERDUE", storage.current(job), now=DEADLINE))


@guards("FAIL_OVERDUE", NO_REF)
def an_overdue_job_at_its_provider_stays_open(storage: Storage) -> None:
    job = storage.at_provider()
    assert_refused(lambda: storage.fail("FAIL_OVERDUE", storage.current(job), now=DEADLINE))


@guards("FAIL_OVERDUE_AT_PROVIDER", "#deadline <= :now")
def a_job_at_its_provider_does_not_fail_before_its_deadline(storage: Storage) -> None:
    job = storage.at_provider()
    assert_refused(lambda: storage.fail("FAIL_OVERDUE_AT_PROVIDER", job, now=DEADLINE - 1))


@guards("FAIL_OVERDUE_AT_PROVIDER", NO_LEASE)
def a_poll_may_finish_after_the_deadline(storage: Storage) -> None:
    job = storage.polled(storage.at_provider(), now=NOW, lease=LEASE)
    assert_refused(lambda: storage.fail("FAIL_OVERDUE_AT_PROVIDER", job, now=DEADLINE))


@guards("FAIL_OVERDUE_AT_PROVIDER", UNFINISHED)
def a_canceled_job_at_its_provider_is_not_overdue(storage: Storage) -> None:
    job = storage.at_provider()
    storage.change("CANCEL_AT_PROVIDER", job)
    assert_refused(lambda: storage.fail("FAIL_OVERDUE_AT_PROVIDER", job, now=DEADLINE))


@guards("FAIL_OVERDUE_AT_PROVIDER", A_REF)
def an_overdue_job_without_a_reference_does_not_stay_open(storage: Storage) -> None:
    job = storage.queued()
    assert_refused(lambda: storage.fail("FAIL_OVERDUE_AT_PROVIDER", job, now=DEADLINE))


@guards("FAIL_OVERDUE", AS_SEEN)
def an_overdue_job_is_not_settled_by_an_outdated_ledger(storage: Storage) -> None:
    job = storage.queued()
    storage.released(storage.claim(job))
    assert_refused(lambda: storage.fail("FAIL_OVERDUE", job, now=DEADLINE))


@guards("CANCEL_WAITING", AS_SEEN)
def a_canceled_job_is_not_settled_by_an_outdated_ledger(storage: Storage) -> None:
    job = storage.queued()
    storage.released(storage.claim(job))
    assert_refused(lambda: storage.change("CANCEL_WAITING", job))


@guards("CANCEL_WAITING", UNFINISHED)
def a_job_is_canceled_and_settled_once(storage: Storage) -> None:
    job = storage.canceled()
    assert_refused(lambda: storage.change("CANCEL_WAITING", storage.current(job)))


@guards("CANCEL_WAITING", NO_LEASE)
def a_claimed_job_is_not_canceled_as_a_waiting_one(storage: Storage) -> None:
    job = storage.running()
    assert_refused(lambda: storage.change("CANCEL_WAITING", storage.current(job)))


@guards("CANCEL_WAITING", NO_REF)
def a_job_at_its_provider_is_not_canceled_as_a_waiting_one(storage: Storage) -> None:
    job = storage.at_provider()
    assert_refused(lambda: storage.change("CANCEL_WAITING", storage.current(job)))


@guards("CANCEL_RUNNING", UNFINISHED)
def a_running_job_is_canceled_once(storage: Storage) -> None:
    job = storage.canceled_running()
    assert_refused(lambda: storage.change("CANCEL_RUNNING", job))


@guards("CANCEL_RUNNING", A_LEASE)
def a_released_job_is_not_canceled_as_a_running_one(storage: Storage) -> None:
    job = storage.released(storage.running())
    assert_refused(lambda: storage.change("CANCEL_RUNNING", job))


@guards("CANCEL_AT_PROVIDER", UNFINISHED)
def a_job_at_its_provider_is_canceled_once(storage: Storage) -> None:
    job = storage.at_provider()
    storage.change("CANCEL_AT_PROVIDER", job)
    assert_refused(lambda: storage.change("CANCEL_AT_PROVIDER", job))


@guards("CANCEL_AT_PROVIDER", NO_LEASE)
def a_job_that_is_being_polled_is_canceled_as_a_running_one(storage: Storage) -> None:
    job = storage.polled(storage.at_provider(), now=NOW, lease=LEASE)
    assert_refused(lambda: storage.change("CANCEL_AT_PROVIDER", job))


@guards("CANCEL_AT_PROVIDER", A_REF)
def a_job_without_a_reference_is_not_canceled_as_one_at_its_provider(storage: Storage) -> None:
    job = storage.released(storage.running())
    assert_refused(lambda: storage.change("CANCEL_AT_PROVIDER", job))


@guards("KEEP_LATE_RESULT", AS_SEEN)
def a_result_for_a_deleted_job_is_not_listed(storage: Storage) -> None:
    job = storage.canceled_running()
    storage.change("ERASE", job)
    assert_refused(lambda: storage.change("KEEP_LATE_RESULT", replace(job, outputs=(OUTPUT,))))


@guards("CLOSE", AS_SEEN)
def a_job_that_was_deleted_during_its_call_stays_open_for_its_files(storage: Storage) -> None:
    job = storage.canceled_running()
    storage.change("ERASE", job)
    assert_refused(lambda: storage.change("CLOSE", job))


@guards("CLOSE_DELETED", AS_SEEN)
def a_superseded_worker_does_not_close_a_deleted_job(storage: Storage) -> None:
    job = storage.canceled_running()
    learned = storage.learn_ref(job)
    storage.polled(learned)
    assert_refused(lambda: storage.change("CLOSE_DELETED", job))


@guards("ERASED", AS_SEEN)
def a_job_that_may_have_new_files_is_not_taken_for_erased(storage: Storage) -> None:
    job = storage.canceled_running()
    deleted = storage.change("ERASE", job)
    storage.change("CLOSE_DELETED", deleted)
    assert_refused(lambda: storage.change("ERASED", deleted))


@guards("ERASE", "attribute_exists(#pk)")
def deleting_an_unknown_job_creates_no_item(storage: Storage) -> None:
    job = replace(storage.queued(), id="unknown-2")
    assert_refused(lambda: storage.change("ERASE", job))


@guards("ERASE", f"NOT {UNFINISHED}")
def a_running_job_is_not_deleted(storage: Storage) -> None:
    job = storage.running()
    assert_refused(lambda: storage.change("ERASE", job))


# --- followers ---


@guards("FOLLOW_ON", "(#not_before <= :now OR #follows <> :follows)")
def two_deliveries_to_a_follower_send_one_message(storage: Storage) -> None:
    job = replace(storage.follower(), not_before=NOW + 5)
    storage.change("FOLLOW_ON", job)
    assert_refused(lambda: storage.change("FOLLOW_ON", job))


@guards("FOLLOW_ON", "#not_before <= :now")
def a_follower_waits_on_for_the_same_leader(storage: Storage) -> None:
    job = storage.follower()
    storage.change("FOLLOW_ON", replace(job, not_before=NOW + 5))


@guards("FOLLOW_ON", "#follows <> :follows")
def a_follower_follows_a_new_leader_at_once(storage: Storage) -> None:
    job = replace(storage.follower(), not_before=NOW + 5)
    storage.change("FOLLOW_ON", job)
    storage.change("FOLLOW_ON", replace(job, follows="another"))


@guards("FOLLOW_ON", "attribute_exists(#follows)")
def a_job_that_took_the_lead_does_not_follow_again(storage: Storage) -> None:
    job = storage.promoted()
    assert_refused(lambda: storage.change("FOLLOW_ON", job))


@guards("FOLLOWER_SUCCEED", "attribute_exists(#follows)")
def a_follower_that_was_canceled_does_not_succeed(storage: Storage) -> None:
    job = storage.follower()
    storage.change("CANCEL_WAITING", job)
    assert_refused(lambda: storage.change("FOLLOWER_SUCCEED", replace(job, outputs=(OUTPUT,))))


@guards("FOLLOWER_FAIL", "attribute_exists(#follows)")
def a_follower_that_was_canceled_does_not_fail(storage: Storage) -> None:
    job = storage.follower()
    storage.change("CANCEL_WAITING", job)
    assert_refused(lambda: storage.fail("FOLLOWER_FAIL", job))


@guards("TAKE_THE_LEAD", "attribute_exists(#follows)")
def a_follower_takes_the_lead_once(storage: Storage) -> None:
    job = storage.promoted()
    assert_refused(lambda: storage.change("TAKE_THE_LEAD", replace(job, follows=None)))


# --- creation, and writes whose reply was lost ---


@guards("CREATE", "(attribute_not_exists(#pk) OR #expires_at <= :now)")
def an_idempotency_key_creates_one_job(storage: Storage) -> None:
    job = storage.running()
    assert_refused(lambda: storage.queued(id=job.id))


@guards("CREATE", "attribute_not_exists(#pk)")
def a_first_request_creates_a_job(storage: Storage) -> None:
    assert storage.queued().status is Status.QUEUED


@guards("CREATE", "#expires_at <= :now")
def an_expired_key_creates_a_new_job(storage: Storage) -> None:
    job = storage.running(expires_at=int(NOW))
    storage.queued(id=job.id)


@guards("JobTable", "its own token is recognized")
def a_claim_whose_reply_was_lost_is_recognized(storage: Storage) -> None:
    job = storage.queued()
    with storage.repeating("update_item"):
        claimed = storage.claim(job)
    assert (claimed.fence, len(claimed.attempts)) == (1, 1)
