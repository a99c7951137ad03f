"""The choices of a local run: its port, and the settings of a stage."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from infra.settings.file import tables
from infra.settings.settings import stage_from
from local.run.rehearsal import chosen_port, chosen_settings
from local.tools import LocalRunError


def test_without_a_choice_there_is_none() -> None:
    """The port is then any free one."""
    assert chosen_port({}) is None
    assert chosen_settings({"STAGE": ""}, lambda: {"": {"horizon": 60}}) == {}


@pytest.mark.parametrize("text", ["80", "65536", "x", "-1", "8400.0", "８４００"])
def test_a_port_that_cannot_be_used_is_told(text: str) -> None:
    """By its name in the environment."""
    with pytest.raises(LocalRunError, match="PORT="):
        chosen_port({"PORT": text})


def test_a_port_that_is_taken_is_told() -> None:
    """Before anything is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LocalRunError, match="used by another program"):
            chosen_port({"PORT": str(port)})
    assert chosen_port({"PORT": str(port)}) == port


def test_a_rehearsal_has_the_caps_and_times_of_the_stage() -> None:
    """Its servers, their limits and its mailbox are not those of the local run."""
    table = {
        "owner_caps": {"usd": 5, "open_jobs": 2},
        "limits": {"replicate": {"windows": [[600, 60]]}},
        "horizon": 600,
        "alarm_email": "you@example.com",
        "servers": {"inference-providers": "https://router.huggingface.co"},
    }
    servers = {"servers": '{"*": "http://127.0.0.1:8080/{model}"}'}
    stage = stage_from({"stage": "local", **chosen_settings({"STAGE": "prod"}, lambda: {"prod": table}), **servers})
    assert set(stage.chosen) == {"owner_caps", "horizon", "servers"}
    assert "huggingface.co" not in str(stage.chosen)


def test_a_stage_without_a_table_is_told() -> None:
    """A rehearsal of nothing would look like one."""
    with pytest.raises(LocalRunError, match=r"no table \[dev\]"):
        chosen_settings({"STAGE": "dev"}, lambda: {"prod": {}})


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """By the reader of every deployment."""
    file = tmp_path / "longplay.toml"
    file.write_text("[prod")
    with pytest.raises(LocalRunError, match=r"longplay\.toml cannot be read"):
        chosen_settings({"STAGE": "prod"}, lambda: tables(file))
