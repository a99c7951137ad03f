"""The checkup of SageMaker: whether the endpoint is in service. `DescribeEndpoint` starts no instance.

States are botocore's `EndpointStatus` (`sagemaker/2017-07-24`, 1.44.5). There is no token: the function's role is used.
"""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from longplay.providers.findings import YES, Found, Question, no, unknown
from longplay.providers.sagemaker.runtime import Runtime
from longplay.providers.visits import Checkup, Visit

_SERVING = ("InService", "Updating", "SystemUpdating", "RollingBack")
_BRIEFLY = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})


def _in_service(visit: Visit) -> Found:
    endpoint = Runtime().endpoint(visit.call)
    try:
        answer = _client(visit, endpoint.client.meta.region_name).describe_endpoint(EndpointName=endpoint.name)
    except ClientError as error:
        return _refused(error, endpoint.name)
    except BotoCoreError as error:
        return unknown(f"SageMaker did not report the state of {endpoint.name}: {type(error).__name__}.")
    return _state(endpoint.name, answer["EndpointStatus"])


def _client(visit: Visit, region: str) -> Any:
    here = f"http://{visit.host}" if visit.on_this_machine else None
    return boto3.client("sagemaker", region_name=region, endpoint_url=here, config=_BRIEFLY)


def _state(name: str, status: str) -> Found:
    if status in _SERVING:
        return YES
    if status == "Creating":
        return unknown(f"The endpoint {name} is being created: look again in a few minutes.")
    return no(f"The endpoint {name} is {status}: find the reason in SageMaker's console, then deploy it again.")


def _refused(error: ClientError, name: str) -> Found:
    code = error.response["Error"]["Code"]
    if code == "ValidationException":
        return no(f"There is no endpoint {name}: deploy it (`-c gpu=…`), or remove its server from the settings.")
    return unknown(
        f"SageMaker did not report the state of {name}: {code}. The doctor's role needs sagemaker:DescribeEndpoint."
    )


CHECKUP: Checkup = {Question.LIVE: _in_service}
