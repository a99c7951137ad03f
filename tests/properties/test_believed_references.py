"""What a wrong reference can come to, told by somebody who knows an attempt's token while none is stored."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kill.edge import Moment
from tests.kill.network import PROVIDER_CALL
from tests.kill.parts import REPLICATE
from tests.properties import promises
from tests.properties.world import World


class Mistaken:
    """Two jobs: of the first the provider's answer was lost, and a callback gives it the reference of the second."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.first = self._start("sea", heard=False)
        self.second = self._start("wood", heard=True)

    def _start(self, prompt: str, *, heard: bool) -> str:
        job = self.world.product.submit({**self.world.part.request, "prompt": prompt})
        if not heard:
            self.world.edge.ambush(PROVIDER_CALL, Moment.AFTER)
        self.world.deliver_once()
        return str(job["id"])

    def mislead(self) -> None:
        """The callback of the first, with what it would say of the second."""
        self._call_back(url_of=0, body_of=1)

    def tell(self) -> None:
        """The callback of the first as the provider makes it."""
        self._call_back(url_of=0, body_of=0)

    def come_to_rest(self) -> None:
        """Until nothing is open."""
        while any("open" in item for item in self.world.items()):
            self.world.clock.shift(61)
            self.world.deliver_once()
            self.world.sweep()

    @property
    def broken(self) -> list[str]:
        """The promises that do not hold."""
        world = self.world
        return promises.broken(world.items(), world.settings, generations=world.server.generations)

    @property
    def charges(self) -> dict[str, list[str]]:
        """Of each job, what its attempts have cost."""
        jobs = {job["pk"].removeprefix("job#"): job for job in promises.jobs_in(self.world.items())}
        return {name: [attempt.get("charged", "unknown") for attempt in job["attempts"]] for name, job in jobs.items()}

    def _call_back(self, *, url_of: int, body_of: int) -> None:
        url, body = (self.world.server.callback(self.world.part.generations()[n]) for n in (url_of, body_of))
        answer = self.world.call_back(url.url, body.body)
        assert answer is not None
        assert answer.status == 204


@pytest.fixture
def world(haste: None) -> Iterator[World]:
    """Replicate's."""
    with REPLICATE.playing() as part:
        world = World(part, cache="off")
        yield world
        world.close()


def test_a_wrong_reference_brings_the_wrong_file_and_no_further_charge(world: World) -> None:
    """One file and one charge for each job, as many as the provider counts; the true reference comes too late."""
    jobs = Mistaken(world)
    jobs.mislead()
    jobs.come_to_rest()
    jobs.tell()
    jobs.come_to_rest()
    assert (jobs.charges, world.server.generations) == ({jobs.first: ["yes"], jobs.second: ["yes"]}, 2)
    first, second = (world.product.file({"id": job}) for job in (jobs.first, jobs.second))
    assert first == second
    assert (len(world.objects()), jobs.broken) == (2, [])


def test_a_wrong_reference_whose_generation_cost_nothing_leaves_the_charge_unknown(world: World) -> None:
    """What the job's own generation has cost is not learned from another's, and the ledger does not say that it is."""
    world.server.fault("aborted", prompt="wood", times=1)
    jobs = Mistaken(world)
    jobs.mislead()
    jobs.come_to_rest()
    assert jobs.charges[jobs.first][0] == "unknown"
    assert jobs.broken == []
