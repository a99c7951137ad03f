"""The command `longplay` against the deployed stack: files, what is printed where, and every exit status."""

from __future__ import annotations

import json
import os
import pty
import resource
import signal
import subprocess
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from local.ports import free_port
from local.tools import LOCAL
from tests.end_to_end.deployed_stack import DeployedStack

COMMAND = LOCAL / "client/bin/longplay"
SMALL = 20_000  # bytes, less than any track has
Done = subprocess.CompletedProcess[bytes]
Run = Callable[..., Done]

pytestmark = pytest.mark.emulator


@pytest.fixture
def environment(stack: DeployedStack, tmp_path: Path) -> dict[str, str]:
    """The environment of the command: a deployment and a key."""
    folders = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config"), "PATH": os.environ["PATH"]}
    return folders | {"LONGPLAY_URL": stack.deployment.api_url, "LONGPLAY_API_KEY": stack.key}


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """Runs the command in an empty folder until its end."""

    def run_command(*words: str, **options: Any) -> Done:
        changed = options.pop("environment", {})
        return subprocess.run(
            [COMMAND, *words], env=environment | changed, cwd=tmp_path, capture_output=True, timeout=120, **options
        )

    return run_command


def test_a_track_is_saved_and_its_path_is_all_that_is_printed(run: Run, tmp_path: Path) -> None:
    """The cost is said beside the data."""
    done = run("generate", "a waltz", "-m", "musicgen-small", "-p", "duration=3", "--fresh")
    assert (done.returncode, done.stderr) == (0, b"$0.005 was charged.\n")
    [path] = done.stdout.decode().splitlines()
    with wave.open(str(tmp_path / path)) as track:
        assert track.getnframes() / track.getframerate() == pytest.approx(3, abs=0.1)
    assert [path.suffix for path in tmp_path.iterdir()] == [".wav"]


def test_a_pipe_brings_the_prompt_and_takes_the_file(run: Run) -> None:
    """`-` is the standard input and output; nothing else is printed to either."""
    done = run("generate", "-", "-p", "duration=2", "-o", "-", input="a song from a pipe: 🎵\n".encode())
    assert (done.returncode, done.stdout[:4], done.stderr) == (0, b"RIFF", b"")


def test_json_is_a_document_and_nothing_else(run: Run, tmp_path: Path) -> None:
    """So that another program can read it."""
    done = run("generate", "a polka", "-p", "duration=2", "--json")
    assert json.loads(done.stdout)["status"] == "succeeded"
    assert list(tmp_path.iterdir()) == []
    job = json.loads(done.stdout)["id"]
    assert run("download", job, "-o", "songs/").returncode == 0
    assert [path.suffix for path in (tmp_path / "songs").iterdir()] == [".wav"]


def test_a_failed_job_ends_with_1_and_its_message(run: Run, stack: DeployedStack) -> None:
    """And can be tried again."""
    stack.server.fault("invalid")
    done = run("generate", "a song that fails", "--fresh")
    assert done.returncode == 1
    assert b"The model refused the request" in done.stderr
    stack.server.clear()
    [failed] = run("jobs", "--status", "failed", "-n", "1").stdout.decode().splitlines()
    assert run("retry", failed.split("\t")[0], "-o", "again.wav").returncode == 0


@pytest.mark.parametrize(
    ("words", "changes", "status", "says"),
    [
        (["generate"], {}, 2, "Missing argument"),
        (["generate", "x", "-p", "duration"], {}, 2, "NAME=VALUE"),
        (["generate", "x", "-p", "duration=400"], {}, 3, "duration"),
        (["get", "a" * 26], {}, 3, "There is no job with this id"),
        (["models"], {"LONGPLAY_API_KEY": "lp_wrong_1"}, 4, "longplay login"),
        (["models"], {"LONGPLAY_API_KEY": "", "LONGPLAY_URL": ""}, 4, "longplay login"),
    ],
)
def test_each_refusal_has_its_status_and_says_what_to_do(
    run: Run, words: list[str], changes: dict[str, str], status: int, says: str
) -> None:
    """Nothing is printed where the data would be."""
    done = run(*words, environment=changes)
    assert (done.returncode, done.stdout) == (status, b"")
    assert says in done.stderr.decode()


def test_a_server_that_is_gone_ends_with_5(run: Run) -> None:
    """After it was tried for some seconds."""
    done = run("models", environment={"LONGPLAY_URL": f"http://127.0.0.1:{free_port()}"})
    assert done.returncode == 5
    assert b"does not answer" in done.stderr


def test_a_job_that_takes_longer_ends_with_6_and_can_be_fetched(run: Run, stack: DeployedStack, tmp_path: Path) -> None:
    """The message is the command for that."""
    stack.server.fault("slow", seconds=4)
    done = run("generate", "a long song", "--fresh", "--wait", "1")
    assert done.returncode == 6
    words = done.stderr.decode().partition("longplay ")[2].split()
    assert run(*words, "-o", "late.wav").returncode == 0
    assert (tmp_path / "late.wav").exists()


