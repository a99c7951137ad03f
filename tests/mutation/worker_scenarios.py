"""What workers must not do: take a job, learn a reference, or let go, where a condition says no."""

from __future__ import annotations

from longplay.domain.errors import Charged
from longplay.domain.job import Status
from msgspec.structs import replace

from tests.mutation.registry import A_LEASE, A_REF, CRASHED_LEASE, MINE, NO_LEASE, NO_REF, UNFINISHED, guards
from tests.mutation.storage import CRASHED, DEADLINE, LEASE, NOW, ROUTER, Bench, is_refused

# --- taking a job ---


@guards("CLAIM", "#status = :queued")
def two_deliveries_of_one_message_start_one_call(bench: Bench) -> None:
    job = bench.running()
    is_refused(lambda: bench.claim(job))


@guards("CLAIM", "#route = :route")
def a_message_of_the_route_before_starts_nothing(bench: Bench) -> None:
    job = bench.released(bench.running(), leg=ROUTER)
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
def a_job_with_a_reference_is_not_called_again(bench: Bench) -> None:
    asking = bench.polled(bench.at_provider(), now=NOW, lease=LEASE)
    is_refused(lambda: bench.take_over(asking, now=CRASHED))


# --- references ---


@guards("STORE_REF", MINE)
def a_superseded_worker_stores_no_reference(bench: Bench) -> None:
    job = bench.running()
    bench.taken_over(job)
    is_refused(lambda: bench.change("STORE_REF", replace(job, ref="prediction-1")))


@guards("STORE_REF", A_LEASE)
def a_reference_does_not_reopen_a_job_that_was_failed_for_its_crash(bench: Bench) -> None:
    job = bench.running()
    bench.fail("FAIL_CRASHED", job, now=CRASHED)
    is_refused(lambda: bench.change("STORE_REF", replace(job, ref="prediction-1")))


@guards("CLAIM_POLL", A_REF)
def a_job_without_a_reference_is_not_asked_for(bench: Bench) -> None:
    job = bench.queued()
    is_refused(lambda: bench.polled(job, now=NOW, lease=LEASE))


@guards("CLAIM_POLL", "#not_before <= :now")
def a_provider_is_not_asked_early(bench: Bench) -> None:
    job = bench.at_provider(not_before=NOW + 30)
    is_refused(lambda: bench.polled(job, now=NOW, lease=LEASE))


@guards("CLAIM_POLL", f"({NO_LEASE} OR {CRASHED_LEASE})")
def two_deliveries_ask_once(bench: Bench) -> None:
    job = bench.polled(bench.at_provider(), now=NOW, lease=LEASE)
    is_refused(lambda: bench.polled(job, now=NOW, lease=LEASE))


@guards("CLAIM_POLL", NO_LEASE)
def a_job_that_nobody_is_at_is_asked_for(bench: Bench) -> None:
    assert bench.polled(bench.at_provider(), now=NOW, lease=LEASE).lease == LEASE


@guards("CLAIM_POLL", CRASHED_LEASE)
def a_job_whose_asker_crashed_is_asked_for_again(bench: Bench) -> None:
    job = bench.polled(bench.at_provider(), now=NOW, lease=LEASE)
    assert bench.polled(job, now=CRASHED, lease=CRASHED + 9).lease == CRASHED + 9


@guards("LEARN_REF", "#attempts[i].#token = :secret")
def a_forged_callback_stores_no_reference(bench: Bench) -> None:
    job = bench.running()
    forged = replace(job, attempts=(replace(job.attempts[0], token="guessed"),))
    is_refused(lambda: bench.learn_ref(forged, "prediction-1"))


@guards("LEARN_REF", A_LEASE)
def a_callback_for_a_job_that_has_ended_stores_no_reference(bench: Bench) -> None:
    job = bench.running()
    bench.fail("FAIL", job)
    is_refused(lambda: bench.learn_ref(job, "prediction-1"))


