"""A deployment with nothing but a Hugging Face token: the Hub says which partners serve what, and may not say it."""

from __future__ import annotations

from typing import Any

import pytest

from local.stand_ins.hub.served import SDXL, WAN
from tests.harness.providers import HF_FAL_AI, Provider
from tests.stories.references.story import Story

PICTURE = {"prompt": "a red boat", "model": "flux-schnell", "width": 256, "height": 256}


@pytest.fixture
def provider() -> Provider:
    """The partner that is asked first."""
    return HF_FAL_AI


def _ledger(job: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(attempt["route"], attempt["outcome"], attempt["charged"]) for attempt in job["attempts"]]


def test_an_image_is_waited_for_on_the_line(story: Story) -> None:
    """One delivery, one generation, and the caller is told what the partner cannot honor."""
    job = story.product.submit({**PICTURE, "seed": 7})
    story.product.deliver()
    done = story.job(job)
    assert (done["status"], done["served_by"], story.server.generations) == ("succeeded", "hf-nscale", 1)
    assert _ledger(done) == [("hf-nscale", "succeeded", "yes")]
    assert story.product.file(done) == story.made.file.content


def test_a_partner_the_hub_does_not_name_is_gone_around_for_nothing(story: Story) -> None:
    """The first two partners do not serve the video, or not for everybody."""
    del story.server.mapping[WAN]["fal-ai"]
    story.server.mapping[WAN]["wavespeed"]["status"] = "staging"
    job = story.submit()
    story.run(60)
    assert _ledger(story.job(job)) == [
        ("hf-fal-ai", "not_served", "no"),
        ("hf-wavespeed", "not_served", "no"),
        ("hf-replicate", "succeeded", "yes"),
    ]
    assert story.server.generations == 1


def test_a_model_nobody_serves_fails_and_says_so(story: Story) -> None:
    """Nothing was sent, nothing was paid."""
    story.server.mapping[SDXL] = {}
    job = story.product.submit({"prompt": "a red boat", "model": "stable-diffusion-xl"})
    story.product.deliver()
    failed = story.job(job)
    assert (failed["status"], failed["error"]["code"], failed["error"]["charged"]) == ("failed", "not_served", "no")
    assert "nscale does not serve" in failed["error"]["message"]
    assert story.server.generations == 0


def test_a_hub_that_cannot_be_read_delays_a_job_and_costs_nothing(story: Story) -> None:
    """It is read again."""
    story.server.fault("throttled", at="mapping", retry_after=30)
    job = story.product.submit(PICTURE)
    story.product.deliver()
    assert story.job(job)["wait"]["reason"] == "provider_quota"
    story.run(60)
    done = story.job(job)
    assert (done["status"], story.server.generations) == ("succeeded", 1)
    assert [attempt["charged"] for attempt in done["attempts"]] == ["no", "yes"]
