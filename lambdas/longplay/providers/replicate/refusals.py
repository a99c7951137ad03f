"""What each refusal of Replicate's API means, and what to do about it."""

from __future__ import annotations

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers import meanings
from longplay.providers.credential import Credential
from longplay.providers.meanings import Meaning, TextRow
from longplay.providers.protocol import Call
from longplay.providers.refusals import Refusal

STORE_ADVICE = "Make one at https://replicate.com/account/api-tokens and store it with `make token PROVIDER={token}`."

_TOKEN_REFUSED = Meaning(kind=FailureKind.AUTH, what="the token was refused", advice=STORE_ADVICE)
_NOT_PERMITTED = Meaning(
    kind=FailureKind.FORBIDDEN,
    what="the token does not permit this",
    advice="Use one of an account that may run the model, and store it with `make token PROVIDER={token}`.",
)
_NO_CREDIT = Meaning(
    kind=FailureKind.CREDITS,
    what="the account has no credit left",
    advice="Buy some at https://replicate.com/account/billing.",
)
_NO_SUCH_MODEL = Meaning(
    kind=FailureKind.NOT_SERVED,
    what="the model or its version is not there",
    advice="Read its current version on its page and put it into models.toml.",
)

_BY_STATUS = {
    **meanings.BY_STATUS,
    401: _TOKEN_REFUSED,
    402: _NO_CREDIT,
    403: _NOT_PERMITTED,
    404: _NO_SUCH_MODEL,
    410: _NO_SUCH_MODEL,
}
_BY_TEXT: tuple[TextRow, ...] = (
    ((422,), r"invalid version|version does not exist", _NO_SUCH_MODEL),
    ((400, 422), r"\bnsfw\b|\bsensitive\b|\bmoderation\b", meanings.MODERATED),
)


def explain(refusal: Refusal, call: Call, credential: Credential) -> ProviderError:
    """The error a refusal means; its message names model and server and says what to do."""
    status = refusal.status
    meaning = meanings.by_text(refusal, _BY_TEXT) or _BY_STATUS.get(status) or meanings.by_class(status)
    return meanings.explain(refusal, meaning, call, token=credential.name)
