"""Reads from the Hub which partner serves a model, and its id there; answers are cached.

`GET {hub}/api/models/{id}?expand[]=inferenceProviderMapping` (hub-docs, inference-providers/hub-api.md, 2026-08). The
mapping is an object with the partners as keys, or a list of entries; `huggingface_hub` 2.4.0 accepts both. Its task for
music is `text-to-audio` (huggingface.js #2249 and #2270, 2026-07), which `huggingface_hub` 2.4.0 does not have.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import msgspec

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.credential import Credential
from longplay.providers.http_client import Answer, exchange, server_of
from longplay.providers.hugging_face.refusals import explain
from longplay.providers.protocol import Call
from longplay.providers.refusals import printable, read_refusal

HUB = "https://huggingface.co"
KEPT = 3_600.0  # seconds; Hugging Face tests mapped models every six hours
# seconds; a model that failed its test is tested again every hour. Until we read the new state, jobs use a more
# expensive route.
KEPT_WITHOUT = 600.0
LARGEST_PAGE = 1_000_000  # bytes
LONGEST_READ = 10.0  # seconds

_TASKS = {
    ("music", False): "text-to-audio",
    ("image", False): "text-to-image",
    ("video", False): "text-to-video",
    ("video", True): "image-to-video",
}
_LONGEST_NAME, _LONGEST_SHOWN = 200, 40  # characters
_SAME_AS_ROUTER = (401, 403, 429)  # statuses with the same meaning at the Hub and at the router


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """One partner's entry; `providerId` becomes part of a URL, so it is validated."""

    providerId: str  # noqa: N815 - the Hub's own name
    status: str
    task: str
    adapter: str | None = None
    provider: str = ""


@dataclass(frozen=True)
class _Page:
    read_at: float
    served: Mapping[str, Served]


class ProviderMapping:
    """The Hub's provider mapping of each model, cached by this object; `clock` is monotonic, in seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pages: dict[tuple[str, str], _Page] = {}

    def id_of(self, call: Call, partner: str, credential: Credential) -> str:
        """The partner's id of the call's model.

        Raises ProviderError, never charged: NOT_SERVED if the partner does not serve the model for the call's task;
        THROTTLED, AUTH, FORBIDDEN or UNREACHABLE if the Hub does not answer.
        """
        found = self._page(call, partner, credential).served.get(partner)
        if found is None or (objection := _objection(found, call)):
            why = objection if found else f"the Hub names no {partner} for it"
            raise ProviderError(
                FailureKind.NOT_SERVED,
                f"{partner} does not serve {call.model} via Hugging Face: {why}. Use another route. Nothing was sent.",
            )
        return found.providerId

    def _page(self, call: Call, partner: str, credential: Credential) -> _Page:
        key = (hub_of(call.url), call.model)
        page = self._pages.get(key)
        if page is None or self._clock() >= page.read_at + _lifetime(page, call, partner):
            page = _Page(self._clock(), _read(call, credential))
            self._pages[key] = page
        return page


def hub_of(url: str) -> str:
    """The URL of the Hub for a router's URL; a stand-in on this machine serves both."""
    return url.rstrip("/") if url.startswith("http:") else HUB


def _lifetime(page: _Page, call: Call, partner: str) -> float:
    found = page.served.get(partner)
    return KEPT_WITHOUT if found is None or _objection(found, call) else KEPT


def _objection(found: Served, call: Call) -> str | None:
    """Why an entry cannot be used, or None. Status `staging` is for the partner's tests; `error` is a failed test."""
    task = _TASKS.get((call.kind, call.image is not None))
    if found.status != "live":
        return f"its status there is “{_shown(found.status)}”, not live"
    if found.task != task:
        return f"it is served for {_shown(found.task)}, not for {task or call.kind}"
    return "it is an adapter for another model there, and Longplay does not use adapters" if found.adapter else None


def _read(call: Call, credential: Credential) -> Mapping[str, Served]:
    answer = _fetch(call, credential)
    if answer.success:
        return {entry.provider: entry for entry in _entries(_payload(answer, call))}
    if answer.status == 404:
        return {}
    if answer.status in _SAME_AS_ROUTER:
        at_hub = replace(call, url=hub_of(call.url))
        raise explain(read_refusal(answer, secret=credential.token), at_hub, credential)
    raise _unread(call, f"it answered {answer.status}")


def _fetch(call: Call, credential: Credential) -> Answer:
    url = f"{hub_of(call.url)}/api/models/{quote(call.model)}?expand%5B%5D=inferenceProviderMapping"
    try:
        return exchange(
            "GET",
            url,
            headers={"Accept": "application/json", **credential.headers},
            save_to=call.folder / "mapping",
            largest=LARGEST_PAGE,
            timeout=min(LONGEST_READ, call.timeout),
        )
    except ProviderError as error:
        raise _unread(call, error.kind) from error


def _payload(answer: Answer, call: Call) -> Any:
    try:
        return msgspec.json.decode(answer.body.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unread(call, "its answer is not JSON") from error


def _entries(payload: Any) -> Iterator[Served]:
    """Every valid entry; invalid ones are skipped."""
    mapping = payload.get("inferenceProviderMapping") if isinstance(payload, dict) else None
    for entry in _listed(mapping):
        with suppress(msgspec.ValidationError):
            served = msgspec.convert(entry, Served)
            if _is_path(served.providerId.replace(":", "/", 1)):
                yield served


def _listed(mapping: Any) -> list[Any]:
    if isinstance(mapping, dict):
        return [{**entry, "provider": name} for name, entry in mapping.items() if isinstance(entry, dict)]
    return mapping if isinstance(mapping, list) else []


def _is_path(text: str) -> bool:
    """Whether untrusted text is a path of plain names, which is safe in a URL."""
    names = text.split("/")
    plain = all(name.isascii() and name.replace("-", "").replace(".", "").replace("_", "").isalnum() for name in names)
    return plain and len(text) <= _LONGEST_NAME


def _shown(text: str) -> str:
    return printable(text, secret=None, longest=_LONGEST_SHOWN)


def _unread(call: Call, why: str) -> ProviderError:
    return ProviderError(
        FailureKind.UNREACHABLE,
        f"the providers of {call.model} could not be read from {server_of(hub_of(call.url))}: {why}. Nothing was sent.",
    )
