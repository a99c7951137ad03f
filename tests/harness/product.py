"""The product as its stories drive it: the real entry points, fed the events that AWS would send."""

from __future__ import annotations

import base64
import json as json_module
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import batches
import callbacks
import deliverer
import doctor
import faces
import generator
import jobs
import msgspec
import submit
import sweeper
import webhooks
from longplay.http import documents

from tests.harness.aws import Aws

QUEUES = ("CALLS_QUEUE_URL", "STEPS_QUEUE_URL")
API_KEY = "lp_alice_0123456789abcdef"
_SUBMITS = ("/generate", "/uploads")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer as API Gateway would pass it on."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json_module.loads(self.body)

    @property
    def bytes(self) -> bytes:
        """The body of a binary answer."""
        return base64.b64decode(self.body)


@dataclass
class Context:
    """The context object that Lambda gives a function at each invocation."""

    seconds: float = 330
    function_name: str = "story"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:000000000000:function:story"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is stopped."""
        return int(self.seconds * 1000)


@dataclass
class Product:
    """Longplay behind its entry points; messages move only when a test says so."""

    aws: Aws

    def send(self, method: str, path: str, query: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """The answer to any request, with its headers as they are; the path is decoded."""
        handler = _handler(path, method)
        event = _event(method, f"?{query}", body, headers.get("x-api-key", ""), {})
        event |= {"path": path, "headers": headers}
        event["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
        return _answer(handler(event, Context(28)))

    def post(self, path: str, body: Any = None, *, key: str = API_KEY, **headers: str) -> Answer:
        """POST, with a body that is JSON-encoded unless it is bytes or text already."""
        handler = _handler(path.partition("?")[0], "POST")
        return _answer(handler(_event("POST", path, body, key, headers), Context()))

    def get(self, path: str, *, key: str = API_KEY, seconds: float = 28, **headers: str) -> Answer:
        """The answer to a GET request with this key; the function is stopped after `seconds`."""
        handler = _handler(path.partition("?")[0], "GET")
        return _answer(handler(_event("GET", path, None, key, headers), Context(seconds)))

    def face(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        owner: str = "alice",
        seconds: float = 28,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer of a face to one request, whose key the authorizer has found to be this owner's."""
        event = _event(method, path, body, "", dict(headers or {}))
        event["requestContext"]["authorizer"] = {"owner": owner}
        return _answer(faces.handler(event, Context(seconds)))  # type: ignore[arg-type]

    def delete(self, path: str, *, key: str = API_KEY) -> Answer:
        """DELETE."""
        return _answer(jobs.handler(_event("DELETE", path, None, key, {}), Context()))  # type: ignore[arg-type]

    def submit(self, body: Any, **headers: str) -> dict[str, Any]:
        """The job of a body that must be accepted."""
        answer = self.post("/generate", body, **headers)
        assert answer.status == 202, answer.body
        return dict(answer.json)

    def job(self, job_id: str) -> dict[str, Any]:
        """The job as its caller sees it; asserts that its document is of its type."""
        answer = self.get(f"/jobs/{job_id}")
        if answer.status == HTTPStatus.OK:
            msgspec.json.decode(answer.body, type=documents.Job)
        return dict(answer.json)

    def messages(self) -> list[dict[str, Any]]:
        """The messages that can be delivered now, as SQS would hand them over; `Queue` says from where."""
        return [message for name in QUEUES for message in self._received(self.aws.environment[name])]

    def deliver(self, *, seconds: float = 330) -> int:
        """Hand every message that is due to the generator, once; returns how many there were."""
        messages = self.messages()
        for message in messages:
            self.hand_over(message["Body"], seconds=seconds)
            self.aws.sqs.delete_message(QueueUrl=message["Queue"], ReceiptHandle=message["ReceiptHandle"])
        return len(messages)

    def hand_over(self, body: str, *, seconds: float = 330) -> None:
        """One delivery of a message."""
        generator.handler({"Records": [{"messageId": "1", "body": body}]}, Context(seconds))  # type: ignore[arg-type]

    def tell(self) -> int:
        """Hand every message about a hook that is due to the deliverer, once; returns how many there were."""
        messages = self._received(self.aws.environment["HOOKS_QUEUE_URL"])
        for message in messages:
            self.hand_hook_over(message["Body"])
            self.aws.sqs.delete_message(QueueUrl=message["Queue"], ReceiptHandle=message["ReceiptHandle"])
        return len(messages)

    def hand_hook_over(self, body: str) -> None:
        """One delivery of a message about a hook."""
        deliverer.handler({"Records": [{"messageId": "1", "body": body}]}, Context(35))  # type: ignore[arg-type]

    def call_back(self, path: str, body: bytes) -> Answer:
        """A provider's callback: a POST without an API key, its token in the query."""
        return _answer(callbacks.handler(_event("POST", path, body, "", {}), Context()))  # type: ignore[arg-type]

    def sweep(self) -> None:
        """One run of the schedule."""
        sweeper.handler({}, Context())  # type: ignore[arg-type]

    def examine(self) -> list[dict[str, Any]]:
        """One round of checkups; what was found of each route."""
        return list(doctor.handler({}, Context())["routes"])  # type: ignore[arg-type]

    def file(self, job: dict[str, Any], n: int = 0) -> bytes:
        """The bytes of a job's n-th output, as they lie in the bucket."""
        keys = [
            entry["Key"]
            for entry in self.aws.s3.list_objects_v2(Bucket=self.aws.environment["BUCKET_NAME"]).get("Contents", [])
        ]
        key = next(key for key in keys if key.startswith(f"jobs/{job['id']}") and key.endswith(f"/{n}"))
        return bytes(self.aws.s3.get_object(Bucket=self.aws.environment["BUCKET_NAME"], Key=key)["Body"].read())

    def _received(self, queue: str) -> list[dict[str, Any]]:
        answer = self.aws.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [{**message, "Queue": queue} for message in answer.get("Messages", [])]


def _handler(path: str, method: str) -> Any:
    """The function behind this path and method."""
    if path.startswith("/batches"):
        return batches.handler
    if method != "POST":
        return jobs.handler
    if path in _SUBMITS:
        return submit.handler
    return webhooks.handler if path.startswith("/webhooks/") else jobs.handler


def _answer(raw: dict[str, Any]) -> Answer:
    headers = {name: values[0] for name, values in raw.get("multiValueHeaders", {}).items()}
    return Answer(raw["statusCode"], headers, raw.get("body") or "")


def _event(method: str, path: str, body: Any, key: str, headers: dict[str, str]) -> dict[str, Any]:
    path, _, query = path.partition("?")
    parameters = parse_qs(query, keep_blank_values=True)
    raw = body if isinstance(body, bytes | str | None) else json_module.dumps(body)
    encoded = isinstance(raw, bytes)
    sent = {"x-api-key": key, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": {name: values[-1] for name, values in parameters.items()} or None,
        "multiValueQueryStringParameters": parameters or None,
        "requestContext": {
            "requestId": "c6af9ac6",
            "stage": "prod",
            "path": f"/prod{path}",
            "identity": {"apiKey": key},
            "httpMethod": method,
        },
        "body": base64.b64encode(raw).decode() if isinstance(raw, bytes) else raw,
        "isBase64Encoded": encoded,
    }
