"""A stand-in server: in a thread of its own from `start()`, or `with`, until `close()`."""

import threading
from abc import ABC, abstractmethod
from typing import Self, cast

from local.stand_ins.framework.answers import Answer, Refused
from local.stand_ins.framework.listener import Handler, Listener
from local.stand_ins.framework.memory import Exchange, Memory


class StandIn:
    """Listens at `url`, remembers in `memory` what it is asked; `port` 0 lets the kernel choose."""

    def __init__(self, port: int, handler: type[Handler]) -> None:
        self.memory = Memory()
        self.closed = threading.Event()
        self._listener = Listener(port, handler, self)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return self._listener.url

    @property
    def requests(self) -> list[Exchange]:
        """Everything asked so far, in order of arrival."""
        return self.memory.exchanges

    def start(self) -> Self:
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop listening and hang up on everybody."""
        self.closed.set()
        self._listener.shutdown()
        self._listener.hang_up()
        self._listener.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


class AnsweringStandIn(StandIn, ABC):
    """Answers what its `answer` says, and remembers how each request went."""

    def __init__(self, port: int) -> None:
        super().__init__(port, _Handler)

    @abstractmethod
    def answer(self, asked: Handler, body: bytes, exchange: Exchange) -> Answer:
        """The answer to a request, of which more may be written into the exchange; raises Refused."""


class _Handler(Handler):
    def respond(self) -> None:
        owner = cast(AnsweringStandIn, cast(Listener, self.server).owner)
        exchange = owner.memory.open(self.command, self.path, dict(self.headers.items()))
        answer = self._answer(owner, exchange)
        exchange.status = None if answer.raw else answer.status
        exchange.lost = not self.send(answer, {})

    def _answer(self, owner: AnsweringStandIn, exchange: Exchange) -> Answer:
        try:
            return owner.answer(self, self.body(), exchange)
        except Refused as refused:
            return refused.answer
