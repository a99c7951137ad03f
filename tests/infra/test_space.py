"""The commands for the operator's own Space, with Hugging Face's own client against a Hub on this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi
from longplay.domain.models_file import load_catalogue
from longplay.providers import PROVIDERS

from infra.operator.space import FOLDER, SpaceError, create, remove
from local.stand_ins.framework.answers import Answer, says
from local.stand_ins.framework.listener import Handler
from local.stand_ins.framework.memory import Exchange
from local.stand_ins.framework.server import StandIn

REPO = "/api/spaces/ada/longplay"


class Hub(StandIn):
    """The Hub's calls about one Space; `stages` are its stages at the next looks, the last one stays."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = ["BUILDING", "RUNNING"]
        self.sent: dict[str, Any] = {}

    def answer(self, request: Handler, body: bytes, exchange: Exchange) -> Answer:  # noqa: ARG002
        """The answer by path; what was sent is kept by path."""
        path = request.path.partition("?")[0]
        self.sent[f"{request.command} {path}"] = body.decode()
        match path.removeprefix(REPO):
            case "/api/whoami-v2":
                return says(200, {"type": "user", "name": "ada"})
            case "/preupload/main":
                files = [{"path": file["path"], "uploadMode": "regular"} for file in json.loads(body)["files"]]
                return says(200, {"files": [{**file, "shouldIgnore": False} for file in files]})
            case "/commit/main":
                return says(200, {"commitUrl": f"{self.url}/spaces/ada/longplay/commit/1", "commitOid": "1" * 40})
            case "/runtime":
                return self._runtime()
            case "/hardware":
                return says(200, {"stage": "BUILDING", "hardware": {"current": None, "requested": "zero-a10g"}})
            case "":
                return says(200, {"id": "ada/longplay", "host": "https://ada-longplay.hf.space", "subdomain": "x"})
        return says(200, {"url": f"{self.url}/spaces/ada/longplay", "name": "ada/longplay"})

    def _runtime(self) -> Answer:
        stage = self.stages.pop(0) if len(self.stages) > 1 else self.stages[0]
        return says(200, {"stage": stage, "hardware": {"current": "zero-a10g", "requested": "zero-a10g"}})


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A Hub on which the account `ada` has no Space yet."""
    with Hub() as server:
        yield server


@pytest.fixture
def api(hub: Hub) -> HfApi:
    """The vendor's client."""
    return HfApi(endpoint=hub.url, token="hf_write0123456789")


def test_the_space_is_created_private_and_on_zerogpu(hub: Hub, api: HfApi) -> None:
    """The result names the line for the settings, after the Space runs."""
    waits: list[float] = []
    said = create(api, sleep=waits.append)
    asked = json.loads(hub.sent["POST /api/repos/create"])
    assert (asked["name"], asked["type"], asked["sdk"]) == ("longplay", "space", "gradio")
    assert asked.get("private") is True or asked.get("visibility") == "private"
    assert json.loads(hub.sent[f"POST {REPO}/hardware"])["flavor"] == "zero-a10g"
    assert waits == [10]
    assert '"space": "https://ada-longplay.hf.space"' in said


def test_the_whole_app_is_uploaded(hub: Hub, api: HfApi) -> None:
    """All files of spaces/longplay, and nothing that Python left there."""
    create(api, sleep=lambda _: None)
    uploaded = set(re.findall(r'"path": ?"([^"]+)"', hub.sent[f"POST {REPO}/commit/main"]))
    assert uploaded == {file.name for file in FOLDER.iterdir() if file.is_file()}


def test_a_build_that_fails_ends_the_command_with_the_reason(hub: Hub, api: HfApi) -> None:
    """The operator sees where the log is."""
    hub.stages = ["BUILDING", "BUILD_ERROR"]
    with pytest.raises(SpaceError, match=r"BUILD_ERROR.*huggingface.co/spaces/ada/longplay"):
        create(api, sleep=lambda _: None)


def test_a_build_without_end_ends_the_command(hub: Hub, api: HfApi) -> None:
    """It is given half an hour."""
    hub.stages = ["BUILDING"]
    with pytest.raises(SpaceError, match="does not run yet"):
        create(api, sleep=lambda _: None)


def test_the_space_is_removed(hub: Hub, api: HfApi) -> None:
    """The repository is deleted with all that is in it."""
    assert "ada/longplay is deleted" in remove(api)
    assert json.loads(hub.sent["DELETE /api/repos/delete"])["name"] == "longplay"


def test_the_app_serves_every_model_with_a_route_to_a_space() -> None:
    """The ids in the routes' templates are those that the app knows."""
    routes = [route for model in load_catalogue(PROVIDERS).models.values() for route in model.routes]
    named = {route.inputs["model"] for route in routes if route.provider == "space" and isinstance(route.inputs, dict)}
    served = set(re.findall(r'^    "([\w.-]+/[\w.-]+)": \(', (FOLDER / "asked.py").read_text(), re.MULTILINE))
    assert named == served


def test_the_space_is_a_gradio_app_of_the_version_that_was_tried() -> None:
    """The head of README.md is the configuration of a Space."""
    head = Path(FOLDER / "README.md").read_text().split("---")[1]
    assert re.search(r"^sdk: gradio\nsdk_version: 6\.31\.0$", head, re.MULTILINE)
