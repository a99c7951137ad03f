"""The guarantees that must hold after a run: each check yields a sentence for each violation."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from longplay.domain.job import MOST_CRASHES
from longplay.domain.settings import Settings
from longplay.storage.limiter import read_line

from tests.harness.budgets import budgets_in
from tests.kill.deployment import INVOCATION, Item
from tests.kill.injector import FaultInjector
from tests.kill.simulation import SWEEP_EVERY, Simulation

FINISHED = ("succeeded", "failed", "canceled")
OPEN_ATTRIBUTES = ("open", "due_at", "lease", "follows", "hold", "wait", "ref", "polled_at")
# seconds past its deadline at which a job can still end: a dead worker's lease has to pass, and one sweep may be killed
LATEST_END = 2 * SWEEP_EVERY + INVOCATION + 10
MILLION = 1_000_000

Ledgers = dict[str, tuple[str, list[tuple[str, str]]]]


@dataclass(frozen=True, kw_only=True)
class FinalState:
    """The table, the bucket and the provider's own counts after a run."""

    items: list[Item]
    objects: dict[str, bytes]
    names: Mapping[str, str]
    ends: Mapping[str, str]
    may_lack: int
    seats_may_stay: bool = False
    settings: Settings
    generations: int
    starts: list[float]
    most_at_once: int
    injector: FaultInjector

    def of(self, kind: str) -> dict[str, Item]:
        """Items of a kind, by the rest of their key."""
        return {item["pk"].partition("#")[2]: item for item in self.items if item["pk"].startswith(f"{kind}#")}

    @property
    def jobs(self) -> dict[str, Item]:
        """The jobs by id."""
        return self.of("job")

    def name_of(self, job_id: str) -> str:
        """The scenario's name for a job."""
        return self.names.get(job_id) or str(self.jobs[job_id].get("tags", {}).get("name", job_id))

    @property
    def ledgers(self) -> Ledgers:
        """The status and the attempts of each job, by its name."""
        return {self.name_of(job_id): (job["status"], _ledger(job)) for job_id, job in self.jobs.items()}

    def charged(self, *certainties: str, jobs: list[Item] | None = None) -> int:
        """The number of attempts with one of these charges."""
        counted = self.jobs.values() if jobs is None else jobs
        return sum(attempt.get("charged", "unknown") in certainties for job in counted for attempt in job["attempts"])


def final_state_of(sim: Simulation, *, ends: Mapping[str, str], may_lack: int, seats_may_stay: bool) -> FinalState:
    """Read the state of the simulation once."""
    return FinalState(
        items=sim.items(),
        objects=sim.objects(),
        names=sim.names,
        ends=ends,
        may_lack=may_lack,
        seats_may_stay=seats_may_stay,
        settings=sim.account.settings,
        generations=sim.server.generations,
        starts=sim.starts,
        most_at_once=sim.most_at_once,
        injector=sim.injector,
    )


def violations(state: FinalState) -> list[str]:
    """Every violation of a guarantee, in a sentence."""
    return [violation for check in CHECKS for violation in check(state)]


def _every_job_ends_as_expected(state: FinalState) -> Iterator[str]:
    found = {state.name_of(job_id): job["status"] for job_id, job in state.jobs.items()}
    if len(found) < len(state.jobs):
        yield f"{len(state.jobs)} jobs are there for {len(found)} requests"
    for name, allowed in state.ends.items():
        if found.get(name, "never created") not in allowed.split(" | "):
            job = next((job for job_id, job in state.jobs.items() if state.name_of(job_id) == name), {})
            yield f"{name} is {found.get(name, 'never created')} instead of {allowed}: {job.get('error')}"
    yield from (f"{name} is a job without a request" for name in found.keys() - state.ends.keys())


def _every_job_ends_by_its_deadline(state: FinalState) -> Iterator[str]:
    for job_id, job in state.jobs.items():
        if job["status"] in FINISHED and job["completed_at"] > job["deadline"] + LATEST_END:
            yield f"{state.name_of(job_id)} ended {job['completed_at'] - job['deadline']:.0f} s past its deadline"


def _no_ended_job_is_open(state: FinalState) -> Iterator[str]:
    for job_id, job in state.jobs.items():
        if left := [name for name in OPEN_ATTRIBUTES if job.get(name) is not None]:
            yield f"{state.name_of(job_id)} ({job['status']}) still has {', '.join(left)}"


def _charges_are_within_their_limit(state: FinalState) -> Iterator[str]:
    for job_id, job in state.jobs.items():
        if not state.charged("yes", "unknown", jobs=[job]) <= job["charges"] <= job["max_charges"]:
            yield f"{state.name_of(job_id)} has used {job['charges']} of {job['max_charges']} charges: {_ledger(job)}"
        if any(attempt.get("outcome", "calling") == "calling" for attempt in job["attempts"]):
            yield f"{state.name_of(job_id)} has an attempt that never ended"
        if job.get("crashes", 0) > MOST_CRASHES:
            yield f"{state.name_of(job_id)} crashed {job['crashes']} times"


def _ledgers_agree_with_the_provider(state: FinalState) -> Iterator[str]:
    yes, possible = state.charged("yes"), state.charged("yes", "unknown")
    if not yes <= state.generations <= possible:
        yield f"the provider counts {state.generations}; the ledger says {yes} to {possible}"
    elif not 0 <= state.generations - yes - state.injector.answers_lost <= state.may_lack:
        lost = state.injector.answers_lost
        yield f"the provider counts {state.generations}, of which {lost} answers were lost; the ledger says {yes}"


