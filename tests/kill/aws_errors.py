"""Answers of AWS that report an error, as they come over the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from tests.kill.injector import AwsAnswer

_CODES = {
    AwsAnswer.THROTTLED: {
        "dynamodb": (400, "ProvisionedThroughputExceededException"),
        "s3": (503, "SlowDown"),
        "sqs": (400, "RequestThrottled"),
    },
    AwsAnswer.SERVER_ERROR: {"dynamodb": (500, "InternalServerError"), "s3": (500, "InternalError")},
    AwsAnswer.DENIED: {"s3": (403, "AccessDenied")},
    AwsAnswer.CONFLICT: {"dynamodb": (400, "TransactionConflictException")},
}
_OTHERWISE = {
    AwsAnswer.THROTTLED: (400, "ThrottlingException"),
    AwsAnswer.SERVER_ERROR: (500, "InternalFailure"),
    AwsAnswer.DENIED: (400, "AccessDeniedException"),
}
_REASONS = {
    AwsAnswer.CANCELED_BY_CONFLICT: "TransactionConflict",
    AwsAnswer.CANCELED_BY_THROTTLING: "ThrottlingError",
    AwsAnswer.CANCELED_BY_CAPACITY: "ProvisionedThroughputExceeded",
}
_EVERY_SERVICE = (AwsAnswer.THROTTLED, AwsAnswer.SERVER_ERROR, AwsAnswer.DENIED, AwsAnswer.SLOW, AwsAnswer.BURST)


def answers_of(operation: str) -> tuple[AwsAnswer, ...]:
    """The answers that AWS can give to an operation, such as `dynamodb UpdateItem`."""
    if operation == "dynamodb TransactWriteItems":
        return (*_EVERY_SERVICE, *_REASONS)
    if operation in ("dynamodb UpdateItem", "dynamodb PutItem", "dynamodb DeleteItem"):
        return (*_EVERY_SERVICE, AwsAnswer.CONFLICT)
    return _EVERY_SERVICE


def error_answer(said: AwsAnswer, operation: str, request: Any) -> AWSResponse:
    """The response of the service to this request."""
    service = operation.split(" ")[-2]
    if said in _REASONS:
        return _canceled(_REASONS[said], request)
    status, code = _CODES.get(said, {}).get(service) or _OTHERWISE[said]
    return _response(request, status, _xml(code) if service == "s3" else json.dumps({"__type": code, "message": ""}))


def _canceled(reason: str, request: Any) -> AWSResponse:
    """A canceled transaction, with the reason at its last part."""
    parts = len(json.loads(request.body)["TransactItems"])
    reasons = [*({"Code": "None"} for _ in range(parts - 1)), {"Code": reason, "Message": ""}]
    body = {"__type": "TransactionCanceledException", "message": "", "CancellationReasons": reasons}
    return _response(request, 400, json.dumps(body))


def _response(request: Any, status: int, body: str) -> AWSResponse:
    return AWSResponse(request.url, status, HTTPHeaders.from_dict({"x-amzn-requestid": "1"}), _Raw(body.encode()))


def _xml(code: str) -> str:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message></Message></Error>"


@dataclass
class _Raw:
    """The body of a response that is not read from a socket."""

    content: bytes

    def stream(self, **_options: Any) -> Any:
        """The body in one piece."""
        yield self.content
