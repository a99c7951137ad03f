"""Cancel, retry, delete and repeat a job, through the deployed stack with the permissions of its functions."""

from __future__ import annotations

import base64
import io

import requests
from PIL import Image

from tests.end_to_end.deployed_stack import DeployedStack, eventually

IMAGE = {"model": "stable-diffusion-v1-5", "width": 256, "height": 256}


def test_a_canceled_job_keeps_the_result_of_its_call_and_can_be_retried(stack: DeployedStack) -> None:
    """The call was charged, so its result is stored."""
    stack.get("/jobs/unknown")  # warms the function: it must answer before the call ends
    stack.server.fault("slow", seconds=5)
    job_id = stack.submit(prompt="a canceled image", **IMAGE)
    eventually(lambda: len(stack.server.requests) == 1)
    assert stack.post(f"/jobs/{job_id}/cancel").json()["status"] == "canceled"
    retried = stack.post(f"/jobs/{job_id}/retry")
    assert (retried.status_code, retried.json()["retry_of"]) == (202, job_id)
    assert stack.wait(retried.json()["id"])["status"] == "succeeded"
    eventually(lambda: stack.job(job_id)["attempts"][0]["charged"] == "yes")
    assert len(stack.job(job_id)["outputs"]) == 1


def test_a_retry_starts_from_the_same_image(stack: DeployedStack) -> None:
    """The input image of a job is kept for its retries."""
    stack.server.fault("invalid", times=2)
    job_id = stack.submit(prompt="waves", model="stable-video-diffusion", image=_image())
    assert stack.wait(job_id)["status"] == "failed"
    retried = stack.post(f"/jobs/{job_id}/retry").json()["id"]
    assert stack.wait(retried)["error"]["code"] == "bad_input"
    first, second = stack.server.requests
    assert "sha256" in first.inputs
    assert second.inputs == first.inputs


def test_a_deleted_job_and_its_files_are_gone_and_no_longer_cached(stack: DeployedStack) -> None:
    """The same request is generated again."""
    request = {"prompt": "an image to forget", **IMAGE}
    job = stack.wait(stack.submit(**request))
    assert _delete(stack, job["id"]).status_code == 204
    assert stack.get(f"/jobs/{job['id']}").status_code == 410
    assert requests.get(job["outputs"][0]["url"], timeout=30).status_code == 404
    again = stack.post("/generate", request)
    assert again.status_code == 202
    assert stack.wait(again.json()["id"])["cached"] is False
    assert stack.server.generations == 2


def test_the_same_request_again_is_answered_at_once_with_its_own_copy(stack: DeployedStack) -> None:
    """The cached result is copied for the new job."""
    request = {"prompt": "an image to see twice", **IMAGE}
    job = stack.wait(stack.submit(**request))
    again = stack.post("/generate", request)
    assert (again.status_code, again.json()["status"], again.json()["cached"]) == (200, "succeeded", True)
    [first], [second] = job["outputs"], again.json()["outputs"]
    assert second["url"].partition("?")[0] != first["url"].partition("?")[0]
    assert requests.get(second["url"], timeout=30).content == requests.get(first["url"], timeout=30).content
    assert stack.server.generations == 1


def _delete(stack: DeployedStack, job_id: str) -> requests.Response:
    headers = {"x-api-key": stack.key}
    return requests.delete(f"{stack.deployment.api_url}/jobs/{job_id}", headers=headers, timeout=30)


def _image() -> str:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
