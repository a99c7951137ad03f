"""A canceled job is stopped at its provider if the provider allows that; a result that still comes is kept and paid."""

from __future__ import annotations

from typing import Any

from tests.stories.references.story import Story


def _cancel(story: Story, job: dict[str, Any]) -> dict[str, Any]:
    """Cancel the job, and return it as it is three minutes later, when nothing is left to settle."""
    assert story.product.post(f"/jobs/{job['id']}/cancel").json["status"] == "canceled"
    story.run(180)
    assert story.open_jobs() == []
    return story.job(job)


def _result(story: Story, job: dict[str, Any]) -> tuple[Any, ...]:
    """The status of the job, the number of its outputs, and the number of generations that the provider bills."""
    return job["status"], len(job["outputs"]), story.server.generations


def test_a_job_canceled_in_the_providers_queue_costs_nothing(story: Story) -> None:
    """The generation leaves the provider's queue; if the provider cannot cancel, its result is kept and paid."""
    done = _cancel(story, job := story.begin())
    if story.provider.cancels:
        assert _result(story, done) == ("canceled", 0, 0)
        assert story.made.canceled
        assert done["attempts"][0]["outcome"] != "calling"
    else:
        assert _result(story, done) == ("canceled", 1, 1)
        assert story.charges(job) == ["yes"]


def test_a_job_canceled_while_its_provider_works_may_be_charged(story: Story) -> None:
    """The generation stops with an unknown charge; if the provider cannot cancel, its result is kept and paid."""
    story.server.polls = 100
    job = story.begin()
    story.run(70)
    assert story.made.polls
    story.server.polls = 0  # the next poll would find it done
    done = _cancel(story, job)
    if story.provider.cancels:
        assert _result(story, done) == ("canceled", 0, 1)
        assert (story.made.canceled, story.charges(job)) == (True, ["unknown"])
    else:
        assert _result(story, done) == ("canceled", 1, 1)
        assert story.charges(job) == ["yes"]


def test_a_result_that_was_done_before_the_cancel_is_kept(story: Story) -> None:
    """If the generation is done before the job is canceled, its result is kept and paid."""
    job = story.begin()
    story.server.finish(story.made.id)
    assert _result(story, _cancel(story, job)) == ("canceled", 1, 1)
    assert story.charges(job) == ["yes"]


def test_a_job_that_succeeded_cannot_be_canceled(story: Story) -> None:
    """A cancel after the end answers `succeeded` and changes nothing."""
    job = story.begin()
    story.run(200)
    done = story.job(job)
    assert story.product.post(f"/jobs/{job['id']}/cancel").json["status"] == done["status"] == "succeeded"
    assert story.job(job) == done
