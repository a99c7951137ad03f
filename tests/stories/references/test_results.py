"""Results of a provider that answers with a reference: they are polled for, and paid once."""

from __future__ import annotations

import re

import pytest

from tests.harness.providers import FAL
from tests.stories.actions import kill_after_submit, sweep_for
from tests.stories.references.story import Story


def test_a_result_is_polled_for_and_paid_once(story: Story) -> None:
    """One generation is polled at least twice and charged once."""
    job = story.begin()
    assert (job["status"], job["wait"]["reason"]) == ("running", "provider_working")
    story.run(200)
    done = story.job(job)
    assert (done["status"], done["served_by"], story.server.generations) == ("succeeded", story.provider.name, 1)
    assert story.charges(job) == ["yes"]
    assert story.made.polls >= 2
    assert story.product.file(done) == story.made.files[0].content


def test_a_poll_that_fails_is_repeated_at_no_charge(story: Story) -> None:
    """The reference is kept after a failed poll, so no second generation is started."""
    job = story.begin()
    story.server.fault("server_error", at="poll", times=3)
    story.run(400)
    assert (story.job(job)["status"], story.server.generations, story.charges(job)) == ("succeeded", 1, ["yes"])


def test_a_result_that_expired_fails_the_job_with_its_charge(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    """The error gives the charge as the provider reports it, the reason, and the next step."""
    job = story.begin(max_charges=1)
    story.server.forget(story.made.id)
    story.run(200)
    failed = story.job(job)
    error = failed["error"]
    assert (failed["status"], error["charged"]) == ("failed", story.provider.expired)
    assert "The provider no longer has the result." in error["message"]
    assert re.search("is not available|is erased|its result has expired", caplog.text)
    assert "Submit the request again" in error["message"]
    assert (len(story.server.made), story.charges(job)) == (1, [story.provider.expired])


@pytest.mark.parametrize("provider", [FAL], ids=lambda provider: provider.name)
def test_a_fault_that_is_not_billed_leaves_the_charge_for_another_call(story: Story) -> None:
    """A lost runner costs nothing, so with `max_charges` 1 a second generation is started and paid."""
    story.server.fault("runner_lost")
    job = story.begin(max_charges=1)
    story.run(600)
    assert (story.job(job)["status"], len(story.server.made), story.server.generations) == ("succeeded", 2, 1)
    assert story.charges(job) == ["no", "yes"]


def test_a_call_whose_worker_died_is_repeated_after_the_callback_grace(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call is repeated once its provider can no longer call back; the first charge stays unknown."""
    job = story.submit()
    for _ in story.provider.unserved:
        story.product.deliver()
    kill_after_submit(story.product, monkeypatch)
    story.clock.shift(max(story.provider.callback_grace - 10, 0))
    story.product.sweep()
    story.product.deliver()
    assert len(story.server.made) == 1
    sweep_for(story.product, story.clock, 12)
    assert (story.job(job)["status"], len(story.server.made)) == ("succeeded", 2)
    assert story.charges(job) == ["unknown", "yes"]


def test_an_overdue_job_ends_by_its_deadline_and_is_accounted_for(story: Story) -> None:
    """The job fails at its deadline, stops its generation if the provider can cancel, and is then settled."""
    story.server.polls = 10_000
    job = story.begin(deadline_seconds=60)
    story.run(70)
    story.product.sweep()
    assert story.job(job)["error"]["code"] == "deadline_passed"
    if not story.provider.cancels:
        story.server.finish(story.made.id)
    story.run(120)
    assert (story.provider.cancels, story.open_jobs()) == (getattr(story.made, "canceled", False), [])
