"""The authorizer of the faces: a key opens them exactly if Longplay's own API knows it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError

import authorizer
import pytest

KEY = "lp_alice_0123456789abcdef"
ARN = "arn:aws:execute-api:eu-central-1:123456789012:abc123/prod/POST/models/a/b"


class OwnApi:
    """GET /key of our API, which answers with `status` and remembers the keys."""

    def __init__(self) -> None:
        self.status, self.keys = 204, list[str | None]()
        own = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                own.keys.append(self.headers["x-api-key"])
                self.send_response(own.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/prod/key"


@pytest.fixture
def own_api(monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnApi]:
    """The API that the authorizer asks."""
    api = OwnApi()
    threading.Thread(target=api.server.serve_forever, daemon=True).start()
    monkeypatch.setenv("KEY_URL", api.url)
    yield api
    api.server.shutdown()
    api.server.server_close()


def _asked(header: str) -> dict[str, Any]:
    return authorizer.handler({"authorizationToken": header, "methodArn": ARN}, None)


def _effect(policy: dict[str, Any]) -> tuple[str, str]:
    [statement] = policy["policyDocument"]["Statement"]
    return statement["Effect"], statement["Resource"]


def test_a_known_key_opens_every_path_of_the_face(own_api: OwnApi) -> None:
    """API Gateway keeps the policy for the key, so it must be right for the next path too."""
    policy = _asked(f"Bearer {KEY}")
    assert _effect(policy) == ("Allow", "arn:aws:execute-api:eu-central-1:123456789012:abc123/prod/*")
    assert (policy["context"], own_api.keys) == ({"owner": "alice"}, [KEY])


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_the_api_does_not_know_opens_nothing(own_api: OwnApi, status: int) -> None:
    """Its owner is not believed either."""
    own_api.status = status
    policy = _asked(f"Bearer {KEY}")
    assert (_effect(policy)[0], policy["context"]) == ("Deny", {"owner": "unknown"})


@pytest.mark.parametrize(
    "header",
    [
        *(
            "",
            KEY,
            f"Basic {KEY}",
            f"bearer {KEY}",
            f"Bearer  {KEY}",
            f"Bearer {KEY} ",
            f"Bearer {KEY}\r\nx-api-key: y",
        ),
        *(
            "Bearer ",
            "Bearer sk-123",
            "Bearer lp_A_b",
            "Bearer lp_alice_",
            f"Bearer lp_{'a' * 33}_b",
            "Bearer lp_alice_٣",
        ),
    ],
)
def test_a_malformed_header_opens_nothing_and_asks_nothing(own_api: OwnApi, header: str) -> None:
    """Only keys that `make key` makes name their owner."""
    assert (_effect(_asked(header))[0], own_api.keys) == ("Deny", [])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_no_answer_is_neither_yes_nor_no(own_api: OwnApi, status: int) -> None:
    """It raises, so that API Gateway answers 500 and keeps nothing."""
    own_api.status = status
    with pytest.raises(HTTPError):
        _asked(f"Bearer {KEY}")


def test_the_address_of_an_emulators_api_is_relative_to_it(own_api: OwnApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """On AWS the variable is not there, and the address is whole."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", own_api.url.removesuffix("/prod/key"))
    monkeypatch.setenv("KEY_URL", "/prod/key")
    assert _effect(_asked(f"Bearer {KEY}"))[0] == "Allow"
