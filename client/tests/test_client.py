"""The client's requests: which are repeated, how long it waits, and what it raises."""

from __future__ import annotations

from pathlib import Path

import httpx2
import msgspec
import pytest
from longplay import JobFailed, KeyRefused, Longplay, Refused, StillWaiting, Unreachable
from longplay.documents import Job

from .conftest import DONE, JOB, Deployment, problem


def test_a_prompt_becomes_a_job_that_is_waited_for(longplay: Longplay, deployment: Deployment) -> None:
    """It polls when the API says so, and tells of each look."""
    running = httpx2.Response(202, json=JOB, headers={"Retry-After": "3"})
    deployment.answers = [running, running, httpx2.Response(200, json=DONE)]
    seen: list[Job] = []
    job = longplay.generate("a song", duration=4, on_progress=seen.append)
    assert (job.status, job.outputs[0].extension, job.document["cost"]) == ("succeeded", "wav", {"charged_usd": 0.005})
    assert msgspec.json.decode(deployment.asked[0].content) == {"prompt": "a song", "duration": 4}
    assert [job.status for job in seen] == ["running", "running"]
    assert deployment.slept == [1.0, 3.0]


def test_a_post_is_repeated_with_the_same_key_where_that_can_help(longplay: Longplay, deployment: Deployment) -> None:
    """After a lost answer and after a refusal that passes."""
    lost, busy = httpx2.ReadError("lost"), problem(503, "temporarily_unavailable", after=5)
    deployment.answers = [lost, busy, httpx2.Response(202, json=JOB)]
    assert longplay.submit("a song").id == JOB["id"]
    assert len({request.headers["Idempotency-Key"] for request in deployment.asked}) == 1
    assert deployment.slept == [0.5, 5.0]


@pytest.mark.parametrize(
    ("answer", "error", "asked"),
    [
        (problem(400, "invalid_request"), Refused, 1),
        (problem(429, "over_daily_budget", after=36_000), Refused, 1),
        (problem(429, "too_many_requests", after=1), Refused, 6),
        (problem(403, "forbidden"), KeyRefused, 1),
        (httpx2.Response(502, text="<html>"), Refused, 6),
        (httpx2.ConnectError("refused"), Unreachable, 6),
    ],
)
def test_a_refusal_is_raised_after_as_many_tries_as_help(
    longplay: Longplay, deployment: Deployment, answer: httpx2.Response, error: type[Exception], asked: int
) -> None:
    """At most five repeats; none after a mistake, and none for a wait of hours."""
    deployment.answers = [answer]
    with pytest.raises(error):
        longplay.submit("a song")
    assert len(deployment.asked) == asked


def test_two_requests_are_two_jobs(longplay: Longplay, deployment: Deployment) -> None:
    """Each call has its own Idempotency-Key."""
    deployment.answers = [httpx2.Response(202, json=JOB)]
    longplay.submit("a song")
    longplay.submit("a song")
    assert len({request.headers["Idempotency-Key"] for request in deployment.asked}) == 2


def test_a_failed_job_raises_its_message(longplay: Longplay, deployment: Deployment) -> None:
    """With the job, whose cost can be read."""
    failed = JOB | {"status": "failed", "error": {"code": "moderated", "message": "Change the prompt."}}
    deployment.answers = [httpx2.Response(200, json=failed)]
    with pytest.raises(JobFailed, match="Change the prompt") as raised:
        longplay.wait("a")
    assert raised.value.job.error is not None
    assert raised.value.job.error.code == "moderated"


def test_a_wait_ends_in_time(longplay: Longplay, deployment: Deployment) -> None:
    """The job goes on, and the error has it."""
    deployment.answers = [httpx2.Response(200, json=JOB, headers={"Retry-After": "20"})]
    with pytest.raises(StillWaiting) as raised:
        longplay.wait("a", timeout=4)
    assert raised.value.job.id == JOB["id"]
    assert deployment.slept == []


