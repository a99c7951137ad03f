"""Which partner serves a model of the Hub and by what name, read at run time and kept for a while.

`GET {hub}/api/models/{id}?expand[]=inferenceProviderMapping` (hub-docs, inference-providers/hub-api.md, 2026-08). The
mapping is an object by partner, or a list that names them; `huggingface_hub` 2.4.0 takes both.
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
KEPT = 3_600.0  # seconds; Hugging Face tests what is mapped every six hours
# seconds; what failed a test is tested hourly and then served again, and until we see that, jobs go a dearer way
KEPT_WITHOUT = 600.0
LARGEST_PAGE = 1_000_000  # bytes
LONGEST_READ = 10.0  # seconds

_TASKS = {
    ("image", False): "text-to-image",
    ("video", False): "text-to-video",
    ("video", True): "image-to-video",
}
_LONGEST_NAME, _LONGEST_SHOWN = 200, 40  # characters
_TELLING = (401, 403, 429)  # refusals that mean the same at the Hub as at the router


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """One partner's entry; `providerId` becomes a part of an address, and is checked for it."""

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
    """What the Hub says of each model, kept by this object; `clock` gives seconds that never go back."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pages: dict[tuple[str, str], _Page] = {}

    def id_of(self, call: Call, partner: str, credential: Credential) -> str:
        """The partner's own id of the call's model.

        Raises ProviderError, and nothing is charged: NOT_SERVED where the partner does not serve the model for what
        is asked, THROTTLED, AUTH or UNREACHABLE where the Hub does not say.
        """
        found = self._page(call, partner, credential).served.get(partner)
        if found is None or (objection := _objection(found, call)):
            why = objection if found else f"the Hub names no {partner} for it"
            raise ProviderError(
                FailureKind.NOT_SERVED,
                f"{partner} does not serve {call.model} by Hugging Face: {why}. Use another route. Nothing was sent.",
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
    """The Hub that belongs to a router: Hugging Face's own, or, for a stand-in on this machine, the same server."""
    return url.rstrip("/") if url.startswith("http:") else HUB


def _lifetime(page: _Page, call: Call, partner: str) -> float:
    found = page.served.get(partner)
    return KEPT_WITHOUT if found is None or _objection(found, call) else KEPT


def _objection(found: Served, call: Call) -> str | None:
    """Why an entry cannot be used; `staging` is for its makers' trials, `error` means that it failed its last test."""
    task = _TASKS.get((call.kind, call.image is not None))
    if found.status != "live":
        return f"it is not live there, but “{_shown(found.status)}”"
    if found.task != task:
        return f"it is served for {_shown(found.task)}, not for {task or call.kind}"
    return "it is an adapter to another model there, which Longplay does not use" if found.adapter else None


def _read(call: Call, credential: Credential) -> Mapping[str, Served]:
    answer = _fetch(call, credential)
    if answer.success:
        return {entry.provider: entry for entry in _entries(_payload(answer, call))}
    if answer.status == 404:
        return {}
    if answer.status in _TELLING:
        asked = replace(call, url=hub_of(call.url))
        raise explain(read_refusal(answer, secret=credential.token), asked, credential)
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
        raise _unread(call, "its answer is no JSON") from error


def _entries(payload: Any) -> Iterator[Served]:
    """Every entry that can be read; one that cannot does not hide the others."""
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
    """Whether a stranger's text is names with slashes between them, and so safe within an address."""
    names = text.split("/")
    plain = all(name.isascii() and name.replace("-", "").replace(".", "").replace("_", "").isalnum() for name in names)
    return plain and len(text) <= _LONGEST_NAME


def _shown(text: str) -> str:
    return printable(text, secret=None, longest=_LONGEST_SHOWN)


def _unread(call: Call, why: str) -> ProviderError:
    return ProviderError(
        FailureKind.UNREACHABLE,
        f"who serves {call.model} could not be read from {server_of(hub_of(call.url))}: {why}. Nothing was sent.",
    )
