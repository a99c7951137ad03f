"""What must not become of what jobs share, where a condition says no: cache entries, budgets and lines of slots."""

from __future__ import annotations

import secrets

from longplay.domain.job import Job
from longplay.storage.circuits import UNSERVED
from msgspec.structs import replace

from tests.mutation.registry import NO_LEADER, guards
from tests.mutation.storage import ACCOUNT, NOW, Bench, is_refused


@guards("CACHE_CLAIM", f"({NO_LEADER} OR #until <= :now)")
def equal_requests_share_one_call(bench: Bench) -> None:
    first, second = _same_request(bench)
    bench.table.write(bench.cache.claim(first, now=NOW))
    is_refused(lambda: bench.table.write(bench.cache.claim(second, now=NOW)))


@guards("CACHE_CLAIM", NO_LEADER)
def a_request_made_for_the_first_time_is_led(bench: Bench) -> None:
    first, _ = _same_request(bench)
    bench.table.write(bench.cache.claim(first, now=NOW))


@guards("CACHE_CLAIM", "#until <= :now")
def a_leader_is_not_believed_for_ever(bench: Bench) -> None:
    first, second = _same_request(bench)
    bench.table.write(bench.cache.claim(first, now=NOW))
    bench.table.write(bench.cache.claim(second, now=first.deadline + 60))


@guards("CACHE_RECLAIM", f"({NO_LEADER} OR #leader = :dead)")
def one_follower_takes_the_place_of_a_dead_leader(bench: Bench) -> None:
    first, second = _same_request(bench)
    bench.table.write(bench.cache.reclaim(first, dead="gone"))
    is_refused(lambda: bench.table.write(bench.cache.reclaim(second, dead="gone")))


@guards("CACHE_RECLAIM", NO_LEADER)
def a_follower_takes_the_place_of_a_leader_that_stepped_down(bench: Bench) -> None:
    first, _ = _same_request(bench)
    bench.table.write(bench.cache.reclaim(first, dead=""))


@guards("CACHE_RECLAIM", "#leader = :dead")
def a_follower_takes_the_place_of_a_leader_that_died(bench: Bench) -> None:
    first, second = _same_request(bench)
    bench.table.write(bench.cache.claim(first, now=NOW))
    bench.table.write(bench.cache.reclaim(second, dead=first.id))


@guards("CACHE_DROP", "#leader = :leader")
def a_failed_job_drops_nobody_elses_entry(bench: Bench) -> None:
    first, second = _same_request(bench)
    bench.table.write(bench.cache.claim(first, now=NOW))
    is_refused(lambda: bench.table.write(*bench.ends.dropped(second)))


@guards("HOLD", "(attribute_not_exists(#used) OR #used <= :room)")
def a_cap_in_dollars_holds(bench: Bench) -> None:
    budgets, owner = bench.budgets(usd=1.5), secrets.token_hex(4)
    bench.reserve_a_dollar(budgets, owner)
    is_refused(lambda: bench.reserve_a_dollar(budgets, owner))


@guards("HOLD", "(attribute_not_exists(#jobs) OR #jobs < :most_jobs)")
def a_cap_in_jobs_holds(bench: Bench) -> None:
    budgets, owner = bench.budgets(jobs=1), secrets.token_hex(4)
    bench.reserve_a_dollar(budgets, owner)
    is_refused(lambda: bench.reserve_a_dollar(budgets, owner))


@guards("HOLD", "(attribute_not_exists(#waiting) OR #waiting < :most_open)")
def a_cap_in_open_jobs_holds(bench: Bench) -> None:
    budgets, owner = bench.budgets(open_jobs=1), secrets.token_hex(4)
    bench.reserve_a_dollar(budgets, owner)
    is_refused(lambda: bench.reserve_a_dollar(budgets, owner))


