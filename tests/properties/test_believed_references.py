"""The effects of a wrong reference from a caller who knows an attempt's token, while no reference is stored."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.providers import REPLICATE
from tests.kill.injector import Fault
from tests.kill.network import PROVIDER_CALL
from tests.properties import guarantees
from tests.properties.world import World


class SwappedReferences:
    """Two jobs: the provider's answer to the first was lost, and a callback gives it the reference of the second."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.first = self._start("sea", answered=False)
        self.second = self._start("wood", answered=True)

    def _start(self, prompt: str, *, answered: bool) -> str:
        job = self.world.product.submit({**self.world.provider.request, "prompt": prompt})
        if not answered:
            self.world.injector.inject_next(PROVIDER_CALL, Fault.KILL_AFTER)
        self.world.deliver_once()
        return str(job["id"])

    def send_the_wrong_reference(self) -> None:
        """Send the callback of the first job with the body of the second."""
        self._call_back(url_of=0, body_of=1)

    def send_the_right_reference(self) -> None:
        """Send the callback of the first job as the provider makes it."""
        self._call_back(url_of=0, body_of=0)

    def run_until_nothing_is_open(self) -> None:
        """Let time pass until no job is open."""
        while any("open" in item for item in self.world.items()):
            self.world.clock.shift(61)
            self.world.deliver_once()
            self.world.sweep()

    @property
    def broken(self) -> list[str]:
        """The guarantees that do not hold."""
        world = self.world
        return guarantees.broken(world.items(), world.settings, generations=world.server.generations)

    @property
    def charges(self) -> dict[str, list[str]]:
        """The charges of the attempts of each job."""
        jobs = {job["pk"].removeprefix("job#"): job for job in guarantees.jobs_in(self.world.items())}
        return {name: [attempt.get("charged", "unknown") for attempt in job["attempts"]] for name, job in jobs.items()}

    def _call_back(self, *, url_of: int, body_of: int) -> None:
        url, body = (self.world.server.callback(self.world.provider.generations()[n]) for n in (url_of, body_of))
        answer = self.world.call_back(url.url, body.body)
        assert answer is not None
        assert answer.status == 204


@pytest.fixture
def world(haste: None) -> Iterator[World]:
    """A deployment with Replicate as its provider."""
    with REPLICATE.running(polls=1) as provider:
        world = World(provider, cache="off")
        yield world
        world.close()


def test_a_wrong_reference_brings_the_wrong_file_and_no_further_charge(world: World) -> None:
    """Each job has one file and one charge, as the provider counts; the right reference comes too late."""
    jobs = SwappedReferences(world)
    jobs.send_the_wrong_reference()
    jobs.run_until_nothing_is_open()
    jobs.send_the_right_reference()
    jobs.run_until_nothing_is_open()
    assert (jobs.charges, world.server.generations) == ({jobs.first: ["yes"], jobs.second: ["yes"]}, 2)
    first, second = (world.product.file({"id": job}) for job in (jobs.first, jobs.second))
    assert first == second
    assert (len(world.objects()), jobs.broken) == (2, [])


def test_a_wrong_reference_whose_generation_cost_nothing_leaves_the_charge_unknown(world: World) -> None:
    """The cost of the job's own generation is not known, and the ledger says so."""
    world.server.fault("aborted", prompt="wood", times=1)
    jobs = SwappedReferences(world)
    jobs.send_the_wrong_reference()
    jobs.run_until_nothing_is_open()
    assert jobs.charges[jobs.first][0] == "unknown"
    assert jobs.broken == []
