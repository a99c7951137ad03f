"""The stand-in for SageMaker's runtime; it reads and writes the S3 that it is given."""

import json
import re
from collections.abc import Mapping
from email.message import Message
from typing import Any, cast

from local.stand_ins.framework.answers import Answer, Refused, refuse, says
from local.stand_ins.framework.listener import Handler
from local.stand_ins.framework.memory import Exchange
from local.stand_ins.framework.queued import MakingStandIn
from local.stand_ins.model.results import Results
from local.stand_ins.pipelines.asked import Asked, Task
from local.stand_ins.sagemaker.faults import FAULTS, not_found, refusal
from local.stand_ins.sagemaker.invocations import Invocation, Outcome

DESCRIBE = "SageMaker.DescribeEndpoint"
ROUTE = re.compile(r"/endpoints/([A-Za-z0-9-]{1,63})/async-invocations")
TASKS = {"musicgen": Task.TEXT_TO_AUDIO, "stable-diffusion": Task.TEXT_TO_IMAGE}
_HEADERS = "X-Amzn-SageMaker-"


class SageMakerServer(MakingStandIn[Invocation]):
    """Speaks the runtime's API at `url` from `start()` (or `with`) until `close()`.

    `endpoints` maps the name of an endpoint to its model, whose name shows its task. Results are written below
    `gpu/{endpoint}` in `bucket` of `s3`. An invocation waits for `finish`, or with `at_once` runs as soon as it is
    queued. `quick` renders the least that is valid media. An invocation is billed unless the model refused it or it
    expired.
    """

    table = FAULTS

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
        self._s3, self._bucket, self._endpoints = s3, bucket, endpoints
        self._results, self.at_once = Results(quick=quick), at_once

    def describe(self, name: str) -> Answer:
        """The answer about an endpoint; every known one is in service."""
        if name not in self._endpoints:
            return refusal(400, "ValidationException", f'Could not find endpoint "{name}".')
        return says(200, {"EndpointName": name, "EndpointStatus": "InService"})

    @property
    def invocations(self) -> list[Invocation]:
        """Every invocation so far, in order."""
        return self.made

    def url_of(self, endpoint: str) -> str:
        """The value of the `servers` setting for an endpoint."""
        return f"{self.url}/endpoints/{endpoint}"

    def finish(self, inference_id: str) -> None:
        """Run an invocation now; one that has ended does not change."""
        invocation = self._made[inference_id]
        if not invocation.over:
            self._run(invocation)

    def callback(self, inference_id: str) -> dict[str, Any]:
        """The event that SNS gives to a function when an invocation has ended; raises LookupError before that."""
        invocation = self._made[inference_id]
        if not invocation.over:
            raise LookupError(f"{inference_id} has not ended: there is no notice yet")
        return invocation.event()

    def answer(self, request: Handler, body: bytes, exchange: Exchange) -> Answer:
        """The answer by header or path."""
        if request.headers.get("X-Amz-Target") == DESCRIBE:
            return self.describe(json.loads(body)["EndpointName"])
        route = ROUTE.fullmatch(request.path)
        if route is None or request.command != "POST":
            return request.no_route()
        if not request.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 "):
            return refusal(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        exchange.model = route[1]
        return self.invoke(route[1], request.headers)

    def invoke(self, endpoint: str, headers: Message) -> Answer:
        """The answer to an order, which is queued unless it is invalid."""
        if endpoint not in self._endpoints:
            return not_found(endpoint)
        if wrong := _wrong(headers):
            return refusal(400, "ValidationError", wrong)
        return self.generate(lambda: self._queued(endpoint, headers), _accepted, model=endpoint)

    def _queued(self, endpoint: str, headers: Message) -> Invocation:
        return Invocation(
            endpoint=endpoint,
            inference_id=headers[f"{_HEADERS}Inference-Id"],
            input=headers[f"{_HEADERS}InputLocation"],
            accept=headers[f"{_HEADERS}Accept"],
            prefix=f"s3://{self._bucket}/gpu/{endpoint}",
            extension=headers.get(f"{_HEADERS}S3OutputPathExtension"),
            ttl=int(headers.get(f"{_HEADERS}RequestTTLSeconds", 21_600)),
            timeout=int(headers.get(f"{_HEADERS}InvocationTimeoutSeconds", 900)),
            outcome=self.faults.outcome(model=endpoint) or Outcome(),
        )

    def _keep(self, made: Invocation) -> Invocation:
        kept = super()._keep(made)
        if self.at_once:
            self._run(kept)
        return kept

    def _run(self, invocation: Invocation) -> None:
        outcome = invocation.outcome
        if outcome.end == "Expired":
            invocation.status, invocation.reason = "Expired", "The request was not taken in time."
            return
        try:
            if outcome.status:
                refuse(outcome.error, outcome.status)
            self._put(invocation.output, self._content(invocation))
            invocation.status, invocation.charged = "Completed", True
        except Refused as refused:
            self._fail(invocation, refused.answer)

    def _content(self, invocation: Invocation) -> bytes:
        """The result; raises Refused where the container answers 400."""
        asked = self._asked(invocation)
        if invocation.outcome.answer is not None:
            return invocation.outcome.answer
        body = self._results.answer(asked).body
        return body if isinstance(body, bytes) else b"".join(body)

    def _asked(self, invocation: Invocation) -> Asked:
        """The order in S3, read as the container's toolkit reads it."""
        order = json.loads(self._get(invocation.input))
        model = self._endpoints[invocation.endpoint]
        task = next(task for name, task in TASKS.items() if name in model)
        inputs, parameters = order.pop("inputs", order), order.pop("parameters", {})
        if invocation.accept != "application/json":
            refuse(f"Content type {invocation.accept} is not supported by this framework.")
        if "seed" in parameters:
            refuse("StableDiffusionPipeline.__call__() got an unexpected keyword argument 'seed'")
        return Asked(task=task, model=model, toolkit=True, accept=None, inputs=inputs, parameters=parameters)

    def _fail(self, invocation: Invocation, error: Answer) -> None:
        """End in failure, in the words of the container's server (multi-model-server) and of SageMaker."""
        message = json.loads(bytes(cast(bytes, error.body)))["error"]
        body = {"code": error.status, "type": "InternalServerException", "message": message}
        self._put(invocation.failure, json.dumps(body, indent=2).encode())
        whose = "client" if error.status < 500 else "server"
        invocation.reason = f"ClientError: Received {whose} error ({error.status}) from model. See the logs."
        invocation.status, invocation.charged = "Failed", error.status >= 500

    def _get(self, location: str) -> bytes:
        bucket, _, key = location.removeprefix("s3://").partition("/")
        return bytes(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def _put(self, location: str, body: bytes) -> None:
        bucket, _, key = location.removeprefix("s3://").partition("/")
        self._s3.put_object(Bucket=bucket, Key=key, Body=body)


def _wrong(headers: Message) -> str | None:
    """The error in a request's headers, None if they are valid."""
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
