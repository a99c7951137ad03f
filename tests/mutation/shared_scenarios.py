"""Scenarios for the conditions on what jobs share: cache entries, budgets, slots, closed routes and the report."""

from __future__ import annotations

import secrets

from longplay.domain.job import Job
from longplay.storage.cache import Entry
from longplay.storage.circuits import UNSERVED
from msgspec.structs import replace

from tests.harness.aws_faults import in_between
from tests.mutation.registry import AS_SEEN, NO_LEADER, guards
from tests.mutation.storage import ACCOUNT, NOW, Storage, assert_refused


@guards("CACHE_CLAIM", f"({NO_LEADER} OR #until <= :now)")
def equal_requests_make_one_call(storage: Storage) -> None:
    first, second = _same_request(storage)
    storage.table.write(storage.cache.claim(first, now=NOW))
    assert_refused(lambda: storage.table.write(storage.cache.claim(second, now=NOW)))


@guards("CACHE_CLAIM", NO_LEADER)
def the_first_of_equal_requests_leads(storage: Storage) -> None:
    first, _ = _same_request(storage)
    storage.table.write(storage.cache.claim(first, now=NOW))


@guards("CACHE_CLAIM", "#until <= :now")
def a_leader_loses_its_lead_after_its_deadline(storage: Storage) -> None:
    first, second = _same_request(storage)
    storage.table.write(storage.cache.claim(first, now=NOW))
    storage.table.write(storage.cache.claim(second, now=first.deadline + 60))


@guards("CACHE_RECLAIM", f"({NO_LEADER} OR #leader = :dead)")
def one_follower_takes_the_place_of_a_dead_leader(storage: Storage) -> None:
    first, second = _same_request(storage)
    storage.table.write(storage.cache.reclaim(first, dead="gone"))
    assert_refused(lambda: storage.table.write(storage.cache.reclaim(second, dead="gone")))


@guards("CACHE_RECLAIM", NO_LEADER)
def a_follower_takes_the_place_of_a_leader_that_stepped_down(storage: Storage) -> None:
    first, _ = _same_request(storage)
    storage.table.write(storage.cache.reclaim(first, dead=""))


@guards("CACHE_RECLAIM", "#leader = :dead")
def a_follower_takes_the_place_of_a_leader_that_died(storage: Storage) -> None:
    first, second = _same_request(storage)
    storage.table.write(storage.cache.claim(first, now=NOW))
    storage.table.write(storage.cache.reclaim(second, dead=first.id))


@guards("CACHE_FOLLOW", "#leader = :leader")
def a_follower_joins_no_list_of_another_leader(storage: Storage) -> None:
    first, second = _same_request(storage)
    storage.table.write(storage.cache.claim(first, now=NOW))
    assert_refused(lambda: storage.table.write(*storage.cache.follow(second, Entry(leader="gone", until=NOW))))


@guards("CACHE_FOLLOW", "attribute_not_exists(#outputs)")
def a_follower_joins_no_list_that_was_read_already(storage: Storage) -> None:
    first, second = _same_request(storage)
    storage.table.write(storage.cache.claim(first, now=NOW))
    storage.table.write(*storage.ends.cached(first))
    assert_refused(lambda: storage.table.write(*storage.cache.follow(second, Entry(leader=first.id, until=NOW))))


@guards("CACHE_DROP", "#leader = :leader")
def a_failed_job_does_not_drop_the_entry_of_another_leader(storage: Storage) -> None:
    first, second = _same_request(storage)
    storage.table.write(storage.cache.claim(first, now=NOW))
    assert_refused(lambda: storage.table.write(*storage.ends.dropped(second)))


@guards("CACHE_FILL", f"({NO_LEADER} OR #leader = :leader)")
def an_older_job_does_not_replace_the_result_of_a_fresh_one(storage: Storage) -> None:
    first, second = _same_request(storage)
    storage.table.write(storage.cache.replace(second))
    assert_refused(lambda: storage.table.write(*storage.ends.cached(first)))


@guards("CACHE_FILL", NO_LEADER)
def a_late_result_is_offered_where_no_job_leads(storage: Storage) -> None:
    first, _ = _same_request(storage)
    storage.table.write(*storage.ends.cached(first))


@guards("CACHE_FILL", "#leader = :leader")
def a_leader_offers_its_result(storage: Storage) -> None:
    first, _ = _same_request(storage)
    storage.table.write(storage.cache.claim(first, now=NOW))
    storage.table.write(*storage.ends.cached(first))


