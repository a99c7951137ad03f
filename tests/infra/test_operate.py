"""The operator's commands, on an AWS emulator that they find by environment variables, as any SDK does."""

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

#: The part of the stack that the commands use.
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
    """The outputs of a stack that exists for the duration of a test."""
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
    """The printed key is the one that API Gateway accepts."""
    main(["key", "alice"])
    key = capsys.readouterr().out.strip()
    assert key.startswith("lp_alice_")
    assert len(key) > 40
    api_gateway = aws.client("apigateway")
    [joined] = api_gateway.get_usage_plan_keys(usagePlanId=outputs["UsagePlanId"])["items"]
    assert api_gateway.get_api_key(apiKey=joined["id"], includeValue=True)["value"] == key


def test_keys_are_listed_without_their_values_and_revoked_one_by_one(
    aws: Emulator, outputs: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """By the id in the list, or by the key itself, as it was found somewhere. Keys of other plans are left alone."""
    other = aws.client("apigateway").create_api_key(name="longplay-other", enabled=True)
    main(["key", "carol"])
    main(["key", "carol"])
    one, two = capsys.readouterr().out.split()
    main(["keys"])
    table = capsys.readouterr().out
    assert one not in table
    assert other["id"] not in table
    rows = [line.split() for line in table.splitlines() if "carol" in line]
    assert {row[-1] for row in rows} == {f"…{one[-4:]}", f"…{two[-4:]}"}
    main(["key-revoke", next(row[0] for row in rows if row[-1] == f"…{one[-4:]}")])
    main(["key-revoke", two])
    assert "within five minutes" in capsys.readouterr().out
    main(["keys"])
    assert "carol" not in capsys.readouterr().out


@pytest.mark.parametrize("which", ["nothing", "lp_carol_0"])
def test_an_unknown_key_is_not_revoked(outputs: dict[str, str], which: str) -> None:
    """The message says how to list them."""
    with pytest.raises(SystemExit, match="make keys"):
        main(["key-revoke", which])


def test_an_owner_may_have_several_keys(outputs: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each new key is different."""
    main(["key", "alice"])
    main(["key", "alice"])
    assert len(set(capsys.readouterr().out.split())) == 2


@pytest.mark.parametrize("owner", ["Alice", "al_ice", "", "a" * 33, "alice\n"])
def test_an_invalid_owner_name_is_refused(outputs: dict[str, str], owner: str) -> None:
    """Only 1 to 32 of a-z, 0-9 and - are allowed."""
    with pytest.raises(SystemExit, match="cannot be an owner"):
        main(["key", owner])


def test_a_token_is_stored_beside_the_others(
    aws: Emulator, outputs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second token of one provider replaces the first."""
    for provider, token in [("huggingface", "hf_1"), ("replicate", "r8_1"), ("huggingface", "hf_2")]:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\n"))
        main(["token", provider])
    assert _stored(aws, outputs) == {"huggingface": "hf_2", "replicate": "r8_1"}


def test_an_empty_token_changes_nothing(
    aws: Emulator, outputs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command fails and the secret stays as it was."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(SystemExit, match="no token was given"):
        main(["token", "huggingface"])
    assert _stored(aws, outputs) == {}


def test_a_token_is_never_shown(
    outputs: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It appears neither in the output nor among the errors."""
    monkeypatch.setattr("sys.stdin", io.StringIO("hf_1\n"))
    main(["token", "huggingface"])
    assert "hf_1" not in "".join(capsys.readouterr())


def test_the_functions_accept_no_new_job_during_a_pause(aws: Emulator, outputs: dict[str, str]) -> None:
    """The refusal says how many seconds remain."""
    main(["pause", "5"])
    with pytest.raises(Paused) as paused:
        _switch(aws, outputs).check()
    assert paused.value.retry_after == pytest.approx(5 * 60, abs=5)


def test_the_functions_accept_new_jobs_after_resume(aws: Emulator, outputs: dict[str, str]) -> None:
    """A pause can be ended early."""
    main(["pause"])
    main(["resume"])
    _switch(aws, outputs).check()


def test_resume_without_a_pause_changes_nothing(aws: Emulator, outputs: dict[str, str]) -> None:
    """The command succeeds."""
    main(["resume"])
    _switch(aws, outputs).check()


def test_pause_says_what_it_does_and_when(outputs: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """It names the seconds for which a function remembers the switch."""
    main(["pause"])
    assert capsys.readouterr().out.startswith(f"Within {SECONDS_KEPT:.0f} s no new job is accepted, for 60 minutes")


@pytest.mark.parametrize("minutes", ["0", "-1", "1.5", "an hour", "10081"])
def test_an_invalid_length_of_a_pause_is_refused(
    outputs: dict[str, str], capsys: pytest.CaptureFixture[str], minutes: str
) -> None:
    """Only whole minutes up to a week are allowed."""
    with pytest.raises(SystemExit):
        main(["pause", "--", minutes])
    assert "whole minutes from 1 to 10080" in capsys.readouterr().err


def test_the_outputs_are_shown_as_json(outputs: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints all of them."""
    main(["outputs"])
    assert json.loads(capsys.readouterr().out) == outputs


def test_a_missing_stack_is_named_with_its_region(aws: Emulator) -> None:
    """The operator may have set another region."""
    with pytest.raises(SystemExit, match=f"there is no stack Longplay-local in {REGION}"):
        main(["--stage", "local", "outputs"])


def _switch(aws: Emulator, outputs: dict[str, str]) -> Switch:
    return Switch(Table(aws.client("dynamodb"), outputs["TableName"]))


def _stored(aws: Emulator, outputs: dict[str, str]) -> Any:
    return json.loads(aws.client("secretsmanager").get_secret_value(SecretId=outputs["SecretName"])["SecretString"])


def test_the_usage_of_all_owners_is_a_table(
    aws: Emulator, outputs: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for each day, owner and model, from all items in which it is counted, and nothing of jobs."""
    dynamodb, counts = (
        aws.client("dynamodb"),
        ("jobs", "succeeded", "failed", "canceled", "cached", "charged", "unknown"),
    )
    for key, owner, at in (("a#0", "alice", 0), ("a#1", "alice", 0), ("b#0", "bob", 86_400)):
        numbers = {name: {"N": str(place)} for place, name in enumerate(counts, start=1)}
        item = {"pk": {"S": f"usage#{key}"}, "owner": {"S": f"usage#{owner}"}, "created_at": {"N": str(at)}}
        dynamodb.put_item(TableName=outputs["TableName"], Item={**item, **numbers, "model": {"S": "sdxl"}})
    dynamodb.put_item(TableName=outputs["TableName"], Item={"pk": {"S": "job#1"}, "owner": {"S": "alice"}})
    main(["usage"])
    assert capsys.readouterr().out.splitlines() == [
        "day,owner,model,jobs,succeeded,failed,canceled,cached,charged_usd,unknown_usd",
        "1970-01-01,alice,sdxl,2,4,6,8,10,0.000012,0.000014",
        "1970-01-02,bob,sdxl,1,2,3,4,5,0.000006,0.000007",
    ]
