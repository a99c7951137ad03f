"""What AWS's refusals mean, and what the failures that SageMaker leaves in the bucket do."""

from __future__ import annotations

import re
from dataclasses import replace

from botocore.exceptions import ClientError

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers import meanings
from longplay.providers.credential import Credential
from longplay.providers.http_client import LARGEST_REFUSAL, Answer
from longplay.providers.hugging_face import refusals as hugging_face
from longplay.providers.meanings import Meaning, TextRow
from longplay.providers.protocol import Call
from longplay.providers.refusals import LONGEST_TEXT, Refusal, printable, read_refusal

_NO_ENDPOINT = Meaning(
    kind=FailureKind.NOT_SERVED,
    what="there is no such endpoint",
    advice="Deploy it (`-c gpu=…`), or take its server out of the settings.",
)
_STARTING = Meaning(
    kind=FailureKind.LOADING,
    what="the endpoint is not ready",
    advice="It is asked again when it should be.",
)
_NOT_PERMITTED = Meaning(
    kind=FailureKind.FORBIDDEN,
    what="AWS does not permit this",
    advice="Allow the generator's role sagemaker:InvokeEndpointAsync on this endpoint, in this Region.",
)

_REFUSED_THERE = Meaning(
    kind=FailureKind.FORBIDDEN,
    what="the model's container was refused something",
    advice="Look at the endpoint's log: the Hub may want a license accepted for the weights.",
)

_BY_CODE = {
    "ThrottlingException": meanings.TOO_MANY,
    "ModelNotReadyException": _STARTING,
}
_BY_STATUS = {**meanings.BY_STATUS, 403: _NOT_PERMITTED}
_BY_TEXT: tuple[TextRow, ...] = (
    ((400,), r"\bendpoint\b.*\bnot found\b", _NO_ENDPOINT),
    ((400,), r"\bendpoint\b.*\b(creating|updating|in ?service)\b", _STARTING),
)
_STATUS = re.compile(r"""\berror \((?P<told>[45]\d\d)\)|"code": ?(?P<code>[45]\d\d)\b""")
_ACCOUNT = re.compile(r"\b\d{12}\b")
_CONTAINER = Credential("self_hosted", None)


def refused(error: ClientError, call: Call) -> ProviderError:
    """The error of an invocation that AWS did not queue, or may not have."""
    refusal = _refusal(error)
    known = _BY_CODE.get(error.response["Error"]["Code"]) or meanings.by_text(refusal, _BY_TEXT)
    meaning = known or _BY_STATUS.get(refusal.status) or meanings.by_class(refusal.status)
    return meanings.explain(refusal, meaning, call, token="")


def failure_in(answer: Answer, call: Call, attempt: str) -> ProviderError:
    """The error of an invocation that failed, by what its container or SageMaker said of it."""
    text = answer.body.read_text("utf-8", "replace")[:LARGEST_REFUSAL]
    said = _STATUS.search(text)
    status = int(said["told"] or said["code"]) if said else 500
    refusal = read_refusal(replace(answer, status=status), secret=None)
    told = replace(refusal, said=_ACCOUNT.sub("[account]", refusal.said), request_id=attempt)
    if status in (401, 403):
        return meanings.explain(told, _REFUSED_THERE, call, token="")
    return hugging_face.explain(told, call, _CONTAINER)


def _refusal(error: ClientError) -> Refusal:
    """AWS quotes the account's number, which is no business of a caller's."""
    fault, answer = error.response["Error"], error.response["ResponseMetadata"]
    said = _ACCOUNT.sub("[account]", f"{fault['Code']}: {fault.get('Message', '')}")
    return Refusal(
        status=answer["HTTPStatusCode"],
        said=printable(said, secret=None, longest=LONGEST_TEXT),
        retry_after=None,
        estimated_time=None,
        request_id=answer.get("RequestId"),
    )
