"""A simulated deployment for property tests: its processes can run at the same time and have faults at any call."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from longplay.domain.settings import Settings

from tests.harness.product import Answer, Product
from tests.harness.providers import RunningProvider
from tests.kill.audit import FinalState
from tests.kill.deployment import SimulatedDeployment, empty_account
from tests.kill.network import Send, network_behind
from tests.properties.racing_injector import RacingInjector


class World(SimulatedDeployment):
    """A deployment from an empty account until `close`."""

    injector: RacingInjector

    def __init__(self, provider: RunningProvider, **settings: Any) -> None:
        with ExitStack() as stack:
            account = stack.enter_context(empty_account(provider, **settings))
            super().__init__(account, provider, RacingInjector())
            stack.enter_context(patch.object(time, "sleep", account.clock.shift))
            stack.enter_context(network_behind(self.injector, provider.server, timed=_at_once))
            self._stack = stack.pop_all()

    @property
    def settings(self) -> Settings:
        """The settings of its functions."""
        return self.account.settings

    def close(self) -> None:
        """Remove the deployment."""
        self._stack.close()

    def ask(self, act: Callable[[Product], Answer]) -> Answer | None:
        """The answer to a caller's request; None if the function died."""
        return self.run("caller", lambda: act(self.product))

    def bodies(self) -> list[str]:
        """Every message that was sent, delivered or not."""
        return list(dict.fromkeys([*self.delivered, *(message["Body"] for message in self.product.messages())]))

    def state(self) -> FinalState:
        """The state for the audit; every end of a job is allowed."""
        items = self.items()
        names = {item["pk"].removeprefix("job#"): item["pk"] for item in items if item["pk"].startswith("job#")}
        return FinalState(
            items=items,
            objects=self.objects(),
            names=names,
            ends=dict.fromkeys(names.values(), "succeeded | failed | canceled"),
            may_lack=self.server.generations,
            settings=self.settings,
            generations=self.server.generations,
            starts=self.accepted(),
            most_at_once=0,
            injector=self.injector,
        )

    def accepted(self) -> list[float]:
        """The times of the calls for a generation that the provider did not refuse for now."""
        posts = [exchange for exchange in self.server.requests if exchange.method == "POST"]
        starts = [exchange for exchange in posts if not exchange.path.endswith("/cancel")]
        return sorted(exchange.started_at for exchange in starts if exchange.status not in (429, 503))


def _at_once(send: Send, *, starts: bool) -> Any:
    return send()
