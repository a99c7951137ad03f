"""Explanations of the refusals of a server with Hugging Face's contract.

They are found by text first, because every fault inside the inference toolkit is a 400, and a gateway may send an error
with status 200.
"""

from __future__ import annotations

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers import explanations
from longplay.providers.credential import Credential
from longplay.providers.explanations import Explanation, TextRow
from longplay.providers.http_client import server_of
from longplay.providers.protocol import Call
from longplay.providers.refusals import Refusal

PERMISSION_ADVICE = (
    "Create a fine-grained token with “Make calls to Inference Providers” at "
    "https://huggingface.co/settings/tokens and store it with `make token PROVIDER={token}`."
)

_LOADING = Explanation(
    kind=FailureKind.LOADING, what="the model is loading", advice="Longplay tries again when it should be ready."
)
_TOKEN_REFUSED = Explanation(kind=FailureKind.AUTH, what="the token was refused", advice=PERMISSION_ADVICE)
_OWN_TOKEN_REFUSED = Explanation(
    kind=FailureKind.AUTH,
    what="the token was refused",
    advice="Store the one your server accepts with `make token PROVIDER={token}`.",
)
_OWN_FORBIDDEN = Explanation(
    kind=FailureKind.FORBIDDEN,
    what="the token does not permit this",
    advice="Store one that may run the model on your server with `make token PROVIDER={token}`.",
)
_PAUSED = Explanation(
    kind=FailureKind.NOT_SERVED,
    what="the endpoint is paused",
    advice="Resume it at https://endpoints.huggingface.co, or remove its server from the settings.",
)
_REFUSED_WITHOUT_TOKEN = Explanation(
    kind=FailureKind.REFUSED,
    what="the call was refused, and no token is stored",
    advice="If the server needs one, the operator stores it with `make token PROVIDER={token}`. If not, change the "
    "request.",
)
_NOT_PERMITTED = Explanation(
    kind=FailureKind.FORBIDDEN,
    what="the token does not permit this",
    advice="If the model requires it, accept its license on its page, with the account of the token.",
)
_NO_CREDITS = Explanation(
    kind=FailureKind.CREDITS,
    what="the account has no credits left",
    advice="Buy some or subscribe at https://huggingface.co/settings/billing.",
)

_BY_STATUS = {**explanations.BY_STATUS, 401: _TOKEN_REFUSED, 402: _NO_CREDITS, 403: _NOT_PERMITTED}
_BY_OWN_STATUS = {401: _OWN_TOKEN_REFUSED, 403: _OWN_FORBIDDEN}
_BY_TEXT: tuple[TextRow, ...] = (
    ((200, 400, 422), r"model not supported|not supported by provider|no longer supported", explanations.NOT_SERVED),
    *explanations.faults_of_a_model(200, 400, 422, 500),
    ((200, 400, 422), r"\bnsfw\b|safety checker|\bmoderation\b|content policy", explanations.MODERATED),
    ((403,), r"sufficient permissions to call inference providers", _TOKEN_REFUSED),
    ((503,), r"\b(loading|starting|initiali[sz]ing|warming|waking|scaling)\b", _LOADING),
)
_OWN = "self_hosted"


def explain(refusal: Refusal, call: Call, credential: Credential) -> ProviderError:
    """The error for a refusal; its message names the model and the server and says what to do."""
    return explanations.error_for(refusal, _explanation(refusal, call, credential), call, token=credential.name)


def _explanation(refusal: Refusal, call: Call, credential: Credential) -> Explanation:
    status = refusal.status
    if credential.name == _OWN and credential.token is None and status in (401, 402, 403):
        return _REFUSED_WITHOUT_TOKEN
    if credential.name == _OWN and status in _BY_OWN_STATUS:
        return _BY_OWN_STATUS[status]
    if status == 400 and _is_endpoint(call) and "invalid state" in refusal.said.lower():
        return _PAUSED  # reported in elastic/elasticsearch#112033, 2024-08
    if status in (200, 503) and _is_loading(refusal, server_of(call.url)):
        return _LOADING
    return explanations.find(refusal, by_text=_BY_TEXT, by_status=_BY_STATUS)


def _is_endpoint(call: Call) -> bool:
    return server_of(call.url).endswith(".endpoints.huggingface.cloud")


def _is_loading(refusal: Refusal, host: str) -> bool:
    """Whether the model is loading. An Inference Endpoint scaled to zero answers 503 while its first replica starts."""
    waking = refusal.status == 503 and host.endswith(".endpoints.huggingface.cloud")
    return waking or refusal.estimated_time is not None
