"""The checkup of a self-hosted server: `GET /health`, as in Hugging Face's inference toolkit.

The path is that of `webservice_starlette.py`. A server without it is up if it answers at all.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.credential import Credential
from longplay.providers.findings import YES, Found, Question, no
from longplay.providers.visits import Checkup, Reply, Visit

_TOKEN_NAME = "self_hosted"  # noqa: S105 - the name it is stored under


def _answers(visit: Visit) -> Found:
    """Whether it answers. Silence is a no, not an unknown: the operator runs this server and can start it."""
    try:
        reply = _health(visit)
    except ProviderError as error:
        if error.kind is FailureKind.NO_TOKEN:
            raise
        return no(f"{error.message} Start it, or correct its address in the setting servers.")
    if reply.status >= 500:
        return no(f"{visit.host} answered {reply.status} at /health: see its log.")
    return YES


def _accepted(visit: Visit) -> Found | None:
    """Whether it accepts the token. Most servers need none at /health, so only a refusal is an answer."""
    if _health(visit).status not in (401, 403):
        return None
    return no(f"{visit.host} needs another token: store it with `make token PROVIDER={_TOKEN_NAME}`.")


def _health(visit: Visit) -> Reply:
    scheme, host, *_ = urlsplit(visit.call.url)
    return visit.asker.get(f"{scheme}://{host}/health", Credential(_TOKEN_NAME, visit.read_token(_TOKEN_NAME)))


CHECKUP: Checkup = {Question.ACCEPTED: _accepted, Question.LIVE: _answers}
