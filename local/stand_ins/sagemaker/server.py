"""The stand-in for SageMaker's runtime: a real HTTP server on loopback that reads and writes the S3 it is given."""

import json
import re
import threading
from collections.abc import Mapping
from email.message import Message
from typing import Any, cast

from local.stand_ins.framework.answers import Answer, Refused, refuse, says
from local.stand_ins.framework.listener import Handler
from local.stand_ins.framework.memory import Exchange
from local.stand_ins.framework.server import AnsweringStandIn
from local.stand_ins.model.results import Results
from local.stand_ins.pipelines.asked import Asked, Task
from local.stand_ins.sagemaker.faults import REFUSALS, Fault, Faults, not_found, refusal
from local.stand_ins.sagemaker.invocations import ENDS, Fate, Invocation

DESCRIBE = "SageMaker.DescribeEndpoint"
ROUTE = re.compile(r"/endpoints/([A-Za-z0-9-]{1,63})/async-invocations")
TASKS = {"musicgen": Task.TEXT_TO_AUDIO, "stable-diffusion": Task.TEXT_TO_IMAGE}
_HEADERS = "X-Amzn-SageMaker-"


class SageMakerServer(AnsweringStandIn):
    """Speaks the runtime's API at `url` from `start()` (or `with`) until `close()`.

    `endpoints` maps an endpoint's name to what it runs, named so that its task shows; it writes below
    `gpu/{endpoint}` in `bucket` of `s3`. What is queued waits for `finish`, or with `at_once` runs as soon as it is.
    `quick` renders the least that is valid.
    """

    def __init__(
        self,
        s3: Any,
        *,
        bucket: str,
        endpoints: Mapping[str, str],
        port: int = 0,
        quick: bool = False,
        at_once: bool = False,
    ) -> None:
        super().__init__(port)
        self.faults = Faults()
        self._s3, self._bucket, self._endpoints = s3, bucket, endpoints
        self._results, self.at_once = Results(quick=quick), at_once
        self._invocations: dict[str, Invocation] = {}
        self._lock = threading.Lock()

    def describe(self, name: str) -> Answer:
        """How an endpoint is; those that are there are in service."""
        if name not in self._endpoints:
            return refusal(400, "ValidationException", f'Could not find endpoint "{name}".')
        return says(200, {"EndpointName": name, "EndpointStatus": "InService"})

    @property
    def invocations(self) -> list[Invocation]:
        """Every invocation queued so far, in order."""
        with self._lock:
            return list(self._invocations.values())

    @property
    def generations(self) -> int:
        """How many invocations have run on an instance, or will: all but those refused by model or clock."""
        return sum(invocation.status not in ENDS or invocation.billed for invocation in self.invocations)

    def url_of(self, endpoint: str) -> str:
        """What the `servers` setting says for an endpoint."""
        return f"{self.url}/endpoints/{endpoint}"

    def fault(self, fault: str, **details: Any) -> None:
        """Let something go wrong from now on; the details are Fault's fields."""
        self.faults.add(Fault(fault=fault, **details))

    def finish(self, inference_id: str) -> None:
        """Run an invocation now; one that has ended stays as it is."""
        invocation = self._invocations[inference_id]
        if invocation.status not in ENDS:
            self._run(invocation)

    def callback(self, inference_id: str) -> dict[str, Any]:
        """The event by which SNS would tell a function of an invocation that has ended."""
        invocation = self._invocations[inference_id]
        if invocation.status not in ENDS:
            raise LookupError(f"{inference_id} has not ended: nobody is told")
        return invocation.event()

    def clear(self) -> None:
        """Forget faults, requests and invocations."""
        self.faults.clear()
        self.memory.clear()
        with self._lock:
            self._invocations.clear()

    def answer(self, asked: Handler, body: bytes, exchange: Exchange) -> Answer:
        """What is asked for, by header or path."""
        if asked.headers.get("X-Amz-Target") == DESCRIBE:
            return self.describe(json.loads(body)["EndpointName"])
        route = ROUTE.fullmatch(asked.path)
        if route is None or asked.command != "POST":
            return asked.no_route()
        if not asked.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 "):
            return refusal(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        exchange.model = route[1]
        return self.invoke(route[1], asked.headers)

    def invoke(self, endpoint: str, headers: Message) -> Answer:
        """Queue an invocation, if nothing is wrong with it."""
        if endpoint not in self._endpoints:
            return not_found(endpoint)
        if wrong := _wrong(headers):
            return refusal(400, "ValidationError", wrong)
        fault = self.faults.refusal(endpoint)
        if fault and not fault.queues:
            return REFUSALS[fault.fault]
        queued = self._queue(endpoint, headers)
        return REFUSALS[fault.fault] if fault else _accepted(queued)

    def _queue(self, endpoint: str, headers: Message) -> Invocation:
        invocation = Invocation(
            endpoint=endpoint,
            inference_id=headers[f"{_HEADERS}Inference-Id"],
            input=headers[f"{_HEADERS}InputLocation"],
            accept=headers[f"{_HEADERS}Accept"],
            prefix=f"s3://{self._bucket}/gpu/{endpoint}",
            extension=headers.get(f"{_HEADERS}S3OutputPathExtension"),
            ttl=int(headers.get(f"{_HEADERS}RequestTTLSeconds", 21_600)),
            timeout=int(headers.get(f"{_HEADERS}InvocationTimeoutSeconds", 900)),
            fate=self.faults.fate(endpoint),
        )
        with self._lock:
            self._invocations[invocation.inference_id] = invocation
        if self.at_once:
            self._run(invocation)
        return invocation

    def _run(self, invocation: Invocation) -> None:
        fate = invocation.fate
        if fate.end == "Expired":
            invocation.status, invocation.reason = "Expired", "The request was not taken in time."
            return
        try:
            if fate.status:
                refuse(fate.said, fate.status)
            self._put(invocation.output, self._answer(invocation, fate))
            invocation.status, invocation.billed = "Completed", True
        except Refused as refused:
            self._fail(invocation, refused.answer)

    def _answer(self, invocation: Invocation, fate: Fate) -> bytes:
        asked = self._asked(invocation)
        if fate.answer is not None:
            return fate.answer
        body = self._results.answer(asked).body
        return body if isinstance(body, bytes) else b"".join(body)

    def _asked(self, invocation: Invocation) -> Asked:
        """The request in S3, as the container's toolkit reads it."""
        order = json.loads(self._get(invocation.input))
        model = self._endpoints[invocation.endpoint]
        task = next(task for name, task in TASKS.items() if name in model)
        inputs, parameters = order.pop("inputs", order), order.pop("parameters", {})
        if invocation.accept != "application/json":
            refuse(f"Content type {invocation.accept} is not supported by this framework.")
        if "seed" in parameters:
            refuse("StableDiffusionPipeline.__call__() got an unexpected keyword argument 'seed'")
        return Asked(task=task, model=model, toolkit=True, accept=None, inputs=inputs, parameters=parameters)

    def _fail(self, invocation: Invocation, said: Answer) -> None:
        """As the container's server words it (multi-model-server), and SageMaker around it."""
        message = json.loads(bytes(cast(bytes, said.body)))["error"]
        body = {"code": said.status, "type": "InternalServerException", "message": message}
        self._put(invocation.failure, json.dumps(body, indent=2).encode())
        whose = "client" if said.status < 500 else "server"
        invocation.reason = f"ClientError: Received {whose} error ({said.status}) from model. See the logs."
        invocation.status, invocation.billed = "Failed", said.status >= 500

    def _get(self, location: str) -> bytes:
        bucket, _, key = location.removeprefix("s3://").partition("/")
        return bytes(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def _put(self, location: str, body: bytes) -> None:
        bucket, _, key = location.removeprefix("s3://").partition("/")
        self._s3.put_object(Bucket=bucket, Key=key, Body=body)


def _wrong(headers: Message) -> str | None:
    """What the API's model would not let through."""
    if not headers.get(f"{_HEADERS}InputLocation", "").startswith("s3://"):
        return "Provide exactly one of Body and InputLocation"
    if not 1 <= len(headers.get(f"{_HEADERS}Inference-Id", "")) <= 64:
        return "Value at 'inferenceId' failed to satisfy constraint: 1 to 64 characters"
    if not 60 <= int(headers.get(f"{_HEADERS}RequestTTLSeconds", 60)) <= 21_600:
        return "Value at 'requestTTLSeconds' failed to satisfy constraint: 60 to 21600"
    if not 1 <= int(headers.get(f"{_HEADERS}InvocationTimeoutSeconds", 1)) <= 3_600:
        return "Value at 'invocationTimeoutSeconds' failed to satisfy constraint: 1 to 3600"
    return None


def _accepted(invocation: Invocation) -> Answer:
    locations = {"OutputLocation": invocation.output, "FailureLocation": invocation.failure}
    headers = {f"{_HEADERS}{name}": location for name, location in locations.items()}
    return says(202, {"InferenceId": invocation.inference_id}, **headers)
