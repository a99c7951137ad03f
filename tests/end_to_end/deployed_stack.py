"""The deployed stack for tests: its API, its resources on the emulator, and the stand-in model server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil
import requests

from local.emulator.deployment import Deployment
from local.emulator.emulator import Emulator, Session
from local.stand_ins.model import ModelServer

Job = dict[str, Any]

FINISHED = ("succeeded", "failed", "canceled")
TIMEOUT = 30
ALICE = "the key of alice"


@dataclass(frozen=True, kw_only=True)
class DeployedStack:
    """The deployed stack; requests have the key of the owner `alice` unless `key` is given (None sends no key)."""

    aws: Emulator
    deployment: Deployment
    server: ModelServer
    key: str
    others_key: str

    def post(self, path: str, body: object = None, *, key: str | None = ALICE, **options: Any) -> requests.Response:
        """POSTs `body` as JSON, or the `data` and `headers` given in `options`."""
        return self._call("POST", path, key=key, **({"json": body} if body is not None else {}), **options)

    def get(self, path: str, *, key: str | None = ALICE, **options: Any) -> requests.Response:
        """GETs a path."""
        return self._call("GET", path, key=key, **options)

    def submit(self, **request: object) -> str:
        """The id of an accepted job, which is never answered from the cache."""
        answer = self.post("/generate", {"fresh": True, **request})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str) -> Job:
        """The job as the API shows it."""
        answer = self.get(f"/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def watch(self, job_id: str, *, seconds: float = 60) -> Iterator[Job]:
        """Reads the job repeatedly and yields it each time, until it is finished."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            job = self.job(job_id)
            yield job
            if job["status"] in FINISHED:
                return
            time.sleep(0.2)
        raise AssertionError(f"not finished after {seconds} s: {job}")

    def wait(self, job_id: str, *, seconds: float = 60, sweeping: bool = False) -> Job:
        """The finished job; with `sweeping`, the sweeper runs after each read, not only once a minute."""
        job: Job = {}
        for job in self.watch(job_id, seconds=seconds):  # noqa: B007 - the last value is used
            if sweeping:
                self.sweep()
        return job

    def sweep(self) -> None:
        """Runs the sweeper now."""
        self.aws.client("lambda").invoke(FunctionName=self.deployment.outputs["SweeperFunctionName"])

    def kill_generator(self) -> None:
        """Sends SIGKILL to every running generator."""
        name = self.deployment.outputs["GeneratorFunctionName"]
        for process in psutil.Process(self.aws.pid).children():
            with suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
                if any(name in word for word in process.cmdline()):
                    process.kill()

    def session_of(self, function: str) -> Session:
        """A boto3 session with the role of a function: `Submit`, `Jobs`, `Generator`, `Sweeper`, …"""
        name = self.deployment.outputs[f"{function}FunctionName"]
        role = self.aws.client("lambda").get_function_configuration(FunctionName=name)["Role"]
        keys = self.aws.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return self.aws.session(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    def _call(self, method: str, path: str, *, key: str | None, **options: Any) -> requests.Response:
        headers = options.pop("headers", {})
        if key is not None:
            headers = {"x-api-key": self.key if key is ALICE else key, **headers}
        url = f"{self.deployment.api_url}{path}"
        return requests.request(method, url, headers=headers, timeout=TIMEOUT, allow_redirects=False, **options)


def eventually(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    """Waits until `condition` is true; fails after `seconds`."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, f"not within {seconds} s"
        time.sleep(0.1)


def message_for(job_id: str, route: str) -> str:
    """The message that takes a job one step further."""
    return json.dumps({"version": 1, "job": job_id, "route": route})
