"""The settings file: one table a stage, read by every deployment, which asks before a protection goes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from longplay.domain.settings import USUAL_SERVERS

from infra import operate
from infra.settings import file
from infra.settings.changes import changes, losses, of_functions
from infra.settings.file import stages, tables
from infra.settings.settings import SettingsError, stage_from
from local.emulator.emulator import Emulator

ROOT = Path(__file__).parents[2]
DEPLOYED = {"owner_caps": {"usd": 5.0, "jobs": 500}, "servers": {"fal": "https://queue.fal.run"}, "retention": 86_400}


@pytest.fixture
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file in the place of the operator's."""
    found = tmp_path / "longplay.toml"
    monkeypatch.setattr(operate, "tables", lambda: tables(found))
    monkeypatch.setattr(operate, "stages", lambda: stages(found))
    return found


def test_the_example_is_a_settings_file() -> None:
    """Both of its stages can be deployed as they are, side by side."""
    given = tables(ROOT / "longplay.example.toml")
    prod, dev = (stage_from({"stage": name}, given) for name in ("prod", "dev"))
    assert (prod.stack_name, dev.stack_name) == ("Longplay", "Longplay-dev")
    assert (prod.owner_caps.jobs, prod.alarm_email, dev.deployment_caps.usd) == (500, "you@example.com", 2)
    assert not dev.emulated


def test_without_a_file_there_are_our_own_stages(tmp_path: Path) -> None:
    """And no settings."""
    missing = tmp_path / "none.toml"
    assert (tables(missing), list(stages(missing))) == ({}, ["prod", "local", "test"])


def test_a_setting_of_the_command_takes_precedence() -> None:
    """As a whole: a member that it leaves out is not kept."""
    given = {"prod": {"owner_caps": {"usd": 5, "jobs": 9}, "horizon": 60}}
    stage = stage_from({"owner_caps": '{"usd": 7}'}, given)
    assert (stage.owner_caps.usd, stage.owner_caps.jobs, stage.horizon) == (7, None, 60)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[prod\n", "cannot be read"),
        ("horizon = 60\n", "horizon stands outside a table"),
        ("[Prod]\n", "cannot be a stage"),
        ("[prod]\nhorizn = 60\n", "unknown setting 'horizn'"),
        ("[prod]\nhorizon = 'soon'\n", "horizon='soon'"),
        ("[prod]\nowner_caps = { usd = -1 }\n", "owner_caps"),
        ("[prod]\nemulated = true\n", "unknown setting 'emulated'"),
        ("[prod]\nservers = { fall = 'https://queue.fal.run' }\n", "servers names 'fall'"),
    ],
)
def test_a_mistake_in_the_file_is_refused_by_name(tmp_path: Path, text: str, complaint: str) -> None:
    """Before anything is deployed."""
    mistaken = tmp_path / "longplay.toml"
    mistaken.write_text(text)
    with pytest.raises(SettingsError, match=complaint):
        stage_from({}, tables(mistaken))


def test_an_unknown_stage_is_refused_with_those_there_are() -> None:
    """A stage needs a table."""
    with pytest.raises(SettingsError, match=r"unknown stage 'dev': .*a table in longplay.toml"):
        stage_from({"stage": "dev"}, {"prod": {}})


@pytest.mark.parametrize(
    ("wanted", "lost"),
    [
        (DEPLOYED, []),
        ({**DEPLOYED, "owner_caps": {"usd": 9.0, "jobs": 500}}, []),
        ({**DEPLOYED, "owner_caps": {"usd": 5.0, "jobs": None}}, ["owner_caps.jobs"]),
        ({**DEPLOYED, "servers": {"replicate": "https://api.replicate.com"}}, ["servers.fal"]),
        ({}, ["owner_caps.usd", "owner_caps.jobs", "servers.fal"]),
    ],
)
def test_what_a_deployment_takes_away_is_named(wanted: dict[str, Any], lost: list[str]) -> None:
    """A cap, server, limit, GPU or address that is deployed and would be gone; not one that only changes."""
    assert losses(DEPLOYED, wanted) == lost
    assert (changes(DEPLOYED, wanted) == []) is (wanted == DEPLOYED)


