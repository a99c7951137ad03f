"""Partners of Hugging Face: the Hub names the partners that serve a model, and sometimes it cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from local.stand_ins.hub.served import SDXL, WAN
from tests.harness.providers import HF_FAL_AI, Provider
from tests.stories.references.story import Story

IMAGE = {"prompt": "a red boat", "model": "flux-schnell", "width": 256, "height": 256}


@pytest.fixture
def provider() -> Provider:
    """The first partner in the order of routes."""
    return HF_FAL_AI


def _attempts(job: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The route, the outcome and the charge of each attempt."""
    return [(attempt["route"], attempt["outcome"], attempt["charged"]) for attempt in job["attempts"]]


def test_an_image_comes_in_the_answer_of_one_call(story: Story) -> None:
    """A partner that keeps the connection open returns the image within one delivery, at one charge."""
    job = story.product.submit({**IMAGE, "seed": 7})
    story.product.deliver()
    done = story.job(job)
    assert (done["status"], done["served_by"], story.server.generations) == ("succeeded", "hf-nscale", 1)
    assert _attempts(done) == [("hf-nscale", "succeeded", "yes")]
    assert story.product.file(done) == story.made.file.content


def test_a_token_of_hugging_face_alone_is_enough_for_music(story: Story) -> None:
    """A prompt alone gets music from a partner, as MusicGen has no route that is known to work there."""
    job = story.product.submit({"prompt": "slow jazz", "duration": 2})
    story.run(30)
    done = story.job(job)
    assert (done["status"], done["model"], done["served_by"]) == ("succeeded", "stable-audio", "hf-fal-ai")
    assert story.product.file(done) == story.made.file.content
    assert story.server.generations == 1


def test_a_partner_that_does_not_serve_the_model_is_passed_over_at_no_charge(story: Story) -> None:
    """A partner that the Hub does not name, or names as `staging`, is followed by the next one."""
    del story.server.mapping[WAN]["fal-ai"]
    story.server.mapping[WAN]["wavespeed"]["status"] = "staging"
    job = story.submit()
    story.run(60)
    assert _attempts(story.job(job)) == [
        ("hf-fal-ai", "not_served", "no"),
        ("hf-wavespeed", "not_served", "no"),
        ("hf-replicate", "succeeded", "yes"),
    ]
    assert story.server.generations == 1


def test_a_job_fails_if_no_partner_serves_its_model(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    """The job fails as `not_served`, with no generation and no charge."""
    story.server.mapping[SDXL] = {}
    job = story.product.submit({"prompt": "a red boat", "model": "stable-diffusion-xl"})
    story.product.deliver()
    failed = story.job(job)
    assert (failed["status"], failed["error"]["code"], failed["error"]["charged"]) == ("failed", "not_served", "no")
    assert "The model is not served now. It cost nothing." in failed["error"]["message"]
    assert "nscale does not serve" in caplog.text
    assert story.server.generations == 0


def test_a_hub_that_cannot_be_read_delays_a_job_and_costs_nothing(story: Story) -> None:
    """The job waits until the Hub can be read again, and the failed read is not charged."""
    story.server.fault("throttled", at="mapping", retry_after=30)
    job = story.product.submit(IMAGE)
    story.product.deliver()
    assert story.job(job)["wait"]["reason"] == "provider_quota"
    story.run(60)
    done = story.job(job)
    assert (done["status"], story.server.generations) == ("succeeded", 1)
    assert [attempt["charged"] for attempt in done["attempts"]] == ["no", "yes"]
