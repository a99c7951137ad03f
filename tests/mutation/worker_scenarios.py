"""Scenarios for the conditions under which a worker takes a job, gets its reference, and lets it go."""

from __future__ import annotations

from longplay.domain.errors import Charged
from longplay.domain.job import Status
from msgspec.structs import replace

from tests.mutation.registry import A_LEASE, A_REF, AS_SEEN, CRASHED_LEASE, MINE, NO_LEASE, NO_REF, UNFINISHED, guards
from tests.mutation.storage import CRASHED, DEADLINE, LEASE, NOW, OUTPUT, ROUTER, Storage, assert_refused

# --- taking a job ---


@guards("CLAIM", "#status = :queued")
def two_deliveries_of_one_message_start_one_call(storage: Storage) -> None:
    job = storage.running()
    assert_refused(lambda: storage.claim(job))


@guards("CLAIM", "#route = :route")
def a_message_for_an_earlier_route_starts_no_call(storage: Storage) -> None:
    job = storage.released(storage.running(), leg=ROUTER)
    assert_refused(lambda: storage.claim(job, route="endpoint"))


@guards("CLAIM", "#not_before <= :now")
def a_message_that_comes_early_starts_no_call(storage: Storage) -> None:
    job = storage.queued(not_before=NOW + 30)
    assert_refused(lambda: storage.claim(job))


@guards("CLAIM", "#deadline > :now")
def a_message_after_the_deadline_starts_no_call(storage: Storage) -> None:
    job = storage.queued()
    assert_refused(lambda: storage.claim(job, now=DEADLINE))


@guards("CLAIM", "#charges < #max_charges")
def no_call_is_made_beyond_max_charges(storage: Storage) -> None:
    job = storage.released(storage.running(max_charges=1))
    assert_refused(lambda: storage.claim(job))


@guards("CLAIM", "attribute_not_exists(#follows)")
def a_follower_makes_no_call(storage: Storage) -> None:
    job = storage.follower()
    assert_refused(lambda: storage.claim(job))


@guards("TAKE_OVER", MINE)
def two_deliveries_after_a_crash_start_one_call(storage: Storage) -> None:
    job = storage.running()
    storage.taken_over(job)
    assert_refused(lambda: storage.take_over(job, now=CRASHED + 1))


@guards("TAKE_OVER", CRASHED_LEASE)
def a_live_worker_is_not_superseded(storage: Storage) -> None:
    job = storage.running()
    assert_refused(lambda: storage.take_over(job, now=LEASE - 1))


@guards("TAKE_OVER", "#charges < #max_charges")
def a_crash_does_not_add_to_max_charges(storage: Storage) -> None:
    job = storage.running(max_charges=1)
    assert_refused(lambda: storage.take_over(job, now=CRASHED))


@guards("TAKE_OVER", UNFINISHED)
def a_canceled_job_is_not_called_again(storage: Storage) -> None:
    job = storage.canceled_running()
    assert_refused(lambda: storage.take_over(job, now=CRASHED))


@guards("TAKE_OVER", NO_REF)
def a_job_with_a_reference_is_not_called_again(storage: Storage) -> None:
    polling = storage.polled(storage.at_provider(), now=NOW, lease=LEASE)
    assert_refused(lambda: storage.take_over(polling, now=CRASHED))


@guards("START_NOW", AS_SEEN)
def a_job_that_has_ended_is_not_started_by_an_outdated_word_of_room(storage: Storage) -> None:
    job = storage.queued()
    storage.fail("FAIL", storage.claim(job))
    assert_refused(lambda: storage.change("START_NOW", job))


# --- references ---


@guards("STORE_REF", MINE)
def a_superseded_worker_stores_no_reference(storage: Storage) -> None:
    job = storage.running()
    storage.taken_over(job)
    assert_refused(lambda: storage.change("STORE_REF", replace(job, ref="prediction-1")))