@guards("HOLD", "attribute_not_exists(#used)")
@guards("HOLD", "attribute_not_exists(#jobs)")
@guards("HOLD", "attribute_not_exists(#waiting)")
def a_day_begins(bench: Bench) -> None:
    bench.reserve_a_dollar(bench.budgets(usd=2, jobs=2, open_jobs=2), secrets.token_hex(4))


@guards("HOLD", "#used <= :room")
@guards("HOLD", "#jobs < :most_jobs")
@guards("HOLD", "#waiting < :most_open")
def a_day_takes_as_much_as_its_caps_allow(bench: Bench) -> None:
    budgets, owner = bench.budgets(usd=2, jobs=2, open_jobs=2), secrets.token_hex(4)
    bench.reserve_a_dollar(budgets, owner)
    bench.reserve_a_dollar(budgets, owner)


@guards("LINE_START", "attribute_not_exists(#pk)")
def the_first_slot_of_an_account_is_taken_once(bench: Bench) -> None:
    one, other = bench.two_limiters()
    bench.table.write(one.reserve(ACCOUNT, now=NOW).part)
    is_refused(lambda: bench.table.write(other.reserve(ACCOUNT, now=NOW).part))


@guards("LINE_NEXT", "#version = :seen")
def every_other_slot_is_taken_once(bench: Bench) -> None:
    one, other = bench.two_limiters()
    one.start(ACCOUNT, None, now=NOW)
    other.line(ACCOUNT)
    bench.table.write(one.reserve(ACCOUNT, now=NOW).part)
    is_refused(lambda: bench.table.write(other.reserve(ACCOUNT, now=NOW).part))


@guards("Limiter", "its own token is recognized")
def a_slot_whose_reply_was_lost_is_taken_once(bench: Bench) -> None:
    one, _ = bench.two_limiters()
    with bench.repeating("put_item"):
        one.start(ACCOUNT, None, now=NOW)
    assert bench.slots() == [NOW]


@guards("CIRCUIT_OPEN", "(attribute_not_exists(#pk) OR #until < :until)")
def a_shorter_closure_does_not_replace_a_longer_one(bench: Bench) -> None:
    route = secrets.token_hex(4)
    bench.close_route(route, NOW + 60)
    bench.close_route(route, NOW + 30)
    assert bench.closed_until(route) == NOW + 60 + UNSERVED


@guards("CIRCUIT_OPEN", "attribute_not_exists(#pk)")
def a_route_is_closed_for_the_first_time(bench: Bench) -> None:
    route = secrets.token_hex(4)
    bench.close_route(route, NOW)
    assert bench.closed_until(route) == NOW + UNSERVED


@guards("CIRCUIT_OPEN", "#until < :until")
def a_closed_route_is_closed_for_longer(bench: Bench) -> None:
    route = secrets.token_hex(4)
    bench.close_route(route, NOW)
    bench.close_route(route, NOW + 60)
    assert bench.closed_until(route) == NOW + 60 + UNSERVED


@guards("REPORT_KEEP", "(attribute_not_exists(#pk) OR #checked_at < :checked_at)")
def an_older_report_does_not_replace_a_newer_one(bench: Bench) -> None:
    bench.forget_reports()
    bench.keep_report(NOW)
    bench.keep_report(NOW - 60)
    assert bench.latest_report() == NOW


@guards("REPORT_KEEP", "attribute_not_exists(#pk)")
def the_first_report_is_kept(bench: Bench) -> None:
    bench.forget_reports()
    bench.keep_report(NOW)
    assert bench.latest_report() == NOW


@guards("REPORT_KEEP", "#checked_at < :checked_at")
def a_newer_report_replaces_an_older_one(bench: Bench) -> None:
    bench.forget_reports()
    bench.keep_report(NOW)
    bench.keep_report(NOW + 60)
    assert bench.latest_report() == NOW + 60


def _same_request(bench: Bench) -> tuple[Job, Job]:
    job = bench.follower()
    return replace(job, follows=None), replace(job, id=secrets.token_hex(8), follows=None)
