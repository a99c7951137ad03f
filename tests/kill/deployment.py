"""A simulated deployment on an empty account, with a clock that only tests move."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar
from unittest.mock import patch
from urllib.parse import urlsplit

import notices
import time_machine
import wiring
from longplay.domain.errors import Unavailable
from longplay.domain.settings import Settings, parse_settings
from longplay.storage.table import from_item
from moto import mock_aws
from moto.backends import get_backend
from moto.core.config import DefaultConfig
from moto.core.models import DEFAULT_ACCOUNT_ID
from time_machine import Traveller

from tests.harness.aws import BUCKET, REGION, SECRET, TABLE, Aws, make_account
from tests.harness.product import QUEUES, Answer, Context, Product
from tests.harness.providers import RunningProvider
from tests.kill.containers import OneContainer
from tests.kill.injector import FaultInjector, Killed

ALL_QUEUES = (*QUEUES, "HOOKS_QUEUE_URL")
STARTS_AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
ON_LOOPBACK: DefaultConfig = {"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1:.*"]}}}
API_URL = "https://api.example.com/prod"  # of the API, for callbacks
INVOCATION = 60.0  # seconds a generator may run
VISIBILITY = 6 * INVOCATION  # seconds after which an undeleted message comes again

COMPARED_BY_VALUE = frozenset(
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
)  # attributes that a situation compares by value; of the others it compares only the type

Result = TypeVar("Result")
Item = dict[str, Any]


@dataclass(frozen=True)
class Delivery:
    """A message as SQS delivers it; it is delivered again unless it is deleted."""

    queue_url: str
    receipt: str
    body: str


@dataclass(frozen=True, kw_only=True)
class SimulatedAccount:
    """An emulated AWS account, its clock, and the settings that the functions read."""

    aws: Aws
    clock: Traveller
    settings: Settings


@contextmanager
def empty_account(
    provider: RunningProvider, *, also: Sequence[str] = (), **settings: Any
) -> Iterator[SimulatedAccount]:
    """An account with the stack's resources and the provider's token. The provider's stand-in is reset.

    `also` are more servers, as other accounts at the same address.
    """
    provider.server.clear()
    more = dict.fromkeys(also, next(iter(provider.servers.values())))
    chosen = {"servers": {**provider.servers, **more}, **settings}
    wiring.dependencies.cache_clear()
    with mock_aws(config=ON_LOOPBACK), time_machine.travel(STARTS_AT, tick=False) as clock:
        aws = make_account(**chosen)
        aws.secrets.put_secret_value(SecretId=SECRET, SecretString=json.dumps(provider.tokens))
        for route in provider.closed:
            until = {"N": str((STARTS_AT + timedelta(days=1)).timestamp())}
            aws.dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": f"closed#{route}"}, "until": until})
        with patch.dict("os.environ", {**aws.environment, "CALLBACK_BASE_URL": API_URL}):
            yield SimulatedAccount(aws=aws, clock=clock, settings=parse_settings(json.dumps(chosen)))
    wiring.dependencies.cache_clear()


@dataclass
class SimulatedDeployment:
    """The deployed functions, and the events they receive from the provider, the queues and the schedule."""

    account: SimulatedAccount
    provider: RunningProvider
    injector: FaultInjector
    containers: OneContainer = field(default_factory=OneContainer)
    delivered: list[str] = field(default_factory=list)

    @property
    def aws(self) -> Aws:
        """The AWS clients."""
        return self.account.aws

    @property
    def clock(self) -> Traveller:
        """The clock of everything in the simulation."""
        return self.account.clock

    @property
    def server(self) -> Any:
        """The provider's stand-in."""
        return self.provider.server

    @property
    def product(self) -> Product:
        """The functions' entry points."""
        return Product(self.aws)

    def run(self, function: str, act: Callable[[], Result]) -> Result | None:
        """The result of the function, or None if its process was killed."""
        try:
            with self.containers.entered(function), self.injector.process(function, self.situation):
                return act()
        except Killed:
            return None
        except (Unavailable, ExceptionGroup):
            return None  # the invocation failed, and its process goes on with the next

    def survives(self, function: str, act: Callable[[], object]) -> bool:
        """Run the function, and return whether its process survived."""
        return self.run(function, lambda: (act(),)) is not None

    def receive(self) -> list[Delivery]:
        """Every message that is due."""
        return [
            delivery
            for queue in ALL_QUEUES
            if self._has_some(queue)
            for delivery in self._receive_from(self._url(queue))
        ]

    def deliver_once(self) -> bool:
        """Deliver the messages that are due, and return whether there were any.

        A message whose function dies stays in the queue and is delivered again.
        """
        deliveries = self.receive()
        for delivery in deliveries:
            if self.deliver_message(delivery.body):
                self._delete(delivery)
        return bool(deliveries)

    def deliver_message(self, body: str) -> bool:
        """Deliver a message once, and return whether the function survived."""
        self.delivered.append(body)
        if '"hook"' in body:
            return self.survives("deliverer", lambda: self.product.hand_hook_over(body))
        return self.survives("generator", lambda: self.product.hand_over(body, seconds=INVOCATION))

    def lose_messages(self) -> None:
        """Delete the messages that are due now without delivering them."""
        for delivery in self.receive():
            self._delete(delivery)

    def sweep(self) -> bool:
        """Run the sweeper once, and return whether it survived."""
        return self.survives("sweeper", self.product.sweep)

    def call_back(self, url: str, body: bytes) -> Answer | None:
        """Send a POST to a callback URL; the answer is None if the function died."""
        asked = urlsplit(url)
        path = f"{asked.path.removeprefix(urlsplit(API_URL).path)}?{asked.query}"
        return self.run("callbacks", lambda: self.product.call_back(path, body))

    def notify(self, event: dict[str, Any]) -> bool:
        """Deliver an SNS notice to its function, and return whether it survived."""
        return self.survives("notices", lambda: notices.handler(event, Context()))  # type: ignore[arg-type]

    def situation(self) -> str:
        """The state without times, tokens and texts, as text; invocations in equal states do the same."""
        queues = [_emulated("sqs").get_queue(_name(self._url(queue))) for queue in ALL_QUEUES]
        sent = [(queue.approximate_number_of_messages_delayed, len(queue.messages)) for queue in queues]
        return repr(([_shape(item) for item in self.items()], sorted(self.objects()), sent, self.server.generations))

    def items(self) -> list[Item]:
        """All items of the table."""
        found = _emulated("dynamodb").tables[TABLE].all_items()
        return [from_item(item.to_json()["Attributes"]) for item in found]

    def forget_usage(self) -> None:
        """Delete what was counted so far."""
        for item in self.items():
            if item["pk"].startswith("usage#"):
                self.aws.dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": item["pk"]}})

    def objects(self) -> dict[str, bytes]:
        """All objects of the bucket, by key."""
        found = self.aws.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {entry["Key"]: self._object(entry["Key"]) for entry in found}

    def _has_some(self, queue: str) -> bool:
        """Whether a queue has messages. Reading moto directly is a hundred times as fast as a call."""
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
    return value if name in COMPARED_BY_VALUE else type(value)


def _name(queue_url: str) -> str:
    return queue_url.rpartition("/")[2]


def _emulated(service: Literal["dynamodb", "sqs"]) -> Any:
    """Moto's model of a service in this account."""
    backends: Any = get_backend(service)
    return backends[DEFAULT_ACCOUNT_ID][REGION]