@guards("LEARN_REF", NO_REF)
def a_second_callback_replaces_no_reference(bench: Bench) -> None:
    job = bench.running()
    bench.learn_ref(job, "prediction-1")
    bench.polled(job, now=NOW, lease=LEASE)
    is_refused(lambda: bench.learn_ref(job, "prediction-2"))


@guards("LEARN_REF_LATE", "#attempts[i].#token = :secret")
def a_forged_callback_after_a_lost_answer_stores_no_reference(bench: Bench) -> None:
    job = bench.answer_lost()
    forged = replace(job, attempts=(replace(job.attempts[0], token="guessed"),))
    is_refused(lambda: bench.learn_ref(forged, "prediction-1"))


@guards("LEARN_REF_LATE", "attribute_not_exists(#attempts[i].#charged)")
def a_callback_about_a_call_that_was_refused_stores_no_reference(bench: Bench) -> None:
    job = bench.running()
    refused = replace(job.attempts[0], charged=Charged.NO)
    job = bench.released(job, status=Status.QUEUED, attempts=(refused,))
    is_refused(lambda: bench.learn_ref(job, "prediction-1"))


@guards("LEARN_REF_LATE", "#route = :last_route")
def a_callback_about_the_route_before_stores_no_reference(bench: Bench) -> None:
    job = bench.answer_lost(leg=ROUTER)
    is_refused(lambda: bench.learn_ref(job, "prediction-1"))


@guards("LEARN_REF_LATE", "#status = :queued")
def a_late_callback_reopens_no_job_that_was_canceled(bench: Bench) -> None:
    job = bench.answer_lost()
    bench.change("CANCEL_WAITING", bench.current(job))
    is_refused(lambda: bench.learn_ref(job, "prediction-1"))


@guards("NUDGE", "#attempts[i].#token = :secret")
def a_forged_callback_has_nothing_asked(bench: Bench) -> None:
    job = bench.at_provider(not_before=NOW + 30)
    forged = replace(job, attempts=(replace(job.attempts[0], token="guessed"),))
    is_refused(lambda: bench.change("NUDGE", replace(forged, not_before=NOW)))


@guards("NUDGE", A_REF)
def a_late_callback_does_not_shorten_another_wait(bench: Bench) -> None:
    job = bench.running()
    bench.released(job, not_before=NOW + 30)
    is_refused(lambda: bench.change("NUDGE", replace(job, not_before=NOW)))


@guards("NUDGE", "#not_before > :not_before")
def a_callback_never_has_the_provider_asked_later(bench: Bench) -> None:
    job = bench.at_provider(not_before=NOW + 5)
    is_refused(lambda: bench.change("NUDGE", replace(job, not_before=NOW + 9)))


# --- letting go ---


@guards("RELEASE", MINE)
def a_superseded_worker_puts_nothing_back(bench: Bench) -> None:
    job = bench.running()
    bench.taken_over(job)
    is_refused(lambda: bench.change("RELEASE", job))


@guards("RELEASE", "#status = :running")
def a_canceled_job_is_not_put_back(bench: Bench) -> None:
    job = bench.canceled_running()
    is_refused(lambda: bench.change("RELEASE", job))


@guards("CLOSE", MINE)
def a_superseded_worker_does_not_close_its_successors_job(bench: Bench) -> None:
    job = bench.running()
    bench.taken_over(job)
    is_refused(lambda: bench.change("CLOSE", job))


@guards("CLOSE", A_LEASE)
def a_job_is_closed_and_settled_once(bench: Bench) -> None:
    job = bench.canceled_running()
    bench.change("CLOSE", job)
    is_refused(lambda: bench.change("CLOSE", job))


@guards("MOVE", "#due_at = :seen_due_at")
def two_sweepers_send_one_message(bench: Bench) -> None:
    job = bench.queued(due_at=NOW)
    moved = replace(job, due_at=NOW + 60)
    bench.change("MOVE", moved, seen=job)
    is_refused(lambda: bench.change("MOVE", moved, seen=job))
