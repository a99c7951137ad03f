"""Calls a provider's API with the token stored for that provider, and explains its refusals."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.credential import Credential, OwnToken
from longplay.providers.http_client import Answer, exchange, server_of
from longplay.providers.protocol import Call
from longplay.providers.references import only_asking
from longplay.providers.refusals import Refusal, read_refusal, request_id

NOT_FOUND = (404, 410)  # statuses for a generation that the server does not know, or no longer

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer, the call it belongs to, and the credential that was sent."""

    answer: Answer
    call: Call
    credential: Credential

    @property
    def refusal(self) -> Refusal:
        """The answer read as a refusal, with the token removed."""
        return read_refusal(self.answer, secret=self.credential.token)


@dataclass(frozen=True, kw_only=True)
class OwnApi:
    """The API at the server in a call's `url`.

    `read_token` finds a stored token by name, `forget_tokens` is called when a token was refused, `explain` turns the
    provider's refusals into errors, and `largest` is the maximum size of an answer in bytes.
    """

    token: OwnToken
    largest: int
    explain: Callable[[Refusal, Call, Credential], ProviderError]
    read_token: Callable[[str], str | None]
    forget_tokens: Callable[[], None]

    def request(
        self, method: str, path: str, call: Call, *, json: object = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send one request below the server's address; raises ProviderError without a complete answer or a token."""
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

    def read(self, reply: Reply, parse: Callable[[Path], T | None], what: str) -> T:
        """The parsed body of a successful reply; raises ProviderError for a refusal or a body without `what`."""
        if not reply.answer.success:
            raise self.refused(reply)
        found = parse(reply.answer.body)
        if found is None:
            raise unreadable(reply, what)
        return found

    def find(self, path: str, call: Call, parse: Callable[[Path], T | None], what: str) -> tuple[T, Credential] | None:
        """The API's answer about a generation, and the credential used; None if unknown. Raises PollError."""
        with only_asking():
            reply = self.request("GET", path, call)
            if reply.answer.status in NOT_FOUND:
                return None
            return self.read(reply, parse, what), reply.credential

    def cancel(self, method: str, path: str, call: Call, *, too_late: Collection[int]) -> None:
        """Cancel a generation; a status in `too_late` means that nothing is left to cancel. Raises PollError."""
        with only_asking():
            reply = self.request(method, path, call)
            if not reply.answer.success and reply.answer.status not in too_late:
                raise self.refused(reply)

    def refused(self, reply: Reply) -> ProviderError:
        """The error for a refusal. After a 401, the next call reads the token from storage again."""
        if reply.answer.status == 401:
            self.forget_tokens()
        return self.explain(reply.refusal, reply.call, reply.credential)


def unreadable(reply: Reply, what: str) -> ProviderError:
    """The error for a successful reply without `what`: the generation may run, but cannot be followed."""
    return ProviderError(
        FailureKind.UPSTREAM,
        f"the answer names no {what}: {server_of(reply.call.url)} answered {reply.answer.status} for "
        f"{reply.call.model}; the generation may have been started and billed",
        charged=Charged.UNKNOWN,
        request_id=request_id(reply.answer, secret=reply.credential.token),
    )
