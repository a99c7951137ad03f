"""A stand-in for what Hugging Face has in front of a private Space; the app behind it is a real one.

It asks for the token, knows the stage of the Space, and passes each request on to the app, byte for byte.
"""

import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from local.stand_ins.framework.answers import Answer, says
from local.stand_ins.framework.faults import Operation
from local.stand_ins.framework.listener import Handler
from local.stand_ins.framework.memory import Exchange
from local.stand_ins.framework.server import StandIn
from local.stand_ins.space.faults import FRONT_FAULTS, NO_SPACE, REFUSED_TOKEN, STARTING
from local.stand_ins.space.paths import CREATE, FILE, READ, STAGE, WHOAMI

_OPERATIONS = ((CREATE, Operation.CREATE), (READ, Operation.POLL), (FILE, Operation.FILE))
_BEARERS = ("Authorization", "X-HF-Authorization")  # Gradio's own client sends the second
_BLOCK = 1 << 16
_NOT_PASSED_ON = ("connection", "keep-alive")


class FrontDoor(StandIn):
    """A Space for those who bear `token`; `app` is the URL of the app, which may move when it is restarted."""

    table = FRONT_FAULTS

    def __init__(self, app: str, *, token: str, port: int = 0) -> None:
        super().__init__(port)
        self.app, self.token = app, token

    def answer(self, request: Handler, body: bytes, exchange: Exchange) -> Answer:
        """The Hub's answer, or the app's."""
        if refusal := self._refusal(
            next((request.headers[name] for name in _BEARERS if name in request.headers), None)
        ):
            return refusal
        if request.path == WHOAMI:
            return says(200, {"type": "user", "name": "longplay"})
        if request.path.startswith(STAGE):
            return says(200, {"id": "longplay/longplay", "runtime": {"stage": self.stage}})
        operation = next((named for path, named in _OPERATIONS if path.fullmatch(request.path)), "")
        return self.faults.apply(self.faults.at(operation), lambda: self._passed_on(request, body, exchange))

    @property
    def stage(self) -> str:
        """The stage of the Space at the Hub."""
        try:
            self._connect().close()
        except OSError:
            return "APP_STARTING"
        return "RUNNING"

    def _refusal(self, authorization: str | None) -> Answer | None:
        if authorization is None:
            return NO_SPACE  # a private Space does not show that it is there
        return None if authorization == f"Bearer {self.token}" else REFUSED_TOKEN

    def _passed_on(self, request: Handler, body: bytes, exchange: Exchange) -> Answer:
        try:
            connection = self._connect()
        except OSError:
            return STARTING
        connection.sendall(_head(request) + body)
        return Answer(raw=True, body=_relayed(connection, exchange))

    def _connect(self) -> socket.socket:
        address = urlsplit(self.app)
        return socket.create_connection((address.hostname or "", address.port or 0))


def _head(request: Handler) -> bytes:
    kept = [f"{name}: {value}" for name, value in request.headers.items() if name.lower() not in _NOT_PASSED_ON]
    return "\r\n".join([f"{request.command} {request.path} HTTP/1.1", *kept, "Connection: close", "", ""]).encode()


def _relayed(connection: socket.socket, exchange: Exchange) -> Iterator[bytes]:
    """The app's answer as it comes, until the app ends it or breaks off."""
    with connection, suppress(ConnectionError):
        while block := connection.recv(_BLOCK):
            exchange.status = exchange.status or int(block[9:12])
            yield block
