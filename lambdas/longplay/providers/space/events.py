"""Reads the stream of events with which a Gradio app reports the end of a call.

From gradio 6.31 (`simple_predict_get` in `routes.py`), and tried with it: `heartbeat` every 15 s, `generating` with
results that are not final, then `complete` with the endpoint's outputs, or `error`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from longplay.providers.decoding import decode

UNKNOWN_CALL = "404: Not Found"  # what the app says of a call that it does not know, or no longer
MOST_LEVELS = 6  # of lists and objects around a file

_ENDS = ("complete", "error")


@dataclass(frozen=True, kw_only=True)
class End:
    """The end of a call: `outputs` of the endpoint, or what the app `said` about its failure."""

    outputs: Any = None
    failed: bool = False
    said: str = ""


class _Complaint(msgspec.Struct):
    """An app's error: `error` is the text of its exception, None if the app hides it."""

    error: str | None = None
    title: str | None = None


def read_end(stream: bytes) -> End | None:
    """The last event that ends the call, None if the stream has none; an event that was cut off is ignored."""
    ended = [(name, data) for name, data in _events(stream) if name in _ENDS]
    if not ended:
        return None
    name, data = ended[-1]
    return End(outputs=decode(data, object)) if name == "complete" else End(failed=True, said=_said(data))


def path_in(outputs: Any, levels: int = MOST_LEVELS) -> str | None:
    """The path of the first file among an endpoint's outputs: Gradio's FileData, also in a list or an object."""
    if isinstance(outputs, dict) and isinstance(outputs.get("path"), str):
        return str(outputs["path"])
    parts = outputs.values() if isinstance(outputs, dict) else outputs if isinstance(outputs, list) else ()
    found = (path_in(part, levels - 1) for part in parts) if levels else iter(())
    return next((path for path in found if path), None)


def _events(stream: bytes) -> Iterator[tuple[str, bytes]]:
    *whole, _ = stream.replace(b"\r\n", b"\n").split(b"\n\n")
    for event in whole:
        fields = dict(line.partition(b": ")[::2] for line in event.split(b"\n"))
        yield fields.get(b"event", b"").decode("utf-8", "replace"), fields.get(b"data", b"")


def _said(data: bytes) -> str:
    if text := decode(data, str):
        return text
    complaint = decode(data, _Complaint) or _Complaint()
    return ": ".join(part for part in (complaint.title, complaint.error) if part and part != "Error")