def test_ctrl_c_leaves_the_job_and_says_how_to_fetch_it(
    stack: DeployedStack, environment: dict[str, str], run: Run, tmp_path: Path
) -> None:
    """At a terminal, where progress is shown."""
    stack.server.fault("slow", seconds=4)
    ours, theirs = pty.openpty()
    command = [str(COMMAND), "generate", "a song that is left", "--fresh"]
    terminal = environment | {"TERM": "xterm", "NO_COLOR": "1"}
    process = subprocess.Popen(command, env=terminal, cwd=tmp_path, stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    shown = _read_until(ours, "about ")
    process.send_signal(signal.SIGINT)
    shown += _read_until(ours, "longplay get ")
    assert process.wait(20) == 130
    shown += _read_until(ours, None)
    assert "\x1b[3" not in shown.replace("\x1b[?", "")  # no color
    job = shown.rpartition("longplay get ")[2].split()[0]
    assert run("get", job, "--wait", "60", "-o", "kept.wav").returncode == 0


def test_a_full_disk_is_told_and_the_file_can_be_fetched_again(run: Run, tmp_path: Path) -> None:
    """The part is not taken for the file."""

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, SMALL))

    done = run("generate", "a song for a full disk", "-o", "a.wav", preexec_fn=small_files)
    assert done.returncode == 1
    assert b"File too large" in done.stderr
    assert not (tmp_path / "a.wav").exists()
    job = json.loads(run("jobs", "-n", "1", "--json").stdout)["id"]
    assert run("download", job, "-o", "a.wav").returncode == 0
    assert (tmp_path / "a.wav").stat().st_size > SMALL


def test_a_batch_is_saved_line_by_line_and_again_without_new_jobs(run: Run, tmp_path: Path) -> None:
    """A line that fails costs the others nothing; the second call finds the first batch."""
    lines = [{"prompt": f"song {n}", "duration": 1, "custom_id": f"../{n}"} for n in range(3)]
    (tmp_path / "songs.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    first = run("batch", "songs.jsonl", "-o", "songs")
    assert first.returncode == 0, first.stderr
    assert b"3 of 3 lines succeeded." in first.stderr
    files = sorted((tmp_path / "songs").iterdir())
    assert [path.name for path in files] == ["___0-0001.wav", "___1-0002.wav", "___2-0003.wav"]
    files[1].unlink()
    jobs = len(run("jobs", "-n", "50").stdout.splitlines())
    assert run("batch", "songs.jsonl", "-o", "songs").returncode == 0
    assert sorted((tmp_path / "songs").iterdir()) == files
    assert len(run("jobs", "-n", "50").stdout.splitlines()) == jobs


def test_prompts_are_made_ahead(run: Run, tmp_path: Path) -> None:
    """The same prompt is then answered from what is there."""
    (tmp_path / "popular.txt").write_text("a popular song\n\n")
    assert run("warm", "popular.txt").returncode == 0
    done = run("generate", "a popular song")
    assert b"It cost nothing" in done.stderr


def test_a_key_is_tried_before_it_is_stored(run: Run, stack: DeployedStack) -> None:
    """Then no environment is needed."""
    none = {"LONGPLAY_URL": "", "LONGPLAY_API_KEY": ""}
    url = stack.deployment.api_url
    assert run("login", "--url", url, "--key", "lp_wrong_1", environment=none).returncode == 4
    assert run("login", "--url", url, "--key", stack.key, environment=none).returncode == 0
    assert b"musicgen-small" in run("models", environment=none).stdout
    assert run("usage", "--json", environment=none).stdout.startswith(b'{"today":')


def test_a_webhook_is_printed_where_it_is_listened_for(
    stack: DeployedStack, environment: dict[str, str], tmp_path: Path
) -> None:
    """With the secret of its caller; a request by anyone else is refused."""
    key = stack.deployment.new_key("listener")
    secret = stack.post("/webhooks/secret", key=key).json()["secret"]
    port = free_port()
    command = [str(COMMAND), "webhooks", "listen", "--port", str(port)]
    given = environment | {"LONGPLAY_WEBHOOK_SECRET": secret}
    with subprocess.Popen(command, env=given, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        assert b"Listening" in process.stderr.readline()
        address = f"http://127.0.0.1:{port}/"
        assert requests.post(address, data=b"{}", timeout=10).status_code == 400
        job = stack.post(
            "/generate", {"prompt": "a song that tells", "fresh": True, "webhook": address}, key=key
        ).json()
        event = json.loads(process.stdout.readline())
        assert (event["type"], event["data"]["id"]) == ("job.succeeded", job["id"])
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_a_job_is_canceled_and_deleted(run: Run, stack: DeployedStack) -> None:
    """By its id."""
    stack.server.fault("loading", seconds=60)
    job = run("generate", "a song that is canceled", "--fresh", "--no-wait").stdout.decode().strip()
    assert run("cancel", job).returncode == 0
    assert run("get", job).stdout.split(b"\t")[1] == b"canceled"
    assert run("delete", job).returncode == 0


def _read_until(terminal: int, text: str | None) -> str:
    """All that a terminal shows until this text, or until its end."""
    shown, give_up = "", time.monotonic() + 30
    while time.monotonic() < give_up and not (text and text in shown):
        try:
            shown += os.read(terminal, 1000).decode(errors="replace")
        except OSError:  # the other side is closed
            return shown
    return shown
