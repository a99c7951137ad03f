"""A server that plays every provider, records the orders it gets, and refuses all of them."""

from __future__ import annotations

import json
from typing import Any, cast

from local.stand_ins.framework.answers import Answer, says
from local.stand_ins.framework.listener import Handler, Listener
from local.stand_ins.framework.server import StandIn

PARTNERS = ("fal-ai", "replicate", "together", "nscale", "wavespeed")


class Recorder(StandIn):
    """`orders` are the path and the body of each ordered generation, in order.

    Its Hub lists every model at every partner, for `task`; its bucket stores nothing and accepts every object.
    """

    def __init__(self) -> None:
        super().__init__(0, _Recording)
        self.task = "text-to-image"
        self.orders: list[Any] = []

    def served(self) -> Answer:
        """The Hub's answer about any model."""
        entry = {"status": "live", "providerId": "partner/model", "task": self.task}
        return says(200, {"inferenceProviderMapping": dict.fromkeys(PARTNERS, entry)})


class _Recording(Handler):
    def handle_expect_100(self) -> bool:
        """Answers at once: S3's client waits a second for this before it sends a body."""
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed

    def respond(self) -> None:
        owner = cast(Recorder, cast(Listener, self.server).owner)
        body = self.body()
        if self.command == "GET":
            self.send(owner.served(), {})
        elif "/async-invocations" in self.path:  # its order was put into the bucket
            self.send(says(400, {"message": "no"}), {})
        else:
            owner.orders.append((self.path, json.loads(body)))
            self.send(Answer() if self.command == "PUT" else says(400, {"error": "no"}), {})
