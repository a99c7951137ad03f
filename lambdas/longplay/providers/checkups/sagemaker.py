"""SageMaker: whether the endpoint is in service, by `DescribeEndpoint`, which wakes nothing.

States are botocore's `EndpointStatus` (`sagemaker/2017-07-24`, 1.44.5). There is no token: it is the function's role.
"""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from longplay.providers.checkups.asking import Checkup, Visit
from longplay.providers.checkups.findings import YES, Found, Question, no, unknown
from longplay.providers.sagemaker.runtime import Runtime

_SERVING = ("InService", "Updating", "SystemUpdating", "RollingBack")
_BRIEFLY = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})


def _in_service(visit: Visit) -> Found:
    endpoint = Runtime().endpoint(visit.call)
    try:
        answer = _client(visit, endpoint.client.meta.region_name).describe_endpoint(EndpointName=endpoint.name)
    except ClientError as error:
        return _refused(error, endpoint.name)
    except BotoCoreError as error:
        return unknown(f"SageMaker did not say how {endpoint.name} is: {type(error).__name__}.")
    return _state(endpoint.name, answer["EndpointStatus"])


def _client(visit: Visit, region: str) -> Any:
    here = f"http://{visit.host}" if visit.on_this_machine else None
    return boto3.client("sagemaker", region_name=region, endpoint_url=here, config=_BRIEFLY)


def _state(name: str, status: str) -> Found:
    if status in _SERVING:
        return YES
    if status == "Creating":
        return unknown(f"The endpoint {name} is being made: look again in some minutes.")
    return no(f"The endpoint {name} is {status}: see its reason in SageMaker's console, and deploy it anew.")


def _refused(error: ClientError, name: str) -> Found:
    code = error.response["Error"]["Code"]
    if code == "ValidationException":
        return no(f"There is no endpoint {name}: deploy it (`-c gpu=…`), or take its server out of the settings.")
    return unknown(f"SageMaker did not say how {name} is: {code}. The doctor's role needs sagemaker:DescribeEndpoint.")


CHECKUP: Checkup = {Question.LIVE: _in_service}
