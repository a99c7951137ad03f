"""A webhook is told of every end, signed, until it has heard; callers see what it was told and have it told again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import boto3
import pytest
import time_machine
from longplay.domain.hooks import MOST_LOGGED, WAITS
from longplay.http.webhooks.deliverer import GIVEN_UP

from local.stand_ins.model import ModelServer
from tests.harness.aws import TABLE
from tests.harness.product import Product
from tests.stories.webhooks.receiver import Receiver


def done(product: Product, receiver: Receiver, **body: Any) -> dict[str, Any]:
    """A job that has succeeded, with the receiver as its webhook."""
    job = product.submit({"prompt": "sea", "webhook": receiver.url, **body})
    product.deliver()
    return product.job(job["id"])


def deliveries(product: Product, job: dict[str, Any]) -> list[dict[str, Any]]:
    """The deliveries of the first thing that a job's webhook was told."""
    return list(product.get(f"/jobs/{job['id']}/deliveries").json["hooks"][0]["deliveries"])


def test_a_webhook_is_told_once_and_can_verify_it(product: Product, receiver: Receiver) -> None:
    """The body has the job without presigned URLs, and the job says that it was delivered."""
    secret = product.post("/webhooks/secret").json["secret"]
    job = done(product, receiver)
    assert job["webhook"] == {"host": "127.0.0.1", "delivered": False}
    product.tell()
    [told] = receiver.received
    event = told.verified_by(secret)
    assert (event["type"], event["data"]["id"], event["data"]["status"]) == ("job.succeeded", job["id"], "succeeded")
    assert event["data"]["outputs"][0]["link"] == job["outputs"][0]["link"]
    assert "X-Amz-Signature" not in told.body
    assert told.headers["webhook-id"] == f"{job['id']}.succeeded"
    assert product.job(job["id"])["webhook"]["delivered"]
    assert product.tell() == 0


@pytest.mark.parametrize(
    ("end", "event"), [("cancel", "job.canceled"), ("fail", "job.failed"), ("cache", "job.succeeded")]
)
def test_every_end_is_told(
    product: Product, receiver: Receiver, model_server: ModelServer, end: str, event: str
) -> None:
    """A job that is canceled, fails, or is answered from the cache."""
    if end == "fail":
        model_server.fault("invalid", times=10)
    if end == "cache":
        product.submit({"prompt": "sea"})
        product.deliver()
    job = product.post("/generate", {"prompt": "sea", "webhook": receiver.url, "max_charges": 1}).json
    if end == "cancel":
        product.post(f"/jobs/{job['id']}/cancel")
    product.deliver()
    product.tell()
    assert [told.json["type"] for told in receiver.received] == [event]


