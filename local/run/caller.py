"""A caller of the API: submits jobs, follows them, downloads their outputs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from local.tools import LocalRunError

Job = dict[str, Any]

FINISHED = ("succeeded", "failed", "canceled")
SUFFIXES = {
    "audio/wav": ".wav",
    "audio/flac": ".flac",
    "audio/mpeg": ".mp3",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
}
SECONDS_BETWEEN_POLLS = 0.3
TIMEOUT = 60


@dataclass(frozen=True)
class Caller:
    """A caller with this key."""

    api_url: str
    api_key: str

    def is_let_in(self) -> bool:
        """Whether the API accepts the key; a new key or a new deployment may need a moment."""
        return requests.get(f"{self.api_url}/jobs/unknown", headers=self._headers, timeout=TIMEOUT).status_code == 404

    def submit(self, request: Mapping[str, Any]) -> Job:
        """The accepted job; raises LocalRunError with the API's error text if it is refused."""
        answer = requests.post(f"{self.api_url}/generate", json=request, headers=self._headers, timeout=TIMEOUT)
        return _job(answer)

    def job(self, job_id: str) -> Job:
        """The job in its present state; raises LocalRunError if the API refuses."""
        return _job(requests.get(f"{self.api_url}/jobs/{job_id}", headers=self._headers, timeout=TIMEOUT))

    def follow(self, job_ids: list[str]) -> Iterator[Job]:
        """Each job, each time its status or its reason to wait has changed, until all have ended."""
        seen: dict[str, tuple[object, ...]] = {}
        unfinished = list(job_ids)
        while unfinished:
            for job in map(self.job, tuple(unfinished)):
                state = _state(job)
                if seen.get(job["id"]) != state:
                    seen[job["id"]] = state
                    yield job
                if job["status"] in FINISHED:
                    unfinished.remove(job["id"])
            time.sleep(SECONDS_BETWEEN_POLLS)

    @property
    def _headers(self) -> dict[str, str]:
        return {"x-api-key": self.api_key}


def download(job: Job, folder: Path) -> Path:
    """Save a job's first output from its presigned URL; the file is named by kind and id."""
    [output, *_] = job["outputs"]
    answer = requests.get(output["url"], timeout=TIMEOUT)
    answer.raise_for_status()
    path = folder / f"{job['kind']}-{job['id']}{SUFFIXES.get(output['content_type'], '')}"
    path.write_bytes(answer.content)
    return path


def _job(answer: requests.Response) -> Job:
    body: Job = answer.json()
    if not answer.ok:
        raise LocalRunError(f"the API answered {answer.status_code}: {body.get('detail') or body}")
    return body


def _state(job: Job) -> tuple[object, ...]:
    wait = job.get("wait") or {}
    return job["status"], wait.get("reason"), len(job["attempts"])
