"""A webhook is told by the deployed stack, with the permissions of its functions."""

from __future__ import annotations

from tests.end_to_end.deployed_stack import DeployedStack, eventually
from tests.stories.webhooks.receiver import running_receiver


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
    assert (answer["delivered"], answer["status"]) == (True, 204)