def test_a_receiver_that_fails_twice_gets_it_the_third_time(
    product: Product, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    """Each delivery is in the log, with the receiver's status."""
    receiver.answers = [500, 302]
    receiver.headers = {"Location": "https://example.com/elsewhere"}
    job = done(product, receiver)
    product.tell()
    for wait in WAITS[:2]:
        clock.shift(wait + 1)
        product.tell()
    assert [each.get("status") for each in deliveries(product, job)] == [500, 302, 204]
    assert "https://example.com/elsewhere" in deliveries(product, job)[1]["outcome"]
    assert len({told.headers["webhook-id"] for told in receiver.received}) == 1
    assert product.job(job["id"])["webhook"]["delivered"]


def test_a_far_delivery_and_a_lost_message_are_the_sweepers(
    product: Product, receiver: Receiver, clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    """SQS delays a message by 15 minutes at most; the whole schedule is kept, then it ends, which an alarm tells."""
    receiver.answers = [500] * 20
    job = done(product, receiver)
    product.messages()
    began = time.time()
    product.aws.sqs.purge_queue(QueueUrl=product.aws.environment["HOOKS_QUEUE_URL"])
    while time.time() < began + sum(WAITS) + 4 * 3_600:
        clock.shift(601)
        product.sweep()
        product.tell()
    assert len(receiver.received) == 1 + len(WAITS) <= MOST_LOGGED
    outcomes = [str(getattr(record, "outcome", "")) for record in caplog.records]
    assert [outcome.startswith(GIVEN_UP) for outcome in outcomes].count(True) == 1
    told = product.get(f"/jobs/{job['id']}/deliveries").json["hooks"][0]
    assert "next_at" not in told
    assert not told["delivered"]


def test_410_ends_it_and_the_caller_can_have_it_told_again(product: Product, receiver: Receiver) -> None:
    """A new schedule begins; the log goes on."""
    receiver.answers = [410]
    job = done(product, receiver)
    product.tell()
    assert "next_at" not in product.get(f"/jobs/{job['id']}/deliveries").json["hooks"][0]
    assert product.post(f"/jobs/{job['id']}/redeliver").status == 202
    product.tell()
    assert [each["status"] for each in deliveries(product, job)] == [410, 204]


def test_a_repeated_message_tells_nothing_twice(product: Product, receiver: Receiver) -> None:
    """SQS delivers at least once."""
    job = done(product, receiver)
    product.tell()
    product.hand_hook_over(json.dumps({"version": 1, "hook": f"{job['id']}#succeeded#webhook"}))
    assert len(receiver.received) == 1


def test_a_deleted_job_is_not_told(product: Product, receiver: Receiver) -> None:
    """Its prompt is erased, and so is its webhook."""
    job = done(product, receiver)
    product.delete(f"/jobs/{job['id']}")
    product.tell()
    assert receiver.received == []
    [item] = [
        item for item in boto3.client("dynamodb").scan(TableName=TABLE)["Items"] if item["pk"]["S"].startswith("job#")
    ]
    assert receiver.url not in str(item)


def test_a_secret_is_renewed_without_a_lost_delivery(
    product: Product, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    """Both secrets verify for a day, then the new one alone; each owner has its own."""
    old, new = (product.post("/webhooks/secret").json["secret"] for _ in range(2))
    other = product.post("/webhooks/secret", key="lp_bob_0123456789abcdef").json["secret"]
    done(product, receiver)
    product.tell()
    assert receiver.received[0].verified_by(old) == receiver.received[0].verified_by(new)
    with pytest.raises(Exception, match="No matching"):
        receiver.received[0].verified_by(other)
    clock.shift(86_401)
    done(product, receiver, prompt="a day later")
    product.tell()
    assert receiver.received[1].verified_by(new)
    with pytest.raises(Exception, match="No matching"):
        receiver.received[1].verified_by(old)


def test_a_secret_cannot_be_renewed_without_end(product: Product) -> None:
    """Each old one adds a signature; the refusal says when it is possible again."""
    answers = [product.post("/webhooks/secret") for _ in range(4)]
    assert [answer.status for answer in answers] == [201, 201, 201, 429]
    assert answers[3].json["code"] == "too_many_rotations"


def test_a_webhook_can_be_tested(product: Product, receiver: Receiver) -> None:
    """The answer says what the receiver said, and nothing of its body."""
    secret = product.post("/webhooks/secret").json["secret"]
    receiver.answers = [204, 401]
    first, second = (product.post("/webhooks/test", {"url": receiver.url}).json for _ in range(2))
    assert [(each["delivered"], each["delivery"]["status"]) for each in (first, second)] == [(True, 204), (False, 401)]
    assert receiver.received[0].verified_by(secret)["type"] == "test"
    refused = product.post("/webhooks/test", {"url": "http://127.0.0.1:1/"}).json
    assert not refused["delivered"]
    assert "status" not in refused["delivery"]


def test_a_long_job_makes_a_short_body(product: Product, receiver: Receiver) -> None:
    """At most 20 KB: some receivers refuse more."""
    tags = {f"{n}{'🎵' * 90}": "🎵" * 100 for n in range(16)}
    job = done(product, receiver, prompt="🎵" * 2_000, tags=tags)
    product.tell()
    [told] = receiver.received
    assert len(told.body.encode()) < 20_000
    assert told.json["data"]["id"] == job["id"]
    assert "prompt" not in told.json["data"]


@pytest.mark.parametrize("path", ["deliveries", "redeliver"])
def test_a_foreign_job_is_an_unknown_one(product: Product, receiver: Receiver, path: str) -> None:
    """The same status and body."""
    job = done(product, receiver)

    def asked(job_id: str) -> tuple[int, Any]:
        where, key = f"/jobs/{job_id}/{path}", "lp_bob_0123456789abcdef"
        answer = product.get(where, key=key) if path == "deliveries" else product.post(where, key=key)
        return answer.status, answer.json

    assert asked(job["id"]) == asked("a" * 26)


def test_nothing_can_be_told_before_the_end(product: Product, receiver: Receiver) -> None:
    """Nor for a job without a webhook."""
    with_one = product.submit({"prompt": "sea", "webhook": receiver.url})
    without = product.submit({"prompt": "rain"})
    refused = [product.post(f"/jobs/{job['id']}/redeliver") for job in (with_one, without)]
    assert [answer.status for answer in refused] == [409, 409]


def test_the_event_bus_is_told_of_every_end(product_with: Callable[..., Product]) -> None:
    """Also of jobs without a webhook, where the operator wants it."""
    product = product_with(events=True)
    events, sqs = boto3.client("events"), boto3.client("sqs")
    queue = sqs.create_queue(QueueName="consumer")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="jobs", EventPattern=json.dumps({"source": ["longplay"]}))
    events.put_targets(Rule="jobs", Targets=[{"Id": "1", "Arn": arn}])
    job = product.submit({"prompt": "sea"})
    product.deliver()
    product.tell()
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    event = json.loads(message["Body"])
    detail = event["detail"]
    assert (event["detail-type"], detail["data"]["id"], detail["owner"]) == ("job.succeeded", job["id"], "alice")


def test_a_hook_that_cannot_be_read_stops_no_other(
    product: Product, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    """A later version may write words that this one does not know; jobs and other hooks are swept all the same."""
    first, second = (done(product, receiver, prompt=prompt) for prompt in ("one", "two"))
    product.aws.sqs.purge_queue(QueueUrl=product.aws.environment["HOOKS_QUEUE_URL"])
    key = {"pk": {"S": f"hook#{first['id']}#succeeded#webhook"}}
    unknown = {"AttributeUpdates": {"happening": {"Value": {"S": "later"}}}}
    product.aws.dynamodb.update_item(TableName=TABLE, Key=key, **unknown)
    open_job = product.submit({"prompt": "three"})
    product.messages()
    clock.shift(7_200)
    with pytest.raises(ExceptionGroup):
        product.sweep()
    product.tell()
    assert [told.json["data"]["id"] for told in receiver.received] == [second["id"]]
    assert product.job(open_job["id"])["status"] == "failed"


@pytest.mark.parametrize("behind", [0.5, 5])  # seconds
def test_a_deliverer_whose_clock_is_behind_tells_it_without_the_sweeper(
    product: Product, receiver: Receiver, clock: time_machine.Traveller, behind: float
) -> None:
    """The message seems early there, and is sent again for the rest of the time."""
    done(product, receiver)
    clock.shift(-behind)
    assert product.tell() == 1
    for _ in range(7):
        clock.shift(1)
        product.tell()
    assert len(receiver.received) == 1


def test_a_delivery_that_always_crashes_ends(
    product: Product, receiver: Receiver, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tries are those of the schedule, so that no hook is swept for ever; the log says that they were cut off."""
    job = done(product, receiver)

    def crash(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("requests.Session.post", crash)
    for _ in range(2 * len(WAITS) + 4):
        with suppress(MemoryError):
            product.tell()
        clock.shift(101)
        product.sweep()
    hook = product.get(f"/jobs/{job['id']}/deliveries").json["hooks"][0]
    assert "next_at" not in hook
    assert len(hook["deliveries"]) == 1 + len(WAITS)
    assert {"cut off" in each["outcome"] for each in hook["deliveries"]} == {True}
