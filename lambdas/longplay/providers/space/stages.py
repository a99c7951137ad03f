"""The stage of a Space, such as running or paused, as the Hub knows it; asking does not wake a Space.

`GET https://huggingface.co/api/spaces/by-subdomain/{subdomain}` is the request of Gradio's own client
(`check_space_status`, client/js); the stages are those of huggingface_hub 2.4.0 (`SpaceStage`), read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping

from longplay.providers.http_client import server_of

DOMAIN = ".hf.space"
RUNNING = ("RUNNING", "RUNNING_BUILDING", "RUNNING_APP_STARTING")
WAKING = ("SLEEPING", "STOPPED", "BUILDING", "APP_STARTING")
BROKEN: Mapping[str, str] = {
    "PAUSED": "is paused. Restart it on its page at https://huggingface.co/spaces",
    "NO_APP_FILE": "has no app.py. Put one into it",
    "CONFIG_ERROR": "has a mistake in the configuration in its README.md. Correct it",
    "BUILD_ERROR": "could not be built. See its log at https://huggingface.co/spaces",
    "RUNTIME_ERROR": "failed. See its log at https://huggingface.co/spaces, and restart it",
    "DELETING": "is being deleted",
}
"""Stages that a person has to end: what is wrong and what to do."""


def stage_path(url: str) -> str | None:
    """The path at the Hub that shows the stage of a Space; None for an app that is not a Space."""
    host = server_of(url).partition(":")[0].lower()
    if url.startswith("http:"):  # a stand-in on this machine plays the Space and the Hub
        return "/api/spaces/by-subdomain/stand-in"
    return f"/api/spaces/by-subdomain/{host.removesuffix(DOMAIN)}" if host.endswith(DOMAIN) else None
