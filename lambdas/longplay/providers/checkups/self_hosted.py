"""A server of one's own: `GET /health`, as Hugging Face's inference toolkit answers it (`webservice_starlette.py`).

A server need not have it: that one answers at all is what can be said of it without a generation.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.checkups.asking import Checkup, Reply, Visit
from longplay.providers.checkups.findings import YES, Found, Question, no
from longplay.providers.credential import Credential

_TOKEN_NAME = "self_hosted"  # noqa: S105 - what it is stored under


def _answers(visit: Visit) -> Found:
    """Before anything else: it is the operator who has to mend it."""
    try:
        reply = _health(visit)
    except ProviderError as error:
        if error.kind is FailureKind.NO_TOKEN:
            raise
        return no(f"{error.message} Start it, or correct its address in the setting servers.")
    if reply.status >= 500:
        return no(f"{visit.host} answered {reply.status} at /health: see its log.")
    return YES


def _let_in(visit: Visit) -> Found | None:
    """Most tell their health to anybody, so only a refusal says something."""
    if _health(visit).status not in (401, 403):
        return None
    return no(f"{visit.host} wants another token: store it with `make token PROVIDER={_TOKEN_NAME}`.")


def _health(visit: Visit) -> Reply:
    scheme, host, *_ = urlsplit(visit.call.url)
    return visit.asker.get(f"{scheme}://{host}/health", Credential(_TOKEN_NAME, visit.read_token(_TOKEN_NAME)))


CHECKUP: Checkup = {Question.ACCEPTED: _let_in, Question.LIVE: _answers}
