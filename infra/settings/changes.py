"""The difference between the settings that are deployed and those that would be, and which protection it takes away."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from longplay.domain.settings import USUAL_SERVERS

#: Settings whose loss costs money or service: each member that is no more in them is asked about.
GUARDED = ("owner_caps", "deployment_caps", "limits", "servers", "gpu", "alarm_email", "commercial_only")

_OWN = "sagemaker-"

Chosen = Mapping[str, Any]


def of_functions(settings: Chosen) -> Chosen:
    """The settings that the SETTINGS of a function tell of a stack without the output `Settings` (before 0.2.0).

    The stack added a server for each GPU, and beside them the servers that are set up without any setting.
    """
    servers: Mapping[str, str] = settings.get("servers", {})
    gpu = {name.removeprefix(_OWN): "an instance" for name in servers if name.startswith(_OWN)}
    named = {name: url for name, url in servers.items() if name not in USUAL_SERVERS and not name.startswith(_OWN)}
    others = {name: value for name, value in settings.items() if name != "servers"}
    return {**others, **({"servers": named} if named else {}), **({"gpu": gpu} if gpu else {})}


def changes(deployed: Chosen, wanted: Chosen) -> list[str]:
    """A line for each setting that changes, by its name."""
    names = sorted({*deployed, *wanted})
    return [_line(name, deployed, wanted) for name in names if deployed.get(name) != wanted.get(name)]


def losses(deployed: Chosen, wanted: Chosen) -> list[str]:
    """The guarded settings, and their members, that are deployed and would be gone."""
    return [lost for name in GUARDED if name in deployed for lost in _lost(name, deployed[name], wanted.get(name))]


def _lost(name: str, was: Any, will_be: Any) -> Iterator[str]:
    if not isinstance(was, dict):
        if will_be is None:
            yield name
        return
    members = will_be if isinstance(will_be, dict) else {}
    yield from (f"{name}.{member}" for member in was if members.get(member) is None)


def _line(name: str, deployed: Chosen, wanted: Chosen) -> str:
    was, will_be = (json.dumps(of[name]) if name in of else "the default" for of in (deployed, wanted))
    return f"  {name}: {was} → {will_be}"
