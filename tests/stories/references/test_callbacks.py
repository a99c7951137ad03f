"""A provider's callback causes an earlier poll and brings a lost reference; its content is not trusted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.providers import CALLING_BACK
from tests.stories.actions import kill_after_submit, sweep_for
from tests.stories.references.story import Story


@pytest.fixture(params=CALLING_BACK, ids=lambda provider: provider.name)
def provider(request: pytest.FixtureRequest) -> Any:
    """Each provider that calls back, in turn."""
    return request.param


def test_a_callback_brings_the_result_sooner_and_a_second_one_changes_nothing(story: Story) -> None:
    """Two callbacks cause one poll, and a callback after the end causes none."""
    job = story.begin()
    story.server.finish(story.made.id)
    story.clock.shift(6)
    assert [story.call_back().status for _ in range(2)] == [204, 204]
    story.product.deliver()
    assert (story.job(job)["status"], story.made.polls) == ("succeeded", 1)
    assert story.call_back().status == 204
    story.run(60)
    assert (story.job(job)["status"], story.made.polls, story.server.generations) == ("succeeded", 1, 1)


def test_two_callbacks_during_a_generation_cause_one_poll(story: Story) -> None:
    """The second callback of a generation in progress causes no second poll."""
    story.begin()
    story.clock.shift(6)
    for _ in range(2):
        story.call_back()
    story.product.deliver()
    assert story.made.polls == 1


def test_many_callbacks_poll_at_most_every_five_seconds(story: Story) -> None:
    """Twenty callbacks in twenty seconds cause at most five polls."""
    story.server.polls = 100
    story.begin()
    for _ in range(20):
        story.call_back()
        story.product.deliver()
        story.clock.shift(1)
    assert 1 < story.made.polls <= 5


@pytest.mark.parametrize("forged", ["?t=wrong", "?t=", "", "?t=é\U0001f3b5"])
def test_a_forged_callback_changes_nothing(story: Story, forged: str) -> None:
    """A callback without the right token gets 404, and the provider is not polled."""
    story.begin()
    path, body = story.callback()
    requests = len(story.server.requests)
    assert story.product.call_back(path.partition("?")[0] + forged, body).status == 404
    story.product.deliver()
    assert len(story.server.requests) == requests


def test_a_callback_about_an_unknown_job_is_not_found(story: Story) -> None:
    """A callback about a job that does not exist gets 404."""
    story.begin()
    path = f"/callbacks/{story.provider.name}/nosuchjob/1?t=x"
    assert story.product.call_back(path, b"{}").status == 404


def test_a_false_outcome_in_a_callback_is_ignored(story: Story) -> None:
    """A callback with the right token and a false outcome does not change the result, which comes from a poll."""
    job = story.begin()
    story.clock.shift(6)
    path, _ = story.callback()
    assert story.product.call_back(path, story.provider.lie).status == 204
    story.run(200)
    assert (story.job(job)["status"], story.server.generations) == ("succeeded", 1)


def test_a_callback_after_a_crash_brings_the_result_without_a_second_charge(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the worker died before it stored the reference, the callback brings the reference."""
    job = story.submit()
    kill_after_submit(story.product, monkeypatch)
    story.server.finish(story.made.id)
    story.clock.shift(20)
    assert story.call_back().status == 204
    story.clock.shift(400)
    sweep_for(story.product, story.clock, 15)
    assert (story.job(job)["status"], story.server.generations, story.charges(job)) == ("succeeded", 1, ["yes"])


def test_a_body_of_more_than_a_megabyte_is_not_read(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is answered as any other callback, and brings no reference."""
    story.submit()
    kill_after_submit(story.product, monkeypatch)
    path, body = story.callback()
    assert story.product.call_back(path, body + b" " * 2**20).status == 204
    assert [item.get("ref") for item in story.open_jobs()] == [None]
    assert story.product.call_back(path, body).status == 204
    assert [bool(item.get("ref")) for item in story.open_jobs()] == [True]