@guards("STORE_REF", A_LEASE)
def a_late_reference_does_not_reopen_a_job_that_failed_after_a_crash(storage: Storage) -> None:
    job = storage.running()
    storage.fail("FAIL_CRASHED", job, now=CRASHED)
    assert_refused(lambda: storage.change("STORE_REF", replace(job, ref="prediction-1")))


@guards("CLAIM_POLL", A_REF)
def a_job_without_a_reference_is_not_polled(storage: Storage) -> None:
    job = storage.queued()
    assert_refused(lambda: storage.polled(job, now=NOW, lease=LEASE))


@guards("CLAIM_POLL", "#not_before <= :now")
def a_provider_is_not_polled_early(storage: Storage) -> None:
    job = storage.at_provider(not_before=NOW + 30)
    assert_refused(lambda: storage.polled(job, now=NOW, lease=LEASE))


@guards("CLAIM_POLL", NO_LEASE)
def two_deliveries_make_one_poll(storage: Storage) -> None:
    job = storage.polled(storage.at_provider(), now=NOW, lease=LEASE)
    assert_refused(lambda: storage.polled(job, now=NOW, lease=LEASE))


@guards("CLAIM_POLL_AGAIN", CRASHED_LEASE)
def a_worker_that_polls_is_not_superseded(storage: Storage) -> None:
    job = storage.polled(storage.at_provider(), now=NOW, lease=LEASE)
    assert_refused(lambda: storage.polled_again(job, now=LEASE - 1))


@guards("CLAIM_POLL_AGAIN", MINE)
def two_deliveries_after_a_crash_make_one_poll(storage: Storage) -> None:
    job = storage.polled(storage.at_provider(), now=NOW, lease=LEASE)
    storage.polled_again(job, now=CRASHED, lease=CRASHED + 1)
    assert_refused(lambda: storage.polled_again(job, now=CRASHED + 2))


@guards("LEARN_REF", "#attempts[i].#token = :secret")
def a_forged_callback_stores_no_reference(storage: Storage) -> None:
    job = storage.running()
    forged = replace(job, attempts=(replace(job.attempts[0], token="guessed"),))
    assert_refused(lambda: storage.learn_ref(forged, "prediction-1"))


@guards("LEARN_REF", A_LEASE)
def a_callback_for_a_job_that_has_ended_stores_no_reference(storage: Storage) -> None:
    job = storage.running()
    storage.fail("FAIL", job)
    assert_refused(lambda: storage.learn_ref(job, "prediction-1"))


@guards("LEARN_REF", NO_REF)
def a_second_callback_does_not_replace_the_reference(storage: Storage) -> None:
    job = storage.running()
    storage.learn_ref(job, "prediction-1")
    storage.polled(job, now=NOW, lease=LEASE)
    assert_refused(lambda: storage.learn_ref(job, "prediction-2"))


@guards("LEARN_REF_LATE", "#attempts[i].#token = :secret")
def a_forged_callback_after_a_lost_answer_stores_no_reference(storage: Storage) -> None:
    job = storage.answer_lost()
    forged = replace(job, attempts=(replace(job.attempts[0], token="guessed"),))
    assert_refused(lambda: storage.learn_ref(forged, "prediction-1"))


@guards("LEARN_REF_LATE", "attribute_not_exists(#attempts[i].#charged)")
def a_callback_about_a_refused_call_stores_no_reference(storage: Storage) -> None:
    job = storage.running()
    refused = replace(job.attempts[0], charged=Charged.NO)
    job = storage.released(job, status=Status.QUEUED, attempts=(refused,))
    assert_refused(lambda: storage.learn_ref(job, "prediction-1"))


@guards("LEARN_REF_LATE", "#route = :last_route")
def a_callback_about_an_earlier_route_stores_no_reference(storage: Storage) -> None:
    job = storage.answer_lost(leg=ROUTER)
    assert_refused(lambda: storage.learn_ref(job, "prediction-1"))


