"""The adapter for Gradio apps: a call gives an event id, one held read reports its end, and a file is fetched.

From gradio 6.31 (`routes.py`), tried with the real server (2026-11): a call runs whether or not it is read. Its end
is told once. A reader that leaves before the end ends the call, and one that asks again hears nothing or "404: Not
Found". So a lost end means that the call is made again; this uses GPU quota and costs no money. The path of the file is
stored before it is fetched, so only the read itself can be lost.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import quote

import msgspec

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.credential import Credential
from longplay.providers.decoding import decode
from longplay.providers.http_client import CutOff, exchange
from longplay.providers.inference_providers.mapping import hub_of
from longplay.providers.loading import AdapterContext
from longplay.providers.own_api import OwnApi, Reply
from longplay.providers.protocol import LARGEST_RESULT, Accepted, Call, Done, PollError
from longplay.providers.references import only_asking
from longplay.providers.results import bad_output, read_result
from longplay.providers.resumption import fetch_whole
from longplay.providers.space.events import UNKNOWN_CALL, path_in, read_end
from longplay.providers.space.inputs import request_of
from longplay.providers.space.refusals import failed, free_of_charge, lost, refused
from longplay.providers.space.stages import stage_path
from longplay.providers.space.token import OWN_TOKEN

API = "/gradio_api"
LARGEST_ANSWER = 8_000_000  # bytes of a stream of events
FIRST, AT_ONCE = 1.0, 0.0  # seconds until the held read, and until the file is fetched

_EVENT_ID = re.compile(r"[\w-]{6,64}", re.ASCII)
_FILE_PATH = re.compile(r"/(?!.*(?:^|/)\.\.?(?:/|$))[^\x00-\x1f\x7f]{1,400}")
_LARGEST_PAGE = 1_000_000  # bytes of the Hub's answer about a Space
_LONGEST_LOOK = 10.0  # seconds for the stage of a Space
_GONE = (403, 404, 410)  # statuses of a file that the app does not have, or no longer


class _Ticket(msgspec.Struct):
    event_id: str


class _Runtime(msgspec.Struct):
    stage: str


class _SpacePage(msgspec.Struct):
    runtime: _Runtime


class Space:
    """Calls to the app at a call's `url` (`https://owner-name.hf.space`), by the name of an endpoint.

    A reference is the id of a call, or, after its end, the path of its file.
    """

    def __init__(self, api: OwnApi) -> None:
        self._api = api

    def submit(self, call: Call) -> Accepted:
        """Start the call; raises ProviderError, never charged."""
        path, body = request_of(call)
        with free_of_charge():
            reply = self._api.request("POST", API + path, call, json=body)
            if not reply.answer.success:
                raise self._refused(reply)
            ref = self._api.read(reply, _event_id, "event id")
        return Accepted(ref=ref, poll_after=FIRST, request_id=ref)

    def poll(self, ref: str, call: Call) -> Done | Accepted:
        """The path of the file as a new reference, or the file. Raises ProviderError, never charged, and PollError."""
        with free_of_charge():
            return self._file(ref, call) if ref.startswith("/") else self._end(ref, call)

    def cancel(self, ref: str, call: Call) -> None:
        """Take the call out of the app's queue; one that runs goes on, and its result is dropped. Raises PollError."""
        body = {"session_hash": ref, "fn_index": 0, "event_id": ref}  # the id is also the session of such a call
        with only_asking():
            reply = self._api.request("POST", f"{API}/cancel", call, json=body)
            if not reply.answer.success:
                raise self._refused(reply)

    def reference_in(self, body: bytes) -> None:
        """None: an app sends no callbacks."""

    def _end(self, ref: str, call: Call) -> Accepted:
        """Read until the call ends."""
        stream, credential = self._stream(ref, call)
        end = read_end(stream.read_bytes())
        if end is None or end.said == UNKNOWN_CALL:
            raise lost(call, ref)
        if end.failed:
            raise failed(end.said, call, ref=ref, secret=credential.token)
        path = path_in(end.outputs)
        if path is None or not _FILE_PATH.fullmatch(path):
            raise bad_output(call, "it ended without a file")
        return Accepted(ref=path, poll_after=AT_ONCE, request_id=ref)

    def _stream(self, ref: str, call: Call) -> tuple[Path, Credential]:
        """The events, as far as they came. Raises PollError if the app was not reached, ProviderError if they broke."""
        credential = self._api.token.credential(call, self._api.read_token)
        try:
            reply = self._api.request("GET", f"{API}/call/{call.model}/{ref}", call)
        except CutOff as cut:
            if cut.kind is FailureKind.TIMEOUT:
                raise lost(call, ref, cut.kind) from cut
            return cut.answer.body, credential
        except ProviderError as error:
            if error.kind is FailureKind.UNREACHABLE:
                raise PollError(error) from error
            raise lost(call, ref, error.kind) from error
        if not reply.answer.success:
            raise PollError(self._refused(reply))
        return reply.answer.body, credential

    def _file(self, path: str, call: Call) -> Done:
        """The file at the app itself: the URL in its answer may name a host that only the app can reach."""
        credential = self._api.token.credential(call, self._api.read_token)
        url = f"{call.url.rstrip('/')}{API}/file={quote(path)}"
        until = time.monotonic() + call.timeout
        try:
            answer = fetch_whole(
                url, call.folder / "output-0", largest=LARGEST_RESULT, until=until, headers=credential.headers
            )
        except ProviderError as error:
            if error.kind is FailureKind.BAD_OUTPUT:  # too large, and will stay so
                raise
            raise PollError(error) from error
        if answer.status in _GONE:
            raise lost(call, path)
        if answer.status != 200:
            raise PollError(self._refused(Reply(answer=answer, call=call, credential=credential)))
        return Done(files=(read_result(answer.body, call),))

    def _refused(self, reply: Reply) -> ProviderError:
        if reply.answer.status == 401:
            self._api.forget_tokens()
        return refused(reply.refusal, reply.call, stage=_stage(reply.call, reply.credential))


def _event_id(body: Path) -> str | None:
    ticket = decode(body.read_bytes(), _Ticket)
    return ticket.event_id if ticket and _EVENT_ID.fullmatch(ticket.event_id) else None


def _stage(call: Call, credential: Credential) -> str | None:
    """The stage of the Space; None if it is not one, or if the Hub does not tell."""
    path = stage_path(call.url)
    if path is None:
        return None
    try:
        answer = exchange(
            "GET",
            hub_of(call.url) + path,
            headers={"Accept": "application/json", **credential.headers},
            save_to=call.folder / "stage",
            largest=_LARGEST_PAGE,
            timeout=_LONGEST_LOOK,
        )
    except ProviderError:
        return None
    page = decode(answer.body.read_bytes(), _SpacePage) if answer.success else None
    return page.runtime.stage if page else None


def make_adapter(context: AdapterContext) -> Space:
    """The adapter for this deployment."""
    return Space(
        OwnApi(
            token=OWN_TOKEN,
            largest=LARGEST_ANSWER,
            explain=lambda refusal, call, _: refused(refusal, call),
            read_token=context.read_token,
            forget_tokens=context.forget_tokens,
        )
    )
