"""A provider's own API, called with its own token; its answers with all that is needed to explain them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.credential import Credential, OwnToken
from longplay.providers.http_client import Answer, exchange, server_of
from longplay.providers.protocol import Call
from longplay.providers.refusals import Refusal, read_refusal, request_id

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer, the call it is to, and the token it may echo."""

    answer: Answer
    call: Call
    credential: Credential

    @property
    def refusal(self) -> Refusal:
        """The answer as a refusal, without the token."""
        return read_refusal(self.answer, secret=self.credential.token)


@dataclass(frozen=True, kw_only=True)
class OwnApi:
    """Calls to the server in a call's `url`.

    `read_token` finds a stored token by name, `forget_tokens` is called when it has been refused, `explain` knows what
    the provider's refusals mean, and `largest` is the most bytes of an answer.
    """

    token: OwnToken
    largest: int
    explain: Callable[[Refusal, Call, Credential], ProviderError]
    read_token: Callable[[str], str | None]
    forget_tokens: Callable[[], None]

    def ask(
        self, method: str, path: str, call: Call, *, json: object = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Make one call below the server's address; raises ProviderError without a whole answer, or a stored token."""
        credential = self.token.credential(call, self.read_token)
        answer = exchange(
            method,
            call.url.rstrip("/") + path,
            headers={"Accept": "application/json", **(headers or {}), **credential.headers},
            json=json,
            save_to=call.folder / "answer",
            largest=self.largest,
            timeout=call.timeout,
        )
        return Reply(answer=answer, call=call, credential=credential)

    def read(self, reply: Reply, shape: Callable[[Path], T | None], what: str) -> T:
        """What a success says; raises ProviderError for a refusal, and for an answer that names no such thing."""
        if not reply.answer.success:
            raise self.refused(reply)
        found = shape(reply.answer.body)
        if found is None:
            raise _nameless(reply, what)
        return found

    def refused(self, reply: Reply) -> ProviderError:
        """The error a refusal means; a refused token is read anew for the next call."""
        if reply.answer.status == 401:
            self.forget_tokens()
        return self.explain(reply.refusal, reply.call, reply.credential)


def _nameless(reply: Reply, what: str) -> ProviderError:
    return ProviderError(
        FailureKind.UPSTREAM,
        f"the answer names no {what}: {server_of(reply.call.url)} answered {reply.answer.status} for "
        f"{reply.call.model}; the generation may have been started and billed",
        charged=Charged.UNKNOWN,
        request_id=request_id(reply.answer, secret=reply.credential.token),
    )