@guards("LEARN_REF_LATE", "#status = :queued")
def a_late_callback_does_not_reopen_a_canceled_job(storage: Storage) -> None:
    job = storage.answer_lost()
    storage.change("CANCEL_WAITING", storage.current(job))
    assert_refused(lambda: storage.learn_ref(job, "prediction-1"))


@guards("LEARN_REF_ENDED", "#attempts[i].#token = :secret")
def a_forged_callback_does_not_reopen_a_job_that_has_ended(storage: Storage) -> None:
    job = storage.ended_without_answer()
    forged = replace(job, attempts=(replace(job.attempts[0], token="guessed"),))
    assert_refused(lambda: storage.learn_ref(forged))


@guards("LEARN_REF_ENDED", "attribute_not_exists(#attempts[i].#charged)")
def a_callback_about_a_result_that_is_kept_does_not_reopen_the_job(storage: Storage) -> None:
    job = storage.ended_without_answer()
    kept = replace(job, outputs=(OUTPUT,), attempts=(replace(job.attempts[0], charged=Charged.YES),))
    storage.change("KEEP_LATE_RESULT", kept)
    assert_refused(lambda: storage.learn_ref(job))


@guards("LEARN_REF_ENDED", "attribute_not_exists(#attempts[i].#accepted)")
def a_callback_about_a_generation_that_was_polled_does_not_reopen_the_job(storage: Storage) -> None:
    polled = storage.polled(storage.at_provider())
    ended = storage.fail("FAIL", polled)
    assert_refused(lambda: storage.learn_ref(ended))


@guards("LEARN_REF_ENDED", "attribute_not_exists(#attempts[i].#told)")
def a_callback_reopens_an_ended_job_once(storage: Storage) -> None:
    job = storage.ended_without_answer()
    polled = storage.polled(storage.learn_ref(job))
    storage.change("CLOSE", polled)
    assert_refused(lambda: storage.learn_ref(job))


@guards("LEARN_REF_ENDED", NO_LEASE)
def a_job_whose_worker_still_waits_for_the_answer_is_not_reopened(storage: Storage) -> None:
    job = storage.running()
    storage.change("CANCEL_RUNNING", job)
    assert_refused(lambda: storage.learn_ref(replace(job, status=Status.CANCELED)))


@guards("NUDGE", "#attempts[i].#token = :secret")
def a_forged_callback_causes_no_poll(storage: Storage) -> None:
    job = storage.at_provider(not_before=NOW + 30)
    forged = replace(job, attempts=(replace(job.attempts[0], token="guessed"),))
    assert_refused(lambda: storage.change("NUDGE", replace(forged, not_before=NOW)))


@guards("NUDGE", A_REF)
def a_late_callback_does_not_shorten_the_wait_of_a_queued_job(storage: Storage) -> None:
    job = storage.running()
    storage.released(job, not_before=NOW + 30)
    assert_refused(lambda: storage.change("NUDGE", replace(job, not_before=NOW)))


@guards("NUDGE", "#not_before > :not_before")
def a_callback_does_not_delay_a_poll(storage: Storage) -> None:
    job = storage.at_provider(not_before=NOW + 5)
    assert_refused(lambda: storage.change("NUDGE", replace(job, not_before=NOW + 9)))


# --- letting a job go ---


@guards("RELEASE", MINE)
def a_superseded_worker_does_not_queue_the_job_again(storage: Storage) -> None:
    job = storage.running()
    storage.taken_over(job)
    assert_refused(lambda: storage.change("RELEASE", job))


@guards("RELEASE", "#status = :running")
def a_canceled_job_is_not_queued_again(storage: Storage) -> None:
    job = storage.canceled_running()
    assert_refused(lambda: storage.change("RELEASE", job))


@guards("MOVE", "#due_at = :seen_due_at")
def two_sweepers_send_one_message(storage: Storage) -> None:
    job = storage.queued(due_at=NOW)
    moved = replace(job, due_at=NOW + 60)
    storage.change("MOVE", moved, seen=job)
    assert_refused(lambda: storage.change("MOVE", moved, seen=job))