def _succeeded_jobs_have_their_files(state: FinalState) -> Iterator[str]:
    for job_id, job in state.jobs.items():
        outputs = job.get("outputs", [])
        if job["status"] == "succeeded" and not outputs and "deleted" not in job:
            yield f"{state.name_of(job_id)} succeeded without a file"
        for output in outputs:
            data = state.objects.get(output["key"])
            if data is None:
                yield f"{state.name_of(job_id)} lists {output['key']}, which is not in the bucket"
            elif (len(data), hashlib.sha256(data).hexdigest()) != (output["bytes"], output["sha256"]):
                yield f"{state.name_of(job_id)} describes another file than {output['key']}"


def _every_stored_result_is_listed(state: FinalState) -> Iterator[str]:
    for key in state.objects:
        kind, folder, *_ = key.split("/")
        job_id, _, incarnation = folder.partition("-")
        job = state.jobs.get(job_id)
        if job is None:
            continue  # stored for a job that was then not created; the bucket's lifecycle rule deletes it
        if "deleted" in job:
            yield f"{state.name_of(job_id)} is deleted, but {key} is still there"
        elif kind == "jobs" and incarnation == job.get("incarnation", "") and not job.get("outputs"):
            yield f"{state.name_of(job_id)} ({job['status']}) does not list its stored result"


def _budgets_are_settled(state: FinalState) -> Iterator[str]:
    budgeted = [job for job in state.jobs.values() if "budget_day" in job]
    spent = round(MILLION * sum(_usd(job, "yes", "unknown") for job in budgeted))
    for key, budget in budgets_in(state.items).items():
        found = {name: budget[name] for name in ("used", "waiting", "jobs")}
        expected = {"used": spent, "waiting": 0, "jobs": len(budgeted)}
        if found != expected:
            yield f"budget {key} is {found} instead of {expected}"


def _usage_is_that_of_the_ledgers(state: FinalState) -> Iterator[str]:
    """Each job is counted once, by its end, with all that it cost."""
    items = state.of("usage").values()
    found = {name: sum(item[name] for item in items) for name in ("jobs", *FINISHED, "charged", "unknown")}
    jobs = state.jobs.values()
    ends = Counter(job["status"] for job in jobs)
    amounts = {
        name: sum(round(MILLION * _usd(job, charge)) for job in jobs)
        for name, charge in (("charged", "yes"), ("unknown", "unknown"))
    }
    expected = {"jobs": len(jobs), **{end: ends[end] for end in FINISHED}, **amounts}
    if found != expected:
        yield f"usage is {found} instead of {expected}"


def _no_slot_or_seat_stays_reserved(state: FinalState) -> Iterator[str]:
    for account, item in state.of("limit").items():
        line = read_line(item)
        ahead = [slot for slot in line.log if slot + line.shift > time.time()]
        if ahead:
            yield f"account {account} keeps {len(ahead)} slots without a job"
        if any(until > time.time() for until in line.leases.values()) and not state.seats_may_stay:
            yield f"account {account} keeps seats of calls that have ended: {line.leases}"


def _no_window_was_exceeded(state: FinalState) -> Iterator[str]:
    for limit in state.settings.limits.values():
        for window in limit.windows:
            for earlier, later in zip(state.starts, state.starts[window.starts :], strict=False):
                if later - earlier < window.seconds:
                    yield f"{window.starts + 1} calls started within {later - earlier:.1f} of {window.seconds} s"
        if limit.max_concurrent is not None and state.most_at_once > limit.max_concurrent:
            yield f"{state.most_at_once} calls were under way at once"


def _cache_entries_name_existing_files(state: FinalState) -> Iterator[str]:
    for entry in state.of("cache").values():
        leader = state.jobs.get(entry["leader"], {})
        if "outputs" not in entry:
            yield f"a cache entry waits for {state.names.get(entry['leader'])} ({leader.get('status')})"
        elif "deleted" not in leader and any(output["key"] not in state.objects for output in entry["outputs"]):
            yield "a cache entry names a file that is not there"


def _usd(job: Item, *charges: str) -> float:
    """The dollars of all attempts with one of these charges."""
    charged = [attempt for attempt in job["attempts"] if attempt.get("charged", "unknown") in charges]
    usd: float = sum(attempt.get("usd") or job["price_usd"] for attempt in charged)
    return usd


def _ledger(job: Item) -> list[tuple[str, str]]:
    return [(attempt.get("outcome", "calling"), attempt.get("charged", "unknown")) for attempt in job["attempts"]]


CHECKS: tuple[Callable[[FinalState], Iterator[str]], ...] = (
    _every_job_ends_as_expected,
    _every_job_ends_by_its_deadline,
    _no_ended_job_is_open,
    _charges_are_within_their_limit,
    _ledgers_agree_with_the_provider,
    _succeeded_jobs_have_their_files,
    _every_stored_result_is_listed,
    _budgets_are_settled,
    _usage_is_that_of_the_ledgers,
    _no_slot_or_seat_stays_reserved,
    _no_window_was_exceeded,
    _cache_entries_name_existing_files,
)
