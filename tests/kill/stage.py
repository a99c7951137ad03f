"""A deployment on an empty account, under a clock that only tests move; any of its processes may die at any call."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from unittest.mock import patch
from urllib.parse import urlsplit

import notices
import time_machine
import wiring
from longplay.domain.settings import Settings, parse_settings
from longplay.storage.table import from_item
from moto import mock_aws
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID
from time_machine import Traveller

from tests.harness.aws import BUCKET, REGION, SECRET, TABLE, Aws, make_account
from tests.harness.product import QUEUES, Answer, Context, Product
from tests.kill.edge import Edge, Killed
from tests.kill.parts import Part

BEGINNING = datetime(2026, 3, 4, 12, tzinfo=UTC)
ON_LOOPBACK = {"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1:.*"]}}}
ADDRESS = "https://api.example.com/prod"  # of the API, for providers to call back
INVOCATION = 60.0  # seconds a generator may run
VISIBILITY = 6 * INVOCATION  # seconds after which an undeleted message comes again

TELLING = frozenset(
    {
        "pk",
        "status",
        "route",
        "outcome",
        "charged",
        "charges",
        "crashes",
        "tries",
        "code",
        "reason",
        "leader",
        "follows",
    }
)  # attributes whose values count; of all others, whether they are there

Result = TypeVar("Result")
Item = dict[str, Any]


@dataclass(frozen=True)
class Delivery:
    """A message as SQS hands it over; it comes again unless it is deleted."""

    queue_url: str
    receipt: str
    body: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a life is set: an account, the clock, and the settings its functions read."""

    aws: Aws
    clock: Traveller
    settings: Settings


@contextmanager
def empty_account(part: Part, **settings: Any) -> Iterator[Place]:
    """An account with the stack's resources and the provider's token, until it is left; the provider forgets all."""
    part.server.clear()
    chosen = {"servers": part.servers, **settings}
    wiring.dependencies.cache_clear()
    with mock_aws(config=ON_LOOPBACK), time_machine.travel(BEGINNING, tick=False) as clock:
        aws = make_account(**chosen)
        aws.secrets.put_secret_value(SecretId=SECRET, SecretString=json.dumps(part.tokens))
        for way in part.closed:
            until = {"N": str((BEGINNING + timedelta(days=1)).timestamp())}
            aws.dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": f"closed#{way}"}, "until": until})
        with patch.dict("os.environ", {**aws.environment, "CALLBACK_BASE_URL": ADDRESS}):
            yield Place(aws=aws, clock=clock, settings=parse_settings(json.dumps(chosen)))
    wiring.dependencies.cache_clear()


@dataclass
class Stage:
    """What is done to a deployment, by the provider, the queue and the schedule, and what is there to see."""

    place: Place
    part: Part
    edge: Edge
    handed_over: list[str] = field(default_factory=list)

    @property
    def aws(self) -> Aws:
        """The account."""
        return self.place.aws

    @property
    def clock(self) -> Traveller:
        """The only clock there is."""
        return self.place.clock

    @property
    def server(self) -> Any:
        """The stand-in provider."""
        return self.part.server

    @property
    def product(self) -> Product:
        """The entry points."""
        return Product(self.aws)

    def run(self, function: str, act: Callable[[], Result]) -> Result | None:
        """What the function returned; None when it was killed, and what it remembered is gone with it."""
        try:
            with self.edge.process(function, self.situation):
                return act()
        except Killed:
            wiring.dependencies.cache_clear()
            return None

    def receive(self) -> list[Delivery]:
        """Every message that is due."""
        return [
            delivery for queue in QUEUES if self._has_some(queue) for delivery in self._receive_from(self._url(queue))
        ]

    def deliver_once(self) -> bool:
        """Hand over what is due now, and say whether anything was. One whose function dies stays, and comes again."""
        deliveries = self.receive()
        for delivery in deliveries:
            if self.hand_over(delivery.body):
                self._delete(delivery)
        return bool(deliveries)

    def hand_over(self, body: str) -> bool:
        """One delivery of a message; whether the function lived."""
        self.handed_over.append(body)
        return self.run("generator", lambda: self.product.hand_over(body, seconds=INVOCATION) or True) is not None

    def lose_messages(self) -> None:
        """Whatever is in the queues now never arrives."""
        for delivery in self.receive():
            self._delete(delivery)

    def sweep(self) -> bool:
        """One run of the sweeper; whether it lived."""
        return self.run("sweeper", lambda: self.product.sweep() or True) is not None

    def call_back(self, url: str, body: bytes) -> Answer | None:
        """A POST to where somebody thinks that callbacks go; None when the function died."""
        asked = urlsplit(url)
        path = f"{asked.path.removeprefix(urlsplit(ADDRESS).path)}?{asked.query}"
        return self.run("callbacks", lambda: self.product.call_back(path, body))

    def notify(self, event: dict[str, Any]) -> None:
        """SNS hands its function a notice."""
        self.run("notices", lambda: notices.handler(event, Context()))  # type: ignore[arg-type]

    def situation(self) -> str:
        """How all stands but for times, tokens and texts: what two invocations have in common that do the same."""
        queues = [_emulated("sqs").get_queue(_name(self._url(queue))) for queue in QUEUES]
        sent = [(queue.approximate_number_of_messages_delayed, len(queue.messages)) for queue in queues]
        return repr(([_shape(item) for item in self.items()], sorted(self.objects()), sent, self.server.generations))

    def items(self) -> list[Item]:
        """The whole table."""
        found = _emulated("dynamodb").tables[TABLE].all_items()
        return [from_item(item.to_json()["Attributes"]) for item in found]

    def objects(self) -> dict[str, bytes]:
        """The whole bucket."""
        found = self.aws.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {entry["Key"]: self._object(entry["Key"]) for entry in found}

    def _has_some(self, queue: str) -> bool:
        """Empty queues are looked at far more often than any other, and a call takes a hundred times as long."""
        return bool(_emulated("sqs").get_queue(_name(self._url(queue))).messages)

    def _receive_from(self, queue_url: str) -> list[Delivery]:
        answer = self.aws.sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=int(VISIBILITY)
        )
        found = answer.get("Messages", [])
        return [Delivery(queue_url, message["ReceiptHandle"], message["Body"]) for message in found]

    def _delete(self, delivery: Delivery) -> None:
        self.aws.sqs.delete_message(QueueUrl=delivery.queue_url, ReceiptHandle=delivery.receipt)

    def _url(self, queue: str) -> str:
        return self.aws.environment[queue]

    def _object(self, key: str) -> bytes:
        return bytes(self.aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())


def _shape(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _shape(inner, key) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return [_shape(inner) for inner in value]
    return value if name in TELLING else type(value)


def _name(queue_url: str) -> str:
    return queue_url.rpartition("/")[2]


def _emulated(service: str) -> Any:
    """What moto has of a service in this account."""
    return get_backend(service)[DEFAULT_ACCOUNT_ID][REGION]
