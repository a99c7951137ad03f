"""Explanations of the refusals of Replicate's API."""

from __future__ import annotations

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers import explanations
from longplay.providers.credential import Credential
from longplay.providers.explanations import Explanation, TextRow
from longplay.providers.protocol import Call
from longplay.providers.refusals import Refusal

STORE_ADVICE = "Create one at https://replicate.com/account/api-tokens and store it with `make token PROVIDER={token}`."

_TOKEN_REFUSED = Explanation(kind=FailureKind.AUTH, what="the token was refused", advice=STORE_ADVICE)
_NO_CREDIT = Explanation(
    kind=FailureKind.CREDITS,
    what="the account has no credit left",
    advice="Buy some at https://replicate.com/account/billing.",
)
_NO_SUCH_MODEL = Explanation(
    kind=FailureKind.NOT_SERVED,
    what="the model or its version does not exist",
    advice="Copy its current version from its page into models.toml.",
)

_BY_STATUS = {
    **explanations.BY_STATUS,
    401: _TOKEN_REFUSED,
    402: _NO_CREDIT,
    403: explanations.NOT_PERMITTED,
    404: _NO_SUCH_MODEL,
    410: _NO_SUCH_MODEL,
}
_BY_TEXT: tuple[TextRow, ...] = (
    ((422,), r"invalid version|version does not exist", _NO_SUCH_MODEL),
    ((400, 422), r"\bnsfw\b|\bsensitive\b|\bmoderation\b", explanations.MODERATED),
)


def explain(refusal: Refusal, call: Call, credential: Credential) -> ProviderError:
    """The error for a refusal; its message names the model and the server and says what to do."""
    found = explanations.find(refusal, by_text=_BY_TEXT, by_status=_BY_STATUS)
    return explanations.error_for(refusal, found, call, token=credential.name)
