"""A webhook is told by the deployed stack, with the permissions of its functions."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.end_to_end.deployed_stack import DeployedStack, eventually
from tests.stories.webhooks.receiver import running_receiver


@pytest.fixture
def stack(stack: DeployedStack) -> DeployedStack:
    """The stack for an owner whose secret no other test renews."""
    return replace(stack, key=stack.deployment.new_key("told"))


def test_a_webhook_is_told_and_can_be_told_again(stack: DeployedStack) -> None:
    """A receiver that fails once hears it the second time, signed; then the caller has it told again."""
    with running_receiver() as receiver:
        receiver.answers = [500]
        secret = stack.post("/webhooks/secret").json()["secret"]
        job_id = stack.submit(prompt="a told wave", model="musicgen-small", duration=1, webhook=receiver.url)
        stack.wait(job_id)
        eventually(lambda: len(receiver.received) == 2)
        told = [each.verified_by(secret) for each in receiver.received]
        assert {(event["type"], event["data"]["id"]) for event in told} == {("job.succeeded", job_id)}
        eventually(lambda: stack.job(job_id)["webhook"]["delivered"])
        [hook] = stack.get(f"/jobs/{job_id}/deliveries").json()["hooks"]
        assert [each["status"] for each in hook["deliveries"]] == [500, 204]
        assert stack.post(f"/jobs/{job_id}/redeliver").status_code == 202
        eventually(lambda: len(receiver.received) == 3)


def test_a_webhook_can_be_tested(stack: DeployedStack) -> None:
    """The function that sends the test has its own permissions."""
    with running_receiver() as receiver:
        answer = stack.post("/webhooks/test", json={"url": receiver.url}).json()
    assert (answer["delivered"], answer["delivery"]["status"]) == (True, 204)


def test_an_end_is_an_event_on_the_bus_of_the_account(stack: DeployedStack) -> None:
    """A rule of the operator's own passes it on."""
    events, sqs = stack.aws.client("events"), stack.aws.client("sqs")
    queue = sqs.create_queue(QueueName="consumer")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="ends", EventPattern=json.dumps({"source": ["longplay-test"]}))
    events.put_targets(Rule="ends", Targets=[{"Id": "1", "Arn": arn}])
    job_id = stack.submit(prompt="an event", model="musicgen-small", duration=1)
    stack.wait(job_id)
    found: list[str] = []

    def heard() -> bool:
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        found.extend(json.loads(message["Body"])["detail"]["data"]["id"] for message in messages)
        return job_id in found

    eventually(heard)
