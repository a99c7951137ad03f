"""The operator's commands, against an AWS emulator: they reach it as any SDK does, by the environment alone."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from longplay.domain.errors import Paused
from longplay.storage.switch import SECONDS_KEPT, Switch
from longplay.storage.table import Table

from infra.operate import main
from local.emulator.emulator import REGION, Emulator

#: As much of the stack as the commands touch.
STACK = {
    "Resources": {
        "Plan": {"Type": "AWS::ApiGateway::UsagePlan", "Properties": {"UsagePlanName": "Longplay"}},
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "{}"}},
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "BillingMode": "PAY_PER_REQUEST",
            },
        },
    },
    "Outputs": {
        "UsagePlanId": {"Value": {"Ref": "Plan"}},
        "SecretName": {"Value": {"Ref": "Secret"}},
        "TableName": {"Value": {"Ref": "Table"}},
    },
}


@pytest.fixture
def outputs(aws: Emulator) -> Iterator[dict[str, str]]:
    """The outputs of a stack that stands for the length of a test."""
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="Longplay", TemplateBody=json.dumps(STACK))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="Longplay", WaiterConfig={"Delay": 0.1})
    [stack] = cloudformation.describe_stacks(StackName="Longplay")["Stacks"]
    yield {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    cloudformation.delete_stack(StackName="Longplay")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="Longplay", WaiterConfig={"Delay": 0.1})


def test_a_key_names_its_owner_and_belongs_to_the_usage_plan(
    aws: Emulator, outputs: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["key", "alice"])
    key = capsys.readouterr().out.strip()
    assert key.startswith("lp_alice_")
    assert len(key) > 40
    api_gateway = aws.client("apigateway")
    [joined] = api_gateway.get_usage_plan_keys(usagePlanId=outputs["UsagePlanId"])["items"]
    assert api_gateway.get_api_key(apiKey=joined["id"], includeValue=True)["value"] == key


def test_an_owner_may_have_several_keys(outputs: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    main(["key", "alice"])
    main(["key", "alice"])
    assert len(set(capsys.readouterr().out.split())) == 2


@pytest.mark.parametrize("owner", ["Alice", "al_ice", "", "a" * 33, "alice\n"])
def test_an_owner_that_a_key_cannot_carry_is_refused(outputs: dict[str, str], owner: str) -> None:
    with pytest.raises(SystemExit, match="cannot be an owner"):
        main(["key", owner])


def test_a_token_is_stored_beside_the_others(
    aws: Emulator, outputs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for provider, token in [("huggingface", "hf_1"), ("replicate", "r8_1"), ("huggingface", "hf_2")]:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\n"))
        main(["token", provider])
    assert _stored(aws, outputs) == {"huggingface": "hf_2", "replicate": "r8_1"}


def test_an_empty_token_changes_nothing(
    aws: Emulator, outputs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(SystemExit, match="no token was given"):
        main(["token", "huggingface"])
    assert _stored(aws, outputs) == {}


def test_a_token_is_never_shown(
    outputs: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("hf_1\n"))
    main(["token", "huggingface"])
    assert "hf_1" not in "".join(capsys.readouterr())


def test_the_functions_take_no_new_job_for_as_long_as_it_is_paused(aws: Emulator, outputs: dict[str, str]) -> None:
    main(["pause", "5"])
    with pytest.raises(Paused) as paused:
        _switch(aws, outputs).check()
    assert paused.value.retry_after == pytest.approx(5 * 60, abs=5)


def test_after_a_pause_the_functions_take_new_jobs_again(aws: Emulator, outputs: dict[str, str]) -> None:
    main(["pause"])
    main(["resume"])
    _switch(aws, outputs).check()


def test_to_resume_what_was_not_paused_does_no_harm(aws: Emulator, outputs: dict[str, str]) -> None:
    main(["resume"])
    _switch(aws, outputs).check()


def test_a_pause_says_what_it_does_and_how_soon(outputs: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    main(["pause"])
    assert capsys.readouterr().out.startswith(f"Within {SECONDS_KEPT:.0f} s no new job is taken, for 60 minutes")


@pytest.mark.parametrize("minutes", ["0", "-1", "1.5", "an hour", "10081"])
def test_a_pause_of_no_length_we_know_is_refused(
    outputs: dict[str, str], capsys: pytest.CaptureFixture[str], minutes: str
) -> None:
    with pytest.raises(SystemExit):
        main(["pause", "--", minutes])
    assert "whole minutes from 1 to 10080" in capsys.readouterr().err


def test_the_outputs_are_shown_as_json(outputs: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    main(["outputs"])
    assert json.loads(capsys.readouterr().out) == outputs


def test_a_stack_that_is_not_there_is_named(aws: Emulator) -> None:
    with pytest.raises(SystemExit, match=f"there is no stack Longplay-local in {REGION}"):
        main(["--stage", "local", "outputs"])


def _switch(aws: Emulator, outputs: dict[str, str]) -> Switch:
    return Switch(Table(aws.client("dynamodb"), outputs["TableName"]))


def _stored(aws: Emulator, outputs: dict[str, str]) -> Any:
    return json.loads(aws.client("secretsmanager").get_secret_value(SecretId=outputs["SecretName"])["SecretString"])
