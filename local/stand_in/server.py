"""A stand-in server: in a thread of its own from `start()`, or `with`, until `close()`."""

import threading
from typing import Self

from local.stand_in.listener import Handler, Listener
from local.stand_in.memory import Exchange, Memory


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
