"""Calls to a provider, as a route makes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from longplay.providers.protocol import Call


def make_call(folder: Path, **fields: Any) -> Call:
    """A call with these fields; the prompt is "slow jazz" and the timeout 5 s unless they say otherwise."""
    defaults: dict[str, Any] = {"style": "toolkit", "prompt": "slow jazz", "parameters": {}, "image": None}
    return Call(**{**defaults, "timeout": 5.0, "folder": folder, **fields})
