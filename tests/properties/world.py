"""One deployment with its callers, its queues, its schedule and its clock; any of its processes may die at any call."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from longplay.domain.settings import Settings

from tests.harness.product import Answer, Product
from tests.kill.audit import Remains
from tests.kill.network import Send, network_behind
from tests.kill.parts import Part
from tests.kill.stage import Stage, empty_account
from tests.properties.racing import RacingEdge


class World(Stage):
    """From an empty account until `close`."""

    edge: RacingEdge

    def __init__(self, part: Part, **settings: Any) -> None:
        with ExitStack() as stack:
            place = stack.enter_context(empty_account(part, **settings))
            super().__init__(place, part, RacingEdge())
            stack.enter_context(patch.object(time, "sleep", lambda _seconds: None))
            stack.enter_context(network_behind(self.edge, part.server, timed=_at_once))
            self._stack = stack.pop_all()

    @property
    def settings(self) -> Settings:
        """What its functions read."""
        return self.place.settings

    def close(self) -> None:
        """Nothing of it is left."""
        self._stack.close()

    def ask(self, act: Callable[[Product], Answer]) -> Answer | None:
        """What a caller is answered; None when the function died."""
        return self.run("caller", lambda: act(self.product))

    def bodies(self) -> list[str]:
        """Every message there is or was."""
        return list(dict.fromkeys([*self.handed_over, *(message["Body"] for message in self.product.messages())]))

    def remains(self) -> Remains:
        """Everything there is, for the audit; how a job ends is anybody's guess."""
        items = self.items()
        names = {item["pk"].removeprefix("job#"): item["pk"] for item in items if item["pk"].startswith("job#")}
        return Remains(
            items=items,
            objects=self.objects(),
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
        """When the provider took a call for a generation that it did not refuse for now."""
        asked = [exchange for exchange in self.server.requests if exchange.method == "POST"]
        starts = [exchange for exchange in asked if not exchange.path.endswith("/cancel")]
        return sorted(exchange.started_at for exchange in starts if exchange.status not in (429, 503))


def _at_once(send: Send, *, starts: bool) -> Any:
    return send()
