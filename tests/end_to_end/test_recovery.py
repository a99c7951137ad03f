"""The deployed stack when a worker is killed, a message arrives twice, or a message cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.end_to_end.deployed_stack import DeployedStack, Job, eventually, message_for

TRACK = {"prompt": "a slow waltz", "duration": 2}
WORKING = 5  # seconds that the model server takes, so that a worker can be killed during the call


def test_two_deliveries_of_one_message_make_one_call(stack: DeployedStack) -> None:
    """SQS may deliver a message more than once."""
    stack.server.fault("slow", seconds=1)
    job_id = stack.submit(**TRACK)
    for _ in range(2):
        _send(stack, message_for(job_id, "endpoint"))
    job = stack.wait(job_id)
    eventually(lambda: _waiting(stack, "CallsQueueUrl") == 0)
    assert (job["status"], len(stack.server.requests)) == ("succeeded", 1)


def test_a_job_succeeds_although_its_worker_is_killed(stack: DeployedStack) -> None:
    """The sweeper starts a second attempt."""
    stack.server.fault("slow", seconds=WORKING)
    job_id = stack.submit(**TRACK)
    _kill_during_call(stack, number=1)
    job = stack.wait(job_id, sweeping=True)
    assert job["status"] == "succeeded"
    assert [(attempt["outcome"], attempt["charged"]) for attempt in job["attempts"]] == [
        ("crashed", "unknown"),
        ("succeeded", "yes"),
    ]
    _assert_times_and_costs(job)


def test_a_job_that_kills_its_worker_three_times_fails(stack: DeployedStack) -> None:
    """The error says that calls may have been charged."""
    stack.server.fault("slow", seconds=WORKING, times=3)
    job_id = stack.submit(**TRACK, max_charges=3)
    for number in (1, 2, 3):
        _kill_during_call(stack, number=number)
    job = stack.wait(job_id, sweeping=True)
    assert (job["status"], job["error"]["code"], job["error"]["charged"]) == ("failed", "worker_crashed", "unknown")
    assert len(stack.server.requests) == 3


def test_an_unreadable_message_reaches_the_dead_letter_queue(stack: DeployedStack) -> None:
    """It is kept there unchanged."""
    with _quick_redelivery(stack):
        _send(stack, "not a message of Longplay")
        eventually(lambda: _waiting(stack, "DeadQueueUrl") == 1)
    sqs, url = stack.aws.client("sqs"), stack.deployment.outputs["DeadQueueUrl"]
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert message["Body"] == "not a message of Longplay"


def _assert_times_and_costs(job: Job) -> None:
    """Asserts when each call began and ended, and that the call with an unknown outcome may have been charged."""
    price, (killed, last) = job["cost"]["estimated_usd"], job["attempts"]
    assert price > 0
    cost = {"estimated_usd": price, "possible_usd": 2 * price, "charged_usd": price, "unknown_usd": price}
    assert job["cost"] == cost
    assert [attempt["usd"] for attempt in job["attempts"]] == [price, price]
    assert job["started_at"] == killed["started_at"] < killed["ended_at"] <= last["started_at"] < last["ended_at"]


def _kill_during_call(stack: DeployedStack, *, number: int) -> None:
    """Kills the worker while the model server handles call number `number`."""

    def called() -> bool:
        if len(stack.server.requests) < number > 1:
            stack.sweep()
        return len(stack.server.requests) == number

    eventually(called, seconds=60)
    stack.kill_generator()
    assert stack.server.requests[-1].finished_at is None, "the call ended before its worker was killed"


@contextmanager
def _quick_redelivery(stack: DeployedStack) -> Iterator[None]:
    """A visibility timeout of 1 s. With six timeouts of the function, a failed message would wait for minutes."""
    sqs, url = stack.aws.client("sqs"), stack.deployment.outputs["CallsQueueUrl"]
    usual = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes=usual)


def _send(stack: DeployedStack, body: str) -> None:
    sqs, url = stack.aws.client("sqs"), stack.deployment.outputs["CallsQueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="alice")


def _waiting(stack: DeployedStack, queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = stack.deployment.outputs[queue]
    counts = stack.aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(counts[name]) for name in names)
