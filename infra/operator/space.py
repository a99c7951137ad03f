"""The operator's own Space: puts spaces/longplay into the account at Hugging Face, and removes it again.

python -m infra.operator.space create | remove
It asks for a token with write access to the account's repositories, or takes it from HF_TOKEN, and does not store it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from getpass import getpass
from pathlib import Path

from huggingface_hub import HfApi, SpaceHardware
from huggingface_hub.errors import HfHubHTTPError

FOLDER = Path(__file__).parents[2] / "spaces/longplay"
NAME = "longplay"

#: Stages of a Space in the words of huggingface_hub 2.4.0 (`SpaceStage`); the others pass by themselves.
RUNNING, BROKEN = "RUNNING", ("NO_APP_FILE", "CONFIG_ERROR", "BUILD_ERROR", "RUNTIME_ERROR", "PAUSED", "DELETING")

LONGEST_BUILD, LOOK_AGAIN = 30 * 60, 10  # seconds

_NEXT = """{repo} runs at {host}. It is private, and its GPU time is free within the account's daily quota.
1. Put "space": "{host}" into the setting servers and deploy:
   make deploy ARGS="-c servers='{{\\"space\\": \\"{host}\\"}}'"
2. Store a fine-grained token that may only read this Space: make token PROVIDER=space
3. make doctor"""


class SpaceError(Exception):
    """The Space does not run; the message says why, and where to look."""


def create(api: HfApi, *, sleep: Callable[[float], None] = time.sleep) -> str:
    """Creates or updates the Space, waits until it runs, and returns what to do next. Raises SpaceError."""
    repo = repo_of(api)
    api.create_repo(repo, repo_type="space", space_sdk="gradio", private=True, exist_ok=True)
    api.upload_folder(repo_id=repo, repo_type="space", folder_path=FOLDER, ignore_patterns=["__pycache__/*", ".*"])
    api.request_space_hardware(repo, SpaceHardware.ZERO_A10G)
    _wait(api, repo, sleep)
    return _NEXT.format(repo=repo, host=api.space_info(repo).host)


def remove(api: HfApi) -> str:
    """Deletes the Space, if there is one, and says so."""
    repo = repo_of(api)
    api.delete_repo(repo, repo_type="space", missing_ok=True)
    return f"{repo} is deleted. Take `space` out of the setting servers, and deploy."


def repo_of(api: HfApi) -> str:
    """The id of the Space in the account of the token."""
    return f"{api.whoami()['name']}/{NAME}"


def _wait(api: HfApi, repo: str, sleep: Callable[[float], None]) -> None:
    for _ in range(LONGEST_BUILD // LOOK_AGAIN):
        stage = str(api.get_space_runtime(repo).stage)
        if stage == RUNNING:
            return
        if stage in BROKEN:
            raise SpaceError(
                f"the Space {repo} is in the stage {stage}: see its log at https://huggingface.co/spaces/{repo}"
            )
        sleep(LOOK_AGAIN)
    raise SpaceError(f"the Space {repo} does not run yet: see its log at https://huggingface.co/spaces/{repo}")


def main() -> None:
    """Runs one command and prints its result; exits with a message if it fails."""
    parser = argparse.ArgumentParser(prog="python -m infra.operator.space", description=__doc__)
    parser.add_argument("command", choices=("create", "remove"))
    command = {"create": create, "remove": remove}[parser.parse_args().command]
    token = os.environ.get("HF_TOKEN") or getpass("A token of Hugging Face with write access: ")
    try:
        print(command(HfApi(token=token)))
    except (SpaceError, HfHubHTTPError) as error:
        sys.exit(f"longplay: {error}")


if __name__ == "__main__":
    main()
