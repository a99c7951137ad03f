"""SageMaker's runtime API: queues an invocation once, at the endpoint in a call's URL, with our id for it.

From botocore's model `sagemaker-runtime/2017-05-13` (1.44.5). docs/decisions/0005 explains why the request is stored in
the bucket, and why one header is set that the client does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.http_client import server_of
from longplay.providers.protocol import Call
from longplay.providers.sagemaker.refusals import refused
from longplay.providers.sent import note_request

QUEUED_AT_LEAST, QUEUED_AT_MOST = 60, 21_600  # seconds a request may wait at SageMaker
RUN_AT_MOST = 3_600  # seconds a request may run at SageMaker

_ADDRESS = re.compile(
    r"https://runtime\.sagemaker\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?(?P<path>/.*)"
    r"|http://[^/]+(?P<local_path>/.*)"  # server_of allows http only to this machine
)
_ENDPOINT = re.compile(r"/endpoints/([A-Za-z0-9](?:-*[A-Za-z0-9])*)")
_NOT_REACHED = (ConnectTimeoutError, EndpointConnectionError, NoCredentialsError, SSLError)
# botocore retries a request without an answer, and a repeated invocation is paid twice
_ONCE = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1})


@dataclass(frozen=True, kw_only=True)
class TimeLimits:
    """Seconds a request may wait in the endpoint's queue, and then run."""

    queued: int
    run: int

    @classmethod
    def until(cls, ends_within: float) -> TimeLimits:
        """The limits nearest to `ends_within` seconds that SageMaker allows."""
        seconds = int(ends_within)
        return cls(
            queued=min(max(seconds, QUEUED_AT_LEAST), QUEUED_AT_MOST),
            run=min(max(seconds, 1), RUN_AT_MOST),
        )

    @property
    def total(self) -> int:
        """Seconds after which no answer can arrive."""
        return self.queued + self.run


@dataclass(frozen=True, kw_only=True)
class Queued:
    """The locations of a queued request's answer and failure; None if SageMaker did not say."""

    output: str | None
    failure: str | None


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """The endpoint of one call."""

    name: str
    client: Any
    call: Call

    def invoke(self, location: str, limits: TimeLimits) -> Queued:
        """Queue the request stored at `location`; raises ProviderError."""
        with _named_failures(self.call):
            note_request("POST")
            answer = self.client.invoke_endpoint_async(
                EndpointName=self.name,
                InferenceId=self.call.attempt,
                InputLocation=location,
                ContentType="application/json",
                Accept="application/json",
                RequestTTLSeconds=limits.queued,
                InvocationTimeoutSeconds=limits.run,
            )
        return Queued(output=answer.get("OutputLocation"), failure=answer.get("FailureLocation"))


class Runtime:
    """Finds the endpoint of a call, with one client per address."""

    def __init__(self) -> None:
        self._client = cache(_open)

    def endpoint(self, call: Call) -> Endpoint:
        """The endpoint in the call's URL; raises ProviderError if it is not a SageMaker URL."""
        host, address = server_of(call.url), _ADDRESS.fullmatch(call.url)
        name = _ENDPOINT.fullmatch(address["path"] or address["local_path"]) if address else None
        if address is None or name is None:
            raise _no_endpoint(host)
        scheme = call.url.partition("://")[0]
        return Endpoint(name=name[1], client=self._client(f"{scheme}://{host}", address["region"]), call=call)


def _open(address: str, region: str | None) -> Any:
    """A client for an address; without a region in the address, boto3's default region is used."""
    client = boto3.client("sagemaker-runtime", endpoint_url=address, region_name=region, config=_ONCE)
    client.meta.events.register("before-call.sagemaker-runtime.InvokeEndpointAsync", _put_id_in_location)
    return client


def _put_id_in_location(params: dict[str, Any], **_: object) -> None:
    """Put the inference id into the answer's location by a header that an old client may not know."""
    headers = params["headers"]
    headers["X-Amzn-SageMaker-S3OutputPathExtension"] = headers["X-Amzn-SageMaker-Inference-Id"]


@contextmanager
def _named_failures(call: Call) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise refused(error, call) from error
    except BotoCoreError as error:
        raise _unanswered(error, call) from error


def _unanswered(error: BotoCoreError, call: Call) -> ProviderError:
    host = server_of(call.url)
    if isinstance(error, _NOT_REACHED):
        return ProviderError(
            FailureKind.UNREACHABLE, f"{host} could not be reached: {type(error).__name__}. Nothing was sent."
        )
    return ProviderError(
        FailureKind.TIMEOUT if isinstance(error, ReadTimeoutError) else FailureKind.UPSTREAM,
        f"{host} did not answer: {type(error).__name__}. The generation may have been queued.",
        charged=Charged.UNKNOWN,
    )


def _no_endpoint(host: str) -> ProviderError:
    return ProviderError(
        FailureKind.NOT_SERVED,
        f"{host} is not the address of an endpoint. The address should be "
        "https://runtime.sagemaker.REGION.amazonaws.com/endpoints/NAME in the `servers` setting. Nothing was sent.",
    )