def test_a_list_goes_on_from_page_to_page(longplay: Longplay, deployment: Deployment) -> None:
    """By the cursor of each page."""
    first = httpx2.Response(200, json={"jobs": [JOB], "next_cursor": "c/1"})
    deployment.answers = [first, httpx2.Response(200, json={"jobs": [DONE]})]
    assert [job.status for job in longplay.jobs(status=["running", "succeeded"])] == ["running", "succeeded"]
    assert deployment.asked[1].url.params["cursor"] == "c/1"
    assert deployment.asked[1].url.params.get_list("status") == ["running", "succeeded"]


def test_a_later_version_may_say_more(longplay: Longplay, deployment: Deployment) -> None:
    """Unknown members and unknown words are taken, and kept in `document`."""
    later = JOB | {"status": "paused", "mood": "calm", "wait": {"reason": "new", "eta_seconds": 3, "more": 1}}
    deployment.answers = [httpx2.Response(200, json=later)]
    job = longplay.job("a")
    assert (job.status, job.over, job.document["mood"]) == ("paused", False, "calm")


def test_a_batch_sends_its_lines_and_reads_its_results(longplay: Longplay, deployment: Deployment) -> None:
    """As JSONL, both ways."""
    batch = {"id": "b", "status": "running", "total": 2}
    lines = b'{"line":0,"status":"succeeded","custom_id":"x"}\n{"line":1,"status":"waiting"}\n'
    deployment.answers = [httpx2.Response(202, json=batch), httpx2.Response(200, content=lines)]
    made = longplay.batch([{"prompt": "a"}, {"prompt": "b"}], idempotency_key="k")
    assert deployment.asked[0].content == b'{"prompt":"a"}\n{"prompt":"b"}'
    assert deployment.asked[0].headers["Idempotency-Key"] == "k"
    assert [line.custom_id for line in longplay.results(made)] == ["x", None]


@pytest.mark.parametrize("answer", [httpx2.Response(200, text="<html>"), httpx2.Response(200, json={"hello": "world"})])
def test_another_server_is_told_from_longplay(
    longplay: Longplay, deployment: Deployment, answer: httpx2.Response
) -> None:
    """An address that is wrong by a word answers something, too."""
    deployment.answers = [answer]
    with pytest.raises(Unreachable, match="not Longplay"):
        longplay.job("a")


PNG = b"\x89PNG rest"
FORM = {"url": "https://bucket.test/", "fields": {"key": "uploads/a/b"}, "image": "upload:b", "largest": 10_000_000}


def test_an_image_is_uploaded_and_named_in_the_request(
    longplay: Longplay, deployment: Deployment, tmp_path: Path
) -> None:
    """The bucket gets the form's fields before the file, and not the key."""
    (tmp_path / "house.png").write_bytes(PNG)
    form, taken = httpx2.Response(201, json=FORM), httpx2.Response(204)
    deployment.answers = [form, taken, httpx2.Response(202, json=JOB)]
    longplay.submit("the house burns", image=tmp_path / "house.png")
    opened, sent, submitted = deployment.asked
    assert msgspec.json.decode(opened.content) == {"content_type": "image/png"}
    assert sent.content.index(b"uploads/a/b") < sent.content.index(PNG)
    assert "x-api-key" not in sent.headers
    assert msgspec.json.decode(submitted.content)["image"] == "upload:b"


@pytest.mark.parametrize(("answer", "error"), [(httpx2.Response(400), Refused), (httpx2.ReadError("x"), Unreachable)])
def test_an_image_that_is_not_taken_is_told(
    longplay: Longplay, deployment: Deployment, tmp_path: Path, answer: httpx2.Response, error: type[Exception]
) -> None:
    """No job is made."""
    (tmp_path / "house.png").write_bytes(PNG)
    deployment.answers = [httpx2.Response(201, json=FORM), answer]
    with pytest.raises(error):
        longplay.submit("the house burns", image=tmp_path / "house.png")
    assert len(deployment.asked) == 2


def test_the_image_of_a_job_is_named_and_not_uploaded(longplay: Longplay, deployment: Deployment) -> None:
    """It is there already."""
    deployment.answers = [httpx2.Response(202, json=JOB)]
    longplay.submit("the house burns", image="job:abc")
    assert msgspec.json.decode(deployment.asked[0].content)["image"] == "job:abc"
