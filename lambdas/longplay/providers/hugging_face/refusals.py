"""What each refusal of a server with Hugging Face's contract means, and what to do about it.

By status, but where the text knows better: every fault inside the inference toolkit is a 400, and a gateway
may send an error with status 200.
"""

from __future__ import annotations

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers import meanings
from longplay.providers.credential import Credential
from longplay.providers.http_client import server_of
from longplay.providers.meanings import Meaning, TextRow
from longplay.providers.protocol import Call
from longplay.providers.refusals import Refusal

PERMISSION_ADVICE = (
    "Make a fine-grained token with “Make calls to Inference Providers” at "
    "https://huggingface.co/settings/tokens and store it with `make token PROVIDER={token}`."
)

_LOADING = Meaning(
    kind=FailureKind.LOADING, what="the model is loading", advice="It is asked again when it should be ready."
)
_TOKEN_REFUSED = Meaning(kind=FailureKind.AUTH, what="the token was refused", advice=PERMISSION_ADVICE)
_OWN_TOKEN_REFUSED = Meaning(
    kind=FailureKind.AUTH,
    what="the token was refused",
    advice="Store the one your server takes with `make token PROVIDER={token}`.",
)
_OWN_FORBIDDEN = Meaning(
    kind=FailureKind.FORBIDDEN,
    what="the token does not permit this",
    advice="Store one that your server lets run the model with `make token PROVIDER={token}`.",
)
_PAUSED = Meaning(
    kind=FailureKind.NOT_SERVED,
    what="the endpoint is paused",
    advice="Resume it at https://endpoints.huggingface.co, or take its server out of the settings.",
)
_TOKEN_WANTED = Meaning(
    kind=FailureKind.AUTH,
    what="no token stored",
    advice="Your server wants one: store it with `make token PROVIDER={token}`.",
)
_NOT_PERMITTED = Meaning(
    kind=FailureKind.FORBIDDEN,
    what="the token does not permit this",
    advice="If the model asks for that, accept its license on its page, with the account the token is of.",
)
_NO_CREDITS = Meaning(
    kind=FailureKind.CREDITS,
    what="the account has no credits left",
    advice="Buy some or subscribe at https://huggingface.co/settings/billing.",
)

_BY_STATUS = {**meanings.BY_STATUS, 401: _TOKEN_REFUSED, 402: _NO_CREDITS, 403: _NOT_PERMITTED}
_BY_OWN_STATUS = {401: _OWN_TOKEN_REFUSED, 403: _OWN_FORBIDDEN}
_BY_TEXT: tuple[TextRow, ...] = (
    ((200, 400, 422), r"model not supported|not supported by provider|no longer supported", meanings.NOT_SERVED),
    ((200, 400, 422, 500), r"out of memory|\bcuda\b", meanings.OUT_OF_MEMORY),
    ((200, 400, 422), r"\bnsfw\b|safety checker|\bmoderation\b|content policy", meanings.MODERATED),
    ((403,), r"sufficient permissions to call inference providers", _TOKEN_REFUSED),
    ((503,), r"\b(loading|starting|initiali[sz]ing|warming|waking|scaling)\b", _LOADING),
)
_OWN = "self_hosted"


def explain(refusal: Refusal, call: Call, credential: Credential) -> ProviderError:
    """The error a refusal means; its message names model and server and says what to do."""
    return meanings.explain(refusal, _meaning(refusal, call, credential), call, token=credential.name)


def _meaning(refusal: Refusal, call: Call, credential: Credential) -> Meaning:
    status = refusal.status
    if credential.name == _OWN and status in (401, 403):
        return _BY_OWN_STATUS[status] if credential.token else _TOKEN_WANTED
    if status == 400 and _is_endpoint(call) and "invalid state" in refusal.said.lower():
        return _PAUSED  # as elastic/elasticsearch#112033 met it, 2024-08
    if status in (200, 503) and _is_loading(refusal, server_of(call.url)):
        return _LOADING
    return meanings.by_text(refusal, _BY_TEXT) or _BY_STATUS.get(status) or meanings.by_class(status)


def _is_endpoint(call: Call) -> bool:
    return server_of(call.url).endswith(".endpoints.huggingface.cloud")


def _is_loading(refusal: Refusal, host: str) -> bool:
    """An Inference Endpoint that has scaled to zero answers any 503 while its first replica starts."""
    waking = refusal.status == 503 and host.endswith(".endpoints.huggingface.cloud")
    return waking or refusal.estimated_time is not None
