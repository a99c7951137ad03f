"""A server that says exactly what a test wants, byte by byte, and the provider that calls it."""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from longplay.domain.errors import ProviderError
from longplay.providers import PROVIDERS
from longplay.providers.hugging_face.adapter import HuggingFace
from longplay.providers.loading import AdapterContext, Adapters
from longplay.providers.protocol import Call

from local.stand_ins.hub import HubServer
from tests.providers.payloads import OWN_TOKEN, TOKEN
from tests.providers.routed_calls import ROUTES, call

Script = Callable[[socket.socket], None]


@dataclass
class Request:
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class RawServer:
    """Plays `script` on each connection after reading a request from it."""

    script: Script = lambda _: None
    reads: bool = True
    requests: list[Request] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve, daemon=True)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/models/facebook/musicgen-small"

    def says(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.script = lambda connection: connection.sendall(answer(status, body, headers))

    def drips(self, start: bytes, drop: bytes) -> None:
        """Send a start, then a drop every ten milliseconds until the caller or the test gives up."""

        def script(connection: socket.socket) -> None:
            connection.sendall(start)
            while not self.stopped.wait(0.01):
                connection.sendall(drop)

        self.script = script

    def __enter__(self) -> "RawServer":
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._answer, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if self.reads:
                self.requests.append(_read(connection))
            self.script(connection)


def answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """A whole HTTP answer."""
    fields = {"Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + body


def _read(connection: socket.socket) -> Request:
    stream = connection.makefile("rb")
    line = stream.readline().decode().strip()
    headers = {}
    while text := stream.readline().decode().strip():
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    return Request(line, headers, stream.read(int(headers.get("content-length", 0))))


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer() as raw_server:
        yield raw_server


class Tokens(dict):
    """Stored tokens by name; counts how often they were to be read anew."""

    forgotten = 0

    def forget(self):
        self.forgotten += 1


@pytest.fixture
def tokens():
    return Tokens(huggingface=TOKEN, self_hosted=OWN_TOKEN)


@pytest.fixture
def submit(server, tokens, tmp_path):
    def make(kind="music", **fields):
        defaults = {
            "model": "facebook/musicgen-small",
            "url": server.url,
            "style": "toolkit",
            "prompt": "slow jazz",
            "parameters": {"duration": 8} if kind == "music" else {},
            "image": None,
            "timeout": 5,
            "folder": tmp_path,
        }
        provider = HuggingFace(tokens.get, forget_tokens=tokens.forget)
        return provider.submit(Call(**{"kind": kind, **defaults, **fields}))

    return make


@pytest.fixture
def failure(submit):
    def make(*args, **fields):
        with pytest.raises(ProviderError) as caught:
            submit(*args, **fields)
        return caught.value

    return make


@pytest.fixture(scope="session")
def shared_hub():
    with HubServer(quick=True, token=TOKEN) as hub:
        yield hub


@pytest.fixture
def hub(shared_hub):
    """Hugging Face's Hub and its partners: a generation is done at its second poll."""
    shared_hub.clear()
    return shared_hub


@pytest.fixture
def routed(tokens, hub, tmp_path):
    """The provider of one of Hugging Face's routed routes, and the call to make of it."""
    providers = adapters(tokens)

    def make(name, **fields):
        return providers[ROUTES[name][0]], call(name, hub.url, tmp_path, **fields)

    return make


def adapters(tokens):
    """The adapters of all providers, with these tokens and without a bucket."""
    context = AdapterContext(read_token=tokens.get, forget_tokens=tokens.forget, open_s3=None, bucket_name="")
    return Adapters(PROVIDERS, context)
