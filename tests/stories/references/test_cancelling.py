"""A job that is given up: its provider is told where it can be, and what was made all the same is kept and paid."""

from __future__ import annotations

from typing import Any

from tests.stories.references.story import Story


def _cancel(story: Story, job: dict[str, Any]) -> dict[str, Any]:
    """The job some minutes after it was canceled."""
    assert story.product.post(f"/jobs/{job['id']}/cancel").json["status"] == "canceled"
    story.run(180)
    assert story.open_jobs() == []
    return story.job(job)


def _left(story: Story, job: dict[str, Any]) -> tuple[Any, ...]:
    """What is left of it: its status, how many outputs it has, and what the provider would bill."""
    return job["status"], len(job["outputs"]), story.server.generations


def test_while_it_is_queued_there_is_nothing_to_pay(story: Story) -> None:
    """It leaves the queue; where nobody can be told, the result is the owner's."""
    done = _cancel(story, job := story.begin())
    if story.provider.cancels:
        assert _left(story, done) == ("canceled", 0, 0)
        assert story.made.canceled
        assert done["attempts"][0]["outcome"] != "calling"
    else:
        assert _left(story, done) == ("canceled", 1, 1)
        assert story.charges(job) == ["yes"]


def test_while_it_runs_at_the_provider_it_may_have_cost_something(story: Story) -> None:
    """It is stopped; where nobody can be told, the result is the owner's."""
    story.server.polls = 100
    job = story.begin()
    story.run(70)
    assert story.made.polls
    story.server.polls = 0  # it would be over at the next
    done = _cancel(story, job)
    if story.provider.cancels:
        assert _left(story, done) == ("canceled", 0, 1)
        assert (story.made.canceled, story.charges(job)) == (True, ["unknown"])
    else:
        assert _left(story, done) == ("canceled", 1, 1)
        assert story.charges(job) == ["yes"]


def test_after_it_is_done_its_result_is_kept(story: Story) -> None:
    """There was nothing left to stop."""
    job = story.begin()
    story.server.finish(story.made.id)
    assert _left(story, _cancel(story, job)) == ("canceled", 1, 1)
    assert story.charges(job) == ["yes"]


def test_after_it_was_fetched_nothing_changes(story: Story) -> None:
    """The job has ended, and says so."""
    job = story.begin()
    story.run(200)
    done = story.job(job)
    assert story.product.post(f"/jobs/{job['id']}/cancel").json["status"] == done["status"] == "succeeded"
    assert story.job(job) == done
