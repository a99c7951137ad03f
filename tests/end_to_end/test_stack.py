"""Requests from prompt to file, through the deployed stack."""

from __future__ import annotations

import hashlib
import io
import wave
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from PIL import Image

from tests.end_to_end.deployed_stack import DeployedStack, Job

TRACK = {"prompt": "upbeat techno with heavy bass", "genre": "electronic", "duration": 3}
IMAGE = {"prompt": "a sunset over mountains", "model": "runwayml/stable-diffusion-v1-5"}


def test_a_prompt_becomes_a_track_of_the_requested_length(stack: DeployedStack) -> None:
    """The file and the job state the same duration."""
    job = stack.wait(stack.submit(**TRACK))
    [output] = job["outputs"]
    with wave.open(io.BytesIO(_download(job))) as track:
        seconds = track.getnframes() / track.getframerate()
    assert output["content_type"] == "audio/wav"
    assert seconds == pytest.approx(3, abs=0.1)
    assert output["duration_seconds"] == pytest.approx(seconds, abs=0.01)


def test_a_prompt_becomes_an_image_of_the_requested_size(stack: DeployedStack) -> None:
    """The file and the job state the same size."""
    job = stack.wait(stack.submit(**IMAGE, width=640, height=320))
    [output] = job["outputs"]
    image = Image.open(io.BytesIO(_download(job)))
    image.load()
    assert (image.format, image.size) == ("PNG", (640, 320))
    assert (output["content_type"], output["width"], output["height"]) == ("image/png", 640, 320)


def test_an_uploaded_image_becomes_a_video(stack: DeployedStack) -> None:
    """The image is sent to the bucket by a presigned form."""
    upload = stack.post("/uploads", {"content_type": "image/png"}).json()
    assert _send(upload).status_code == 204
    job = stack.wait(stack.submit(model="stable-video-diffusion", image=upload["image"]))
    [output] = job["outputs"]
    assert (job["status"], output["content_type"]) == ("succeeded", "video/mp4")
    again = stack.post("/generate", {**job, "fresh": True})
    assert (again.status_code, again.json()["image"]) == (202, f"job:{again.json()['id']}")
    unknown = stack.post("/generate", {"model": "svd", "image": f"job:{'a' * 26}"})
    assert (unknown.status_code, unknown.json()["field"]) == (400, "image")


def test_an_upload_form_is_valid_for_one_key_and_one_owner(stack: DeployedStack) -> None:
    """Neither another key in the bucket nor another owner's job is accepted."""
    upload = stack.post("/uploads").json()
    assert _send(upload, key="uploads/bob/mine").status_code == 403
    assert _send(upload, key="jobs/some/1/0").status_code == 403
    foreign = stack.post("/generate", {"model": "svd", "image": upload["image"]}, key=stack.others_key)
    assert (foreign.status_code, foreign.json()["field"]) == (400, "image")


def test_the_job_states_the_hash_and_length_of_its_file(stack: DeployedStack) -> None:
    """A caller can check the downloaded file."""
    job = stack.wait(stack.submit(**TRACK))
    [output], file = job["outputs"], _download(job)
    assert (output["sha256"], output["bytes"]) == (hashlib.sha256(file).hexdigest(), len(file))


def test_an_output_has_a_stable_link_to_a_fresh_presigned_url(stack: DeployedStack) -> None:
    """Presigned URLs expire; the link does not."""
    job = stack.wait(stack.submit(**TRACK))
    answer = stack.get(f"/jobs/{job['id']}/outputs/0")
    assert answer.status_code == 303
    assert requests.get(answer.headers["Location"], timeout=30).content == _download(job)


def test_a_link_leads_to_the_file_without_a_key(stack: DeployedStack) -> None:
    """A player follows it; with another token there is nothing."""
    job = stack.wait(stack.submit(**TRACK))
    link = f"{stack.deployment.api_url}/{job['outputs'][0]['link']}"
    assert hashlib.sha256(requests.get(link, timeout=30).content).hexdigest() == job["outputs"][0]["sha256"]
    wrong = link.replace(link.split("/")[-2], "A" * 22)
    assert requests.get(wrong, timeout=30).status_code == 404


def test_a_changed_presigned_url_is_refused(stack: DeployedStack) -> None:
    """Neither another key nor a missing signature is accepted."""
    [output] = stack.wait(stack.submit(**TRACK))["outputs"]
    assert requests.get(output["url"].replace("/jobs/", "/inputs/"), timeout=30).status_code == 403
    assert requests.get(output["url"].partition("?")[0], timeout=30).status_code == 403


