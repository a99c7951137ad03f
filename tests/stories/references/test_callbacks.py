"""A provider's callback is a hint: it brings the result sooner, heals what a crash left, and is believed in nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.providers import CALLING_BACK
from tests.stories.acts import heal, kill_after_submit
from tests.stories.references.story import Story


@pytest.fixture(params=CALLING_BACK, ids=lambda provider: provider.name)
def provider(request: pytest.FixtureRequest) -> Any:
    """Every one that calls back."""
    return request.param


def test_it_brings_the_result_sooner_and_twice_changes_nothing(story: Story) -> None:
    """The provider is asked, with our token, and once; when all is over, not at all."""
    job = story.begin()
    story.server.finish(story.made.id)
    story.clock.shift(6)
    assert [story.call_back().status for _ in range(2)] == [204, 204]
    story.product.deliver()
    assert (story.job(job)["status"], story.made.polls) == ("succeeded", 1)
    assert story.call_back().status == 204
    story.run(60)
    assert (story.job(job)["status"], story.made.polls, story.server.generations) == ("succeeded", 1, 1)


def test_twice_while_it_works_asks_once(story: Story) -> None:
    """The second one knows nothing new."""
    story.begin()
    story.clock.shift(6)
    for _ in range(2):
        story.call_back()
    story.product.deliver()
    assert story.made.polls == 1


def test_in_a_row_they_poll_at_most_every_five_seconds(story: Story) -> None:
    """However often somebody calls."""
    story.server.polls = 100
    story.begin()
    for _ in range(20):
        story.call_back()
        story.product.deliver()
        story.clock.shift(1)
    assert 1 < story.made.polls <= 5


@pytest.mark.parametrize("forged", ["?t=wrong", "?t=", "", "?t=é\U0001f3b5"])
def test_a_forged_one_changes_nothing(story: Story, forged: str) -> None:
    """404, and nobody is asked anything."""
    story.begin()
    path, body = story.callback()
    asked = len(story.server.requests)
    assert story.product.call_back(path.partition("?")[0] + forged, body).status == 404
    story.product.deliver()
    assert len(story.server.requests) == asked


def test_one_of_an_unknown_job_is_not_found(story: Story) -> None:
    """404."""
    story.begin()
    path = f"/callbacks/{story.provider.name}/nosuchjob/1?t=x"
    assert story.product.call_back(path, b"{}").status == 404


def test_one_that_lies_about_its_outcome_is_not_believed(story: Story) -> None:
    """Right token, wrong story: the generation goes on as the provider itself says."""
    job = story.begin()
    story.clock.shift(6)
    path, _ = story.callback()
    assert story.product.call_back(path, story.provider.lie).status == 204
    story.run(200)
    assert (story.job(job)["status"], story.server.generations) == ("succeeded", 1)


def test_one_before_the_reference_is_stored_heals_the_job_without_a_second_charge(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker died with the provider's answer in its hands; the callback names the reference."""
    job = story.submit()
    kill_after_submit(story.product, monkeypatch)
    story.server.finish(story.made.id)
    story.clock.shift(20)
    assert story.call_back().status == 204
    story.clock.shift(400)
    heal(story.product, story.clock, 15)
    assert (story.job(job)["status"], story.server.generations, story.charges(job)) == ("succeeded", 1, ["yes"])