@guards("HOLD", "(attribute_not_exists(#used) OR #used <= :room)")
def a_job_over_the_cap_in_dollars_is_refused(storage: Storage) -> None:
    budgets, owner = storage.budgets(usd=1.5), secrets.token_hex(4)
    storage.reserve_a_dollar(budgets, owner)
    assert_refused(lambda: storage.reserve_a_dollar(budgets, owner))


@guards("HOLD", "(attribute_not_exists(#jobs) OR #jobs < :most_jobs)")
def a_job_over_the_cap_in_jobs_is_refused(storage: Storage) -> None:
    budgets, owner = storage.budgets(jobs=1), secrets.token_hex(4)
    storage.reserve_a_dollar(budgets, owner)
    assert_refused(lambda: storage.reserve_a_dollar(budgets, owner))


@guards("HOLD", "(attribute_not_exists(#waiting) OR #waiting < :most_open)")
def a_job_over_the_cap_in_open_jobs_is_refused(storage: Storage) -> None:
    budgets, owner = storage.budgets(open_jobs=1), secrets.token_hex(4)
    storage.reserve_a_dollar(budgets, owner)
    assert_refused(lambda: storage.reserve_a_dollar(budgets, owner))


@guards("HOLD", "attribute_not_exists(#used)")
@guards("HOLD", "attribute_not_exists(#jobs)")
@guards("HOLD", "attribute_not_exists(#waiting)")
def the_first_job_of_a_day_is_accepted(storage: Storage) -> None:
    storage.reserve_a_dollar(storage.budgets(usd=2, jobs=2, open_jobs=2), secrets.token_hex(4))


@guards("HOLD", "#used <= :room")
@guards("HOLD", "#jobs < :most_jobs")
@guards("HOLD", "#waiting < :most_open")
def jobs_up_to_the_caps_are_accepted(storage: Storage) -> None:
    budgets, owner = storage.budgets(usd=2, jobs=2, open_jobs=2), secrets.token_hex(4)
    storage.reserve_a_dollar(budgets, owner)
    storage.reserve_a_dollar(budgets, owner)


@guards("LINE_START", "attribute_not_exists(#pk)")
def the_first_slot_of_an_account_is_taken_once(storage: Storage) -> None:
    one, other = storage.two_limiters()
    storage.table.write(one.reserve(ACCOUNT, now=NOW).part)
    assert_refused(lambda: storage.table.write(other.reserve(ACCOUNT, now=NOW).part))


@guards("LINE_NEXT", "#version = :seen")
def each_later_slot_of_an_account_is_taken_once(storage: Storage) -> None:
    one, other = storage.two_limiters()
    one.start(ACCOUNT, None, now=NOW)
    other.line(ACCOUNT)
    storage.table.write(one.reserve(ACCOUNT, now=NOW).part)
    assert_refused(lambda: storage.table.write(other.reserve(ACCOUNT, now=NOW).part))


@guards("Limiter", "its own token is recognized")
def a_slot_whose_reply_was_lost_is_taken_once(storage: Storage) -> None:
    one, _ = storage.two_limiters()
    with storage.repeating("put_item"):
        one.start(ACCOUNT, None, now=NOW)
    assert storage.slots() == [NOW]


@guards("CIRCUIT_OPEN", "(attribute_not_exists(#pk) OR #until < :until)")
def a_shorter_closure_does_not_replace_a_longer_one(storage: Storage) -> None:
    route = secrets.token_hex(4)
    storage.close_route(route, NOW + 60)
    storage.close_route(route, NOW + 30)
    assert storage.closed_until(route) == NOW + 60 + UNSERVED


@guards("CIRCUIT_OPEN", "attribute_not_exists(#pk)")
def a_route_is_closed_for_the_first_time(storage: Storage) -> None:
    route = secrets.token_hex(4)
    storage.close_route(route, NOW)
    assert storage.closed_until(route) == NOW + UNSERVED


@guards("CIRCUIT_OPEN", "#until < :until")
def a_closed_route_is_closed_for_longer(storage: Storage) -> None:
    route = secrets.token_hex(4)
    storage.close_route(route, NOW)
    storage.close_route(route, NOW + 60)
    assert storage.closed_until(route) == NOW + 60 + UNSERVED


@guards("REPORT_KEEP", "(attribute_not_exists(#pk) OR #checked_at < :checked_at)")
def an_older_report_does_not_replace_a_newer_one(storage: Storage) -> None:
    storage.forget_reports()
    storage.keep_report(NOW)
    storage.keep_report(NOW - 60)
    assert storage.latest_report() == NOW


