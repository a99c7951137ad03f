"""A private Space whose app runs on the real Gradio server, which `make test` installs into `.local/space`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import time_machine

from local.space.app import PYTHON, App, space_app
from local.stand_ins.space.front_door import FrontDoor

TOKEN = "hf_OfTheSpace0123456789"


@dataclass(kw_only=True)
class RunningSpace:
    """The Space: `front` is what its callers reach, `app` the app behind it."""

    home: Path
    started: ExitStack
    front: FrontDoor = field(init=False)
    app: App = field(init=False)

    def __post_init__(self) -> None:
        self.app = self._start()
        self.front = self.started.enter_context(FrontDoor(self.app.url, token=TOKEN))

    def restart(self) -> None:
        """Start the app again, at another address behind the same front."""
        self.app.kill()
        self.app = self._start("--restarted")
        self.front.app = self.app.url

    def _start(self, *options: str) -> App:
        made = space_app(self.home, module="tests.spaces.failing_app", options=("--quick", *options))
        return self.started.enter_context(made)


@pytest.fixture(scope="session")
def running_space() -> Iterator[RunningSpace]:
    """One Space for all tests here."""
    if not PYTHON.exists():
        pytest.skip("gradio is not installed: `make test` installs it")
    with tempfile.TemporaryDirectory() as home, ExitStack() as started:
        yield RunningSpace(home=Path(home), started=started)


@pytest.fixture
def space(running_space: RunningSpace) -> RunningSpace:
    """The Space, with no faults set and no requests remembered."""
    running_space.front.clear()
    return running_space


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    """A clock that a test moves, and that moves while a function sleeps; it starts at the present time."""
    with time_machine.travel(time.time(), tick=False) as coordinates:
        monkeypatch.setattr(time, "sleep", coordinates.shift)
        yield coordinates
