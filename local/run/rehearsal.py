"""The choices of a rehearsal: a fixed port, and the settings that a stage has in longplay.toml."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

from local.tools import LocalRunError

#: The local run has one model server, so limits of others mean nothing there; it has no mailbox and no GPU.
NOT_HERE = {"servers", "limits", "alarm_email", "gpu", "gpu_image"}


def chosen_port(environ: Mapping[str, str]) -> int | None:
    """The port that PORT names, None without it; raises LocalRunError for one that cannot be used."""
    text = environ.get("PORT", "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or not 1024 <= int(text) <= 65535:
        raise LocalRunError(f"PORT={text} cannot be used: choose a number from 1024 to 65535")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError as error:
            raise LocalRunError(f"PORT={text} is used by another program: choose another one") from error
    return int(text)


def settings_of(stage: str, tables: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The settings of a stage in longplay.toml, as context of a deployment; raises LocalRunError without its table."""
    if not stage:
        return {}
    if stage not in tables:
        raise LocalRunError(f"STAGE={stage}: longplay.toml has no table [{stage}]")
    given = {name: value for name, value in tables[stage].items() if name not in NOT_HERE}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
