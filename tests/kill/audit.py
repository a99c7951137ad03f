"""What must hold once a life is over and all is quiet: each check says what is wrong, in a sentence."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from longplay.domain.job import MOST_CRASHES
from longplay.domain.settings import Settings

from tests.kill.edge import Edge
from tests.kill.life import SWEEP_EVERY, Life
from tests.kill.stage import INVOCATION, Item

FINISHED = ("succeeded", "failed", "canceled")
LEFT_OVERS = ("open", "due_at", "lease", "follows", "hold", "wait", "ref", "polled_at")
# seconds past its deadline that a job may end: a dead worker's lease has to pass, and one sweep of two may be killed
LATEST_SWEEPS = 2 * SWEEP_EVERY + INVOCATION + 10
MILLION = 1_000_000

Books = dict[str, tuple[str, list[tuple[str, str]]]]


@dataclass(frozen=True, kw_only=True)
class Remains:
    """All that is left of a life, and what its provider remembers."""

    items: list[Item]
    objects: dict[str, bytes]
    names: Mapping[str, str]
    ends: Mapping[str, str]
    forgotten: int
    settings: Settings
    generations: int
    starts: list[float]
    most_at_once: int
    edge: Edge

    def of(self, kind: str) -> dict[str, Item]:
        """Items by what follows their kind in the key."""
        return {item["pk"].partition("#")[2]: item for item in self.items if item["pk"].startswith(f"{kind}#")}

    @property
    def jobs(self) -> dict[str, Item]:
        """The jobs by id."""
        return self.of("job")

    def name_of(self, job_id: str) -> str:
        """What the test calls a job."""
        return self.names.get(job_id) or str(self.jobs[job_id].get("tags", {}).get("name", job_id))

    @property
    def books(self) -> Books:
        """By each job's name: how it ended, and its ledger."""
        return {self.name_of(job_id): (job["status"], _ledger(job)) for job_id, job in self.jobs.items()}

    def charged(self, *certainties: str, jobs: list[Item] | None = None) -> int:
        """How many attempts the ledger has with one of these charges."""
        everyone = self.jobs.values() if jobs is None else jobs
        return sum(attempt.get("charged", "unknown") in certainties for job in everyone for attempt in job["attempts"])


def remains_of(life: Life, *, ends: Mapping[str, str], forgotten: int) -> Remains:
    """Look at everything once."""
    return Remains(
        items=life.items(),
        objects=life.objects(),
        names=life.names,
        ends=ends,
        forgotten=forgotten,
        settings=life.place.settings,
        generations=life.server.generations,
        starts=life.starts,
        most_at_once=life.most_at_once,
        edge=life.edge,
    )


def complaints(remains: Remains) -> list[str]:
    """Everything that is not as it must be."""
    return [complaint for check in CHECKS for complaint in check(remains)]


def _every_job_ends_as_it_may(remains: Remains) -> Iterator[str]:
    found = {remains.name_of(job_id): job["status"] for job_id, job in remains.jobs.items()}
    if len(found) < len(remains.jobs):
        yield f"{len(remains.jobs)} jobs are there for {len(found)} requests"
    for name, allowed in remains.ends.items():
        if found.get(name, "never created") not in allowed.split(" | "):
            job = next((job for job_id, job in remains.jobs.items() if remains.name_of(job_id) == name), {})
            yield f"{name} is {found.get(name, 'never created')} instead of {allowed}: {job.get('error')}"
    yield from (f"{name} is a job nobody asked for" for name in found.keys() - remains.ends.keys())


def _every_job_ends_by_its_deadline(remains: Remains) -> Iterator[str]:
    for job_id, job in remains.jobs.items():
        if job["status"] in FINISHED and job["completed_at"] > job["deadline"] + LATEST_SWEEPS:
            yield f"{remains.name_of(job_id)} ended {job['completed_at'] - job['deadline']:.0f} s past its deadline"


def _nothing_of_a_job_stays_open(remains: Remains) -> Iterator[str]:
    for job_id, job in remains.jobs.items():
        if left := [name for name in LEFT_OVERS if job.get(name) is not None]:
            yield f"{remains.name_of(job_id)} ({job['status']}) still has {', '.join(left)}"


def _the_ledger_is_within_its_bounds(remains: Remains) -> Iterator[str]:
    for job_id, job in remains.jobs.items():
        if not remains.charged("yes", "unknown", jobs=[job]) <= job["charges"] <= job["max_charges"]:
            yield f"{remains.name_of(job_id)} counts {job['charges']} of {job['max_charges']} charges: {_ledger(job)}"
        if any(attempt.get("outcome", "calling") == "calling" for attempt in job["attempts"]):
            yield f"{remains.name_of(job_id)} has an attempt that never ended"
        if job.get("crashes", 0) > MOST_CRASHES:
            yield f"{remains.name_of(job_id)} crashed {job['crashes']} times"