def test_the_answer_to_a_prompt_has_the_location_of_the_job_and_retry_after(stack: DeployedStack) -> None:
    """Both are headers of the 202 answer."""
    answer = stack.post("/generate", TRACK | {"fresh": True})
    job = answer.json()
    here = f"{stack.deployment.api_url}/generate"
    assert answer.status_code == 202
    assert urljoin(here, answer.headers["Location"]) == f"{stack.deployment.api_url}/jobs/{job['id']}"
    assert int(answer.headers["Retry-After"]) > 0
    assert (job["status"], job["outputs"]) == ("queued", [])


def test_a_json_body_with_the_content_type_of_a_form_is_accepted(stack: DeployedStack) -> None:
    """curl sends this type by default."""
    body = '{"prompt": "upbeat techno with heavy bass", "genre": "electronic"}'
    answer = stack.post("/generate", data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 202
    assert answer.json()["parameters"]["genre"] == "electronic"


@pytest.mark.parametrize("key", [None, "", "lp_alice_wrong"], ids=["no key", "empty key", "wrong key"])
@pytest.mark.parametrize("path", ["/generate", "/jobs/x/cancel"])
def test_a_request_without_a_valid_key_is_refused(stack: DeployedStack, path: str, key: str | None) -> None:
    """No request reaches the model server."""
    answer = stack.post(path, TRACK | {"prompt": "a theft"}, key=key)
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/problem+json")
    assert answer.json()["code"] == "forbidden"
    assert not [request for request in stack.server.requests if "theft" in request.inputs]


def test_a_key_can_be_checked(stack: DeployedStack) -> None:
    """API Gateway alone says whether it is valid."""
    assert [stack.get("/key", key=key).status_code for key in (stack.key, "lp_alice_wrong")] == [204, 403]


def test_the_job_of_another_owner_looks_like_an_unknown_job(stack: DeployedStack) -> None:
    """The answer does not show that the job exists."""
    job_id = stack.submit(**TRACK)
    for call in ("", "/outputs/0"):
        foreign = stack.get(f"/jobs/{job_id}{call}", key=stack.others_key)
        unknown = stack.get(f"/jobs/unknown{call}", key=stack.others_key)
        assert foreign.status_code == unknown.status_code == 404
        assert _without_request_id(foreign) == _without_request_id(unknown)


def test_an_owner_lists_its_own_jobs(stack: DeployedStack) -> None:
    """The function may read its index and the jobs in it; another owner does not see them."""
    newest = [stack.submit(**TRACK, tags={"list": "mine"}) for _ in range(3)][::-1]
    page = stack.get("/jobs", params={"tag": "list:mine", "limit": 2}).json()
    rest = stack.get("/jobs", params={"tag": "list:mine", "limit": 2, "cursor": page["next_cursor"]}).json()
    assert [job["id"] for job in page["jobs"] + rest["jobs"]] == newest
    assert stack.get("/jobs", params={"tag": "list:mine"}, key=stack.others_key).json() == {"jobs": []}


def test_the_job_of_another_owner_cannot_be_canceled(stack: DeployedStack) -> None:
    """The job still succeeds."""
    job_id = stack.submit(**TRACK)
    assert stack.post(f"/jobs/{job_id}/cancel", key=stack.others_key).status_code == 404
    assert stack.wait(job_id)["status"] == "succeeded"


def test_a_job_waits_while_its_model_loads(stack: DeployedStack) -> None:
    """The job shows the reason for its wait."""
    stack.server.fault("loading", seconds=2)
    job_id = stack.submit(**TRACK)
    reasons = _reasons_until_finished(stack, job_id)
    assert "model_loading" in reasons
    assert stack.job(job_id)["status"] == "succeeded"


def _reasons_until_finished(stack: DeployedStack, job_id: str) -> set[str]:
    jobs = stack.watch(job_id, seconds=60)
    return {job["wait"]["reason"] for job in jobs if job.get("wait")}


def _send(upload: dict[str, Any], **changed: str) -> requests.Response:
    image = io.BytesIO()
    Image.new("RGB", (256, 128), "teal").save(image, "PNG")
    fields, files = {**upload["fields"], **changed}, {"file": image.getvalue()}
    return requests.post(upload["url"], data=fields, files=files, timeout=30)


def _download(job: Job) -> bytes:
    assert job["status"] == "succeeded", job["error"]
    answer = requests.get(job["outputs"][0]["url"], timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.content


def _without_request_id(answer: requests.Response) -> dict[str, object]:
    """The body of a problem, without the id that differs for each request."""
    return {name: value for name, value in answer.json().items() if name != "request_id"}
