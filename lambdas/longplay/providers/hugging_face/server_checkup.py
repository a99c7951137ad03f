"""The checkup of a self-hosted server: `GET /health`, as in Hugging Face's inference toolkit, and its own path.

The path of health is that of `webservice_starlette.py`. A server without it is up if it answers at all. The path that
generates is asked by OPTIONS, which starts nothing: a server that has it answers anything but 404 or 410.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.credential import Credential
from longplay.providers.findings import YES, Found, Question, no
from longplay.providers.own_api import NOT_FOUND
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
    return _has_the_path(visit)


def _has_the_path(visit: Visit) -> Found:
    url = visit.call.url
    reply = visit.asker.options(url, _credential(visit))
    if reply.status in NOT_FOUND:
        return no(f"{url} answered {reply.status}: nothing is there. Correct its path in the setting servers.")
    return YES


def _accepted(visit: Visit) -> Found | None:
    """Whether it accepts the token. Most servers need none at /health, so only a refusal is an answer."""
    if _health(visit).status not in (401, 403):
        return None
    return no(f"{visit.host} needs another token: store it with `make token PROVIDER={_TOKEN_NAME}`.")


def _health(visit: Visit) -> Reply:
    scheme, host, *_ = urlsplit(visit.call.url)
    return visit.asker.get(f"{scheme}://{host}/health", _credential(visit))


def _credential(visit: Visit) -> Credential:
    return Credential(_TOKEN_NAME, visit.read_token(_TOKEN_NAME))


CHECKUP: Checkup = {Question.ACCEPTED: _accepted, Question.LIVE: _answers}