@pytest.mark.parametrize(
    ("wanted", "lost"),
    [
        ({}, ["owner_caps.usd", "servers.fal", "gpu.musicgen-small"]),
        ({"owner_caps": {"usd": 1}, "servers": {"fal": "x"}, "gpu": {"musicgen-small": "ml.g5.xlarge"}}, []),
        ({"owner_caps": {"usd": 1}, "servers": {"fal": "x"}}, ["gpu.musicgen-small"]),
    ],
)
def test_a_stack_of_before_tells_its_settings_by_a_function(wanted: dict[str, Any], lost: list[str]) -> None:
    """The first deployment by the file must not take away what was set by hand."""
    own = {"sagemaker-musicgen-small": "https://runtime.example", "fal": "https://queue.fal.run", **USUAL_SERVERS}
    assert losses(of_functions({"owner_caps": {"usd": 5}, "servers": own, "horizon": 60}), wanted) == lost


def test_the_stack_tells_its_settings(templates: dict[str, Any], context: dict[str, Any]) -> None:
    """Those that are not the defaults, for the next deployment to compare."""
    assert json.loads(templates["prod"]["Outputs"]["Settings"]["Value"]) == {}
    assert stage_from({"horizon": "60", "requests_per_second": "8"}).chosen == {"horizon": 60, "requests_per_second": 8}


@pytest.fixture
def deployed(aws: Emulator) -> Iterator[None]:
    """A stack with these settings."""
    cloudformation = aws.client("cloudformation")
    topic = {"Type": "AWS::SNS::Topic"}
    template = {"Resources": {"Topic": topic}, "Outputs": {"Settings": {"Value": json.dumps(DEPLOYED)}}}
    cloudformation.create_stack(StackName="Longplay", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="Longplay", WaiterConfig={"Delay": 0.1})
    yield
    cloudformation.delete_stack(StackName="Longplay")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="Longplay", WaiterConfig={"Delay": 0.1})


def test_a_plain_deployment_does_not_take_caps_and_servers_away(
    deployed: None, settings_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names them, asks, and stops without a yes."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    with pytest.raises(SystemExit, match=r"nothing is deployed\. Put what you want to keep into longplay\.toml"):
        operate.main(["review"])
    said = capsys.readouterr().out
    assert "This takes away: owner_caps.usd, owner_caps.jobs, servers.fal." in said
    assert "retention: 86400 → the default" in said


@pytest.mark.parametrize("answer", ["typed", "variable"])
def test_an_operator_can_take_them_away(
    deployed: None,
    settings_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
) -> None:
    """By typing the stage's name, or by YES=1 in a pipeline."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("prod\n" if answer == "typed" else ""))
    if answer == "variable":
        monkeypatch.setenv("YES", "1")
    operate.main(["review"])
    assert capsys.readouterr().out.endswith("It is taken away.\n")


def test_a_deployment_by_the_file_takes_nothing_away(
    deployed: None, settings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its settings stay, CDK has its own arguments beside them, and each change is shown."""
    settings_file.write_text(
        "[prod]\nretention = 3600\nowner_caps = { usd = 5, jobs = 500 }\nservers = { fal = 'https://queue.fal.run' }\n"
    )
    operate.main(["review", "--force", "-c", "horizon=60"])
    assert capsys.readouterr().out.splitlines()[1:] == ["  horizon: the default → 60.0", "  retention: 86400 → 3600"]


def test_a_first_deployment_is_not_asked_about(
    aws: Emulator, settings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is nothing to lose."""
    operate.main(["review"])
    assert "Longplay is not there yet" in capsys.readouterr().out


def test_a_command_for_an_unknown_stage_names_those_there_are(aws: Emulator, settings_file: Path) -> None:
    """Those of the file among them."""
    settings_file.write_text("[dev]\n")
    with pytest.raises(SystemExit, match="there is no stage staging: there are prod, local, test, dev"):
        operate.main(["--stage", "staging", "outputs"])
    with pytest.raises(SystemExit, match="there is no stack Longplay-dev"):
        operate.main(["--stage", "dev", "outputs"])


@pytest.mark.parametrize("stage", ["local", "test"])
def test_a_stage_of_the_emulator_is_not_deployed_to_an_account(stage: str) -> None:
    """It has the packages of this machine, and no protection of its data."""
    env = {name: value for name, value in os.environ.items() if name != "AWS_ENDPOINT_URL"}
    env |= {"CDK_CONTEXT_JSON": json.dumps({"stage": stage}), "PYTHONPATH": f"{ROOT / 'lambdas'}:{ROOT}"}
    ended = subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert (ended.returncode, "is for the emulator" in ended.stderr) == (1, True), ended.stderr


def test_the_file_is_not_in_the_repository() -> None:
    """It is the operator's own, and may name addresses."""
    assert file.FILE == ROOT / "longplay.toml"
    assert "longplay.toml" in (ROOT / ".gitignore").read_text().splitlines()
