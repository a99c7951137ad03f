"""One deployment with its callers, its queue, its schedule and its clock; any of its processes may die at any call."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, TypeVar
from unittest.mock import patch

import time_machine
import wiring
from longplay.items import from_item
from longplay.settings import parse_settings
from moto import mock_aws

from local.model_server import ModelServer
from tests.aws import BUCKET, TABLE, make_account
from tests.kill.audit import Remains
from tests.kill.edge import Killed
from tests.kill.network import network_behind
from tests.product import Answer, Product
from tests.properties.racing import RacingEdge

BEGINNING = datetime(2026, 3, 4, 12, tzinfo=UTC)
ON_LOOPBACK = {"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1:.*"]}}}
INVOCATION = 60.0  # seconds a function may run
VISIBILITY = 360  # seconds after which a message comes again whose function died

Result = TypeVar("Result")


class World:
    """From an empty account until `close`."""

    def __init__(self, server: ModelServer, **settings: Any) -> None:
        self.server, self.edge = server, RacingEdge()
        self.handed_over: list[str] = []
        chosen = {"servers": {"*": f"{server.url}/hf-inference/models/{{model}}"}, **settings}
        self.settings = parse_settings(json.dumps(chosen))
        server.clear()
        wiring.dependencies.cache_clear()
        with ExitStack() as stack:
            stack.enter_context(mock_aws(config=ON_LOOPBACK))
            self.clock = stack.enter_context(time_machine.travel(BEGINNING, tick=False))
            self.aws = make_account(**chosen)
            self.product = Product(self.aws)
            stack.enter_context(patch.dict("os.environ", self.aws.environment))
            stack.enter_context(patch.object(time, "sleep", lambda _seconds: None))
            stack.enter_context(network_behind(self.edge, server, timed=lambda send: send()))
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Nothing of it is left."""
        self._stack.close()
        wiring.dependencies.cache_clear()

    def ask(self, act: Callable[[Product], Answer]) -> Answer | None:
        """What a caller is answered; None when the function died."""
        return self.run("caller", lambda: act(self.product))

    def run(self, function: str, act: Callable[[], Result]) -> Result | None:
        """What a function returned; None when it died, and what it remembered with it."""
        try:
            with self.edge.process(function):
                return act()
        except Killed:
            wiring.dependencies.cache_clear()
            return None

    def deliver(self) -> None:
        """Hand over what is due; the message of a function that died comes again."""
        queue = self.aws.environment["CALLS_QUEUE_URL"]
        answer = self.aws.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=VISIBILITY)
        for message in answer.get("Messages", []):
            if self.hand_over(message["Body"]):
                self.aws.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

    def hand_over(self, body: str) -> bool:
        """One delivery; whether the function lived."""
        self.handed_over.append(body)
        return self.run("generator", lambda: self.product.hand_over(body, seconds=INVOCATION) or True) is not None

    def bodies(self) -> list[str]:
        """Every message there is or was."""
        return list(dict.fromkeys([*self.handed_over, *(message["Body"] for message in self.product.messages())]))

    def lose_messages(self) -> None:
        """Whatever is in the queue never arrives."""
        for message in self.product.messages():
            self.aws.sqs.delete_message(QueueUrl=message["Queue"], ReceiptHandle=message["ReceiptHandle"])

    def sweep(self) -> bool:
        """One run of the schedule; whether the function lived."""
        return self.run("sweeper", lambda: self.product.sweep() or True) is not None

    def items(self) -> list[dict[str, Any]]:
        """The whole table."""
        return [from_item(item) for item in self.aws.dynamodb.scan(TableName=TABLE)["Items"]]

    def remains(self) -> Remains:
        """Everything there is, for the audit; how a job ends is anybody's guess."""
        items = self.items()
        objects = self.aws.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        names = {item["pk"].removeprefix("job#"): item["pk"] for item in items if item["pk"].startswith("job#")}
        return Remains(
            items=items,
            objects={entry["Key"]: self._object(entry["Key"]) for entry in objects},
            names=names,
            ends=dict.fromkeys(names.values(), "succeeded | failed | canceled"),
            forgotten=self.server.generations,
            settings=self.settings,
            generations=self.server.generations,
            starts=self.accepted(),
            most_at_once=0,
            edge=self.edge,
        )

    def accepted(self) -> list[float]:
        """When the provider took a call that it did not refuse for now."""
        return sorted(asked.started_at for asked in self.server.requests if asked.status not in (429, 503))

    def _object(self, key: str) -> bytes:
        return bytes(self.aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
