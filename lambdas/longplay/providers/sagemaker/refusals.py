"""Explanations of AWS's refusals, and of the failures that SageMaker stores in the bucket."""

from __future__ import annotations

import re
from dataclasses import replace

from botocore.exceptions import ClientError

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers import explanations
from longplay.providers.credential import Credential
from longplay.providers.explanations import Explanation, TextRow
from longplay.providers.http_client import LARGEST_REFUSAL, Answer
from longplay.providers.hugging_face import refusals as hugging_face
from longplay.providers.protocol import Call
from longplay.providers.refusals import LONGEST_TEXT, Refusal, printable, read_refusal

_NO_ENDPOINT = Explanation(
    kind=FailureKind.NOT_SERVED,
    what="there is no such endpoint",
    advice="Deploy it (`-c gpu=…`), or remove its server from the settings.",
)
_STARTING = Explanation(
    kind=FailureKind.LOADING,
    what="the endpoint is not ready",
    advice="Longplay tries again when it should be ready.",
)
_NOT_PERMITTED = Explanation(
    kind=FailureKind.FORBIDDEN,
    what="AWS does not permit this",
    advice="Allow the generator's role sagemaker:InvokeEndpointAsync on this endpoint, in this Region.",
)

_CONTAINER_REFUSED = Explanation(
    kind=FailureKind.FORBIDDEN,
    what="the model's container was refused access",
    advice="Check the endpoint's log: the weights may need a license accepted on the Hub.",
)

_BY_CODE = {
    "ThrottlingException": explanations.TOO_MANY,
    "ModelNotReadyException": _STARTING,
}
_BY_STATUS = {**explanations.BY_STATUS, 403: _NOT_PERMITTED}
_BY_TEXT: tuple[TextRow, ...] = (
    ((400,), r"\bendpoint\b.*\bnot found\b", _NO_ENDPOINT),
    ((400,), r"\bendpoint\b.*\b(creating|updating|in ?service)\b", _STARTING),
)
_STATUS = re.compile(r"""\berror \((?P<status>[45]\d\d)\)|"code": ?(?P<code>[45]\d\d)\b""")
_ACCOUNT = re.compile(r"\b\d{12}\b")
_CONTAINER = Credential("self_hosted", None)


def refused(error: ClientError, call: Call) -> ProviderError:
    """The error of an invocation that AWS did not queue, or perhaps did not."""
    refusal = _refusal(error)
    by_code = _BY_CODE.get(error.response["Error"]["Code"])
    found = by_code or explanations.find(refusal, by_text=_BY_TEXT, by_status=_BY_STATUS)
    refused = explanations.error_for(refusal, found, call, token="")
    refused.detail = ""  # AWS's words, not the model's
    return refused


def failure_in(answer: Answer, call: Call, attempt: str) -> ProviderError:
    """The error of a failed invocation, from the text that its container or SageMaker stored."""
    text = answer.body.read_text("utf-8", "replace")[:LARGEST_REFUSAL]
    found = _STATUS.search(text)
    status = int(found["status"] or found["code"]) if found else 500
    original = read_refusal(replace(answer, status=status), secret=None)
    refusal = replace(original, said=_without_account(original.said), request_id=attempt)
    if status in (401, 403):
        return explanations.error_for(refusal, _CONTAINER_REFUSED, call, token="")
    return hugging_face.explain(refusal, call, _CONTAINER)


def _refusal(error: ClientError) -> Refusal:
    fault, answer = error.response["Error"], error.response["ResponseMetadata"]
    said = _without_account(f"{fault['Code']}: {fault.get('Message', '')}")
    return Refusal(
        status=answer["HTTPStatusCode"],
        said=printable(said, secret=None, longest=LONGEST_TEXT),
        retry_after=None,
        estimated_time=None,
        request_id=answer.get("RequestId"),
    )


def _without_account(text: str) -> str:
    """The text without AWS account ids, which callers must not see."""
    return _ACCOUNT.sub("[account]", text)
