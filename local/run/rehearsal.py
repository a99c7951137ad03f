"""The choices of a rehearsal: a fixed port, and the settings that a stage has in longplay.toml."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from typing import Any

from infra.settings.settings import SettingsError
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


def chosen_settings(environ: Mapping[str, str], read: Callable[[], Mapping[str, Mapping[str, Any]]]) -> dict[str, str]:
    """The settings of the stage that STAGE names, as context of a deployment; none without it.

    `read` gives the tables of longplay.toml. Raises LocalRunError if it cannot be read or has no such table.
    """
    stage = environ.get("STAGE", "").strip()
    if not stage:
        return {}
    try:
        table = read()[stage]
    except SettingsError as error:
        raise LocalRunError(str(error)) from error
    except KeyError as error:
        raise LocalRunError(f"STAGE={stage}: longplay.toml has no table [{stage}]") from error
    given = {name: value for name, value in table.items() if name not in NOT_HERE}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
