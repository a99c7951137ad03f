"""The link to a file, `outputs[].link`: it needs no key, and ends with its job."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import time_machine

from tests.harness.product import Answer, Product

TRACK = {"prompt": "upbeat techno with heavy bass", "duration": 1}
STRANGER = "lp_mallory_0123456789abcdef"


def _done(product: Product, **body: object) -> dict[str, Any]:
    job = product.submit({**TRACK, **body})
    product.deliver()
    return product.job(job["id"])


def _link(job: dict[str, Any]) -> str:
    [output] = job["outputs"]
    return f"/{output['link']}"


def _follow(product: Product, link: str) -> Answer:
    """The link as a page of another origin follows it."""
    return product.get(link, key="", Origin="https://app.example")


def test_a_link_leads_to_the_file_without_a_key(product: Product) -> None:
    """It is a redirect that a page of any origin may follow, and that no cache keeps and no referrer tells."""
    job = _done(product)
    answer = _follow(product, _link(job))
    assert answer.status == 303
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert requests.get(answer.headers["Location"], timeout=10).content == product.file(job)


def test_each_job_has_another_link_also_for_a_result_from_the_cache(product: Product) -> None:
    """The link of one job tells nothing about another's."""
    first, cached = _done(product), product.post("/generate", TRACK).json
    assert cached["cached"]
    assert _link(first) != _link(cached)
    assert _link(first).split("/")[3] != _link(cached).split("/")[3]
    assert _follow(product, _link(cached)).status == 303


@pytest.mark.parametrize("token", ["", "x", "%00", "é", "a" * 5_000, "undefined"])
def test_a_wrong_token_answers_as_an_unknown_job(product: Product, token: str) -> None:
    """The answer does not tell whether there is such a job."""
    job = _done(product)
    _, files, job_id, right, n = _link(job).split("/")
    wrong = _follow(product, f"/{files}/{job_id}/{token or right[:-1]}/{n}")
    unknown = _follow(product, f"/{files}/{'a' * 26}/{right}/{n}")
    assert wrong.status == unknown.status == 404
    assert wrong.json["detail"] == unknown.json["detail"]


@pytest.mark.parametrize("n", ["1", "-1", "00", "x", "²"])
def test_a_file_that_is_not_there_answers_alike(product: Product, n: str) -> None:
    """Files are counted from 0."""
    link = _link(_done(product)).rpartition("/")[0]
    assert _follow(product, f"{link}/{n}").status == 404


def test_a_link_ends_with_its_job(product: Product, clock: time_machine.Traveller) -> None:
    """After the job is deleted, or its retention is over, nothing is behind it."""
    deleted, expired = _done(product), _done(product, prompt="a slow waltz")
    product.delete(f"/jobs/{deleted['id']}")
    clock.shift(9 * 24 * 3_600)
    assert [_follow(product, _link(job)).status for job in (deleted, expired)] == [404, 404]


def test_a_link_is_shown_to_the_owner_alone(product: Product) -> None:
    """A stranger's key learns nothing of it; the list of the owner has it."""
    job = _done(product)
    assert product.get(f"/jobs/{job['id']}", key=STRANGER).status == 404
    [listed] = product.get("/jobs").json["jobs"]
    assert _link(listed) == _link(job)


def test_a_sound_has_a_waveform_for_its_owner(product: Product) -> None:
    """512 pairs at most, which a browser may keep; an image has none."""
    job = _done(product)
    [output] = job["outputs"]
    assert (output["sample_rate"], output["channels"]) == (32_000, 1)
    answer = product.get(f"/{output['peaks_url']}")
    assert (answer.status, answer.json["duration_seconds"]) == (200, output["duration_seconds"])
    assert 2 <= len(answer.json["peaks"]) <= 1_024
    assert "immutable" in answer.headers["Cache-Control"]
    image = product.submit({"prompt": "a lake", "model": "flux-schnell"})
    product.deliver()
    image = product.job(image["id"])
    assert "peaks_url" not in image["outputs"][0]
    assert product.get(f"/jobs/{image['id']}/outputs/0/peaks").status == 404
    assert product.get(f"/jobs/{job['id']}/outputs/1/peaks").status == 404
