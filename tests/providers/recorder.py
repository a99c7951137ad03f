"""A server on this machine that plays every provider's, takes down what it is asked for, and grants nothing."""

from __future__ import annotations

import json
from typing import Any, cast

from local.stand_ins.framework.answers import Answer, says
from local.stand_ins.framework.listener import Handler, Listener
from local.stand_ins.framework.server import StandIn

PARTNERS = ("fal-ai", "replicate", "together", "nscale", "wavespeed")


class Recorder(StandIn):
    """`orders` are the bodies with which generations were asked for, each with its path, in order.

    Its Hub has every partner serve every model for `task`; its bucket takes what is put there.
    """

    def __init__(self) -> None:
        super().__init__(0, _Recording)
        self.task = "text-to-image"
        self.orders: list[Any] = []

    def served(self) -> Answer:
        """What the Hub says of any model."""
        entry = {"status": "live", "providerId": "partner/model", "task": self.task}
        return says(200, {"inferenceProviderMapping": dict.fromkeys(PARTNERS, entry)})


class _Recording(Handler):
    def handle_expect_100(self) -> bool:
        """At once: S3's client waits a second for it before it sends a body."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def respond(self) -> None:
        owner = cast(Recorder, cast(Listener, self.server).owner)
        body = self.body()
        if self.command == "GET":
            self.send(owner.served(), {})
        elif "/async-invocations" in self.path:  # its body was put into the bucket
            self.send(says(400, {"message": "no"}), {})
        else:
            owner.orders.append((self.path, json.loads(body)))
            self.send(Answer() if self.command == "PUT" else says(400, {"error": "no"}), {})