@guards("REPORT_KEEP", "attribute_not_exists(#pk)")
def the_first_report_is_kept(storage: Storage) -> None:
    storage.forget_reports()
    storage.keep_report(NOW)
    assert storage.latest_report() == NOW


@guards("REPORT_KEEP", "#checked_at < :checked_at")
def a_newer_report_replaces_an_older_one(storage: Storage) -> None:
    storage.forget_reports()
    storage.keep_report(NOW)
    storage.keep_report(NOW + 60)
    assert storage.latest_report() == NOW + 60


@guards("COLLECT", "#version = :seen")
def an_amount_given_back_is_collected_once(storage: Storage) -> None:
    budgets, owner = storage.budgets(usd=2, jobs=2, open_jobs=2), secrets.token_hex(4)
    storage.reserve_a_dollar(budgets, owner)
    storage.give_a_dollar_back(owner)
    with in_between(storage.client, "TransactWriteItems", lambda: storage.collect(owner)):
        storage.collect(owner)
    assert storage.collect(owner) == 0


def _same_request(storage: Storage) -> tuple[Job, Job]:
    job = storage.follower()
    return replace(job, follows=None), replace(job, id=secrets.token_hex(8), follows=None)


@guards("ANSWER_HOLD", "(attribute_not_exists(#pk) OR #until <= :now)")
def a_held_answer_keeps_its_place(storage: Storage) -> None:
    storage.free_all_places()
    with storage.one_answer(NOW) as first, storage.one_answer(NOW + 9) as second:
        assert (first, second) == (True, False)


@guards("ANSWER_HOLD", "attribute_not_exists(#pk)")
def the_first_answer_is_held(storage: Storage) -> None:
    storage.free_all_places()
    with storage.one_answer(NOW) as first:
        assert first


@guards("ANSWER_HOLD", "#until <= :now")
def a_place_is_taken_again_when_its_time_is_over(storage: Storage) -> None:
    storage.free_all_places()
    with storage.one_answer(NOW), storage.one_answer(NOW + 10) as second:
        assert second


@guards("ANSWER_MOVE", "#token = :token")
def an_answer_that_lost_its_place_frees_no_other(storage: Storage) -> None:
    storage.free_all_places()
    with storage.one_answer(NOW):
        later = storage.one_answer(NOW + 10)
        later.__enter__()
    with storage.one_answer(NOW + 11) as third:
        assert not third


@guards("OUTBOX_NEXT", AS_SEEN)
def a_step_of_a_hook_does_not_undo_another(storage: Storage) -> None:
    hook = storage.hook()
    assert storage.hooks.next(hook, seen=hook)
    assert not storage.hooks.next(hook, seen=hook)


@guards("BATCH_OPEN", "attribute_not_exists(#closed_at)")
def no_line_becomes_a_job_once_its_batch_is_closed(storage: Storage) -> None:
    storage.batch("open", closed_at=None)
    storage.queued(batch="open")
    storage.batch("closed", closed_at=NOW)
    assert_refused(lambda: storage.queued(batch="closed"))


@guards("BATCH_OPEN", "attribute_exists(#pk)")
def no_line_becomes_a_job_of_a_batch_that_is_gone(storage: Storage) -> None:
    assert_refused(lambda: storage.queued(batch="gone"))


@guards("HEARD", "attribute_exists(#pk)")
def a_job_that_is_not_kept_is_not_made_by_its_webhook(storage: Storage) -> None:
    assert_refused(lambda: storage.table.write(storage.jobs.heard("gone")))


@guards("ROTATE", "(attribute_not_exists(#pk) OR #generation = :seen)")
def two_renewals_at_once_make_one_secret(storage: Storage) -> None:
    storage.renew_secret(owner="carol", seen=0, generation=1)
    assert_refused(lambda: storage.renew_secret(owner="carol", seen=0, generation=1))
    storage.forget_secrets("carol")


@guards("ROTATE", "attribute_not_exists(#pk)")
def the_first_secret_can_be_renewed(storage: Storage) -> None:
    storage.renew_secret(owner="dan", seen=0, generation=1)
    storage.forget_secrets("dan")


@guards("ROTATE", "#generation = :seen")
def a_secret_can_be_renewed_again(storage: Storage) -> None:
    storage.renew_secret(owner="eve", seen=0, generation=1)
    storage.renew_secret(owner="eve", seen=1, generation=2)
    storage.forget_secrets("eve")