def _the_ledger_agrees_with_the_provider(remains: Remains) -> Iterator[str]:
    yes, possible = remains.charged("yes"), remains.charged("yes", "unknown")
    if not yes <= remains.generations <= possible:
        yield f"the provider counts {remains.generations}; the ledger says {yes} to {possible}"
    elif not 0 <= remains.generations - yes - remains.edge.answers_lost <= remains.forgotten:
        lost = remains.edge.answers_lost
        yield f"the provider counts {remains.generations}, {lost} of their answers were lost; the ledger knows {yes}"


def _succeeded_means_the_files_are_there(remains: Remains) -> Iterator[str]:
    for job_id, job in remains.jobs.items():
        outputs = job.get("outputs", [])
        if job["status"] == "succeeded" and not outputs and "deleted" not in job:
            yield f"{remains.name_of(job_id)} succeeded without a file"
        for output in outputs:
            data = remains.objects.get(output["key"])
            if data is None:
                yield f"{remains.name_of(job_id)} lists {output['key']}, which is not in the bucket"
            elif (len(data), hashlib.sha256(data).hexdigest()) != (output["bytes"], output["sha256"]):
                yield f"{remains.name_of(job_id)} describes another file than {output['key']}"


def _no_stored_result_is_dropped(remains: Remains) -> Iterator[str]:
    for key in remains.objects:
        kind, job_id, *_ = key.split("/")
        job = remains.jobs.get(job_id)
        if job is None:
            continue  # a copy or an input image stored for a job that was then not created; the lifecycle clears it
        if "deleted" in job:
            yield f"{remains.name_of(job_id)} is deleted, but {key} is still there"
        elif kind == "jobs" and not job.get("outputs"):
            yield f"{remains.name_of(job_id)} ({job['status']}) does not list the result it has paid for"


def _budgets_are_settled(remains: Remains) -> Iterator[str]:
    held = [job for job in remains.jobs.values() if "budget_day" in job]
    spent = round(MILLION * sum(_spent_usd(job) for job in held))
    for key, budget in remains.of("budget").items():
        found = {name: budget[name] for name in ("used", "waiting", "jobs")}
        expected = {"used": spent, "waiting": 0, "jobs": len(held)}
        if found != expected:
            yield f"budget {key} is {found} instead of {expected}"


def _no_slot_is_left_reserved(remains: Remains) -> Iterator[str]:
    for account, line in remains.of("limit").items():
        ahead = [slot for slot in line["log"] if slot + line["shift"] > time.time() and slot not in line["freed"]]
        if ahead:
            yield f"account {account} keeps {len(ahead)} starts for nobody"
        if any(until > time.time() for until in line["leases"].values()):
            yield f"account {account} counts calls that are over: {line['leases']}"


def _no_window_was_exceeded(remains: Remains) -> Iterator[str]:
    for limit in remains.settings.limits.values():
        for window in limit.windows:
            for earlier, later in zip(remains.starts, remains.starts[window.starts :], strict=False):
                if later - earlier < window.seconds:
                    yield f"{window.starts + 1} calls started within {later - earlier:.1f} of {window.seconds} s"
        if limit.max_concurrent is not None and remains.most_at_once > limit.max_concurrent:
            yield f"{remains.most_at_once} calls were under way at once"


def _cache_entries_lead_to_files(remains: Remains) -> Iterator[str]:
    for entry in remains.of("cache").values():
        leader = remains.jobs.get(entry["leader"], {})
        if "outputs" not in entry:
            yield f"a cache entry waits for {remains.names.get(entry['leader'])} ({leader.get('status')})"
        elif "deleted" not in leader and any(output["key"] not in remains.objects for output in entry["outputs"]):
            yield "a cache entry names a file that is not there"


def _spent_usd(job: Item) -> float:
    return sum(
        attempt.get("usd") or job["price_usd"]
        for attempt in job["attempts"]
        if attempt.get("charged", "unknown") != "no"
    )


def _ledger(job: Item) -> list[tuple[str, str]]:
    return [(attempt.get("outcome", "calling"), attempt.get("charged", "unknown")) for attempt in job["attempts"]]


CHECKS: tuple[Callable[[Remains], Iterator[str]], ...] = (
    _every_job_ends_as_it_may,
    _every_job_ends_by_its_deadline,
    _nothing_of_a_job_stays_open,
    _the_ledger_is_within_its_bounds,
    _the_ledger_agrees_with_the_provider,
    _succeeded_means_the_files_are_there,
    _no_stored_result_is_dropped,
    _budgets_are_settled,
    _no_slot_is_left_reserved,
    _no_window_was_exceeded,
    _cache_entries_lead_to_files,
)
