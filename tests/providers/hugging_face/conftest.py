"""Hugging Face's provider, calling the raw server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from longplay.domain.errors import ProviderError
from longplay.providers.hugging_face.adapter import HuggingFace
from longplay.providers.protocol import Done

from tests.providers.calls import make_call
from tests.providers.failures import raised
from tests.providers.hugging_face.calls import MODEL, Failure, Submit
from tests.providers.raw_server import RawServer
from tests.providers.tokens import Tokens


@pytest.fixture
def submit(server: RawServer, tokens: Tokens, tmp_path: Path) -> Submit:
    """Submits a call to the server, for music of 8 s unless the test says otherwise."""

    def make(kind: str = "music", provider: HuggingFace | None = None, **fields: Any) -> Done:
        parameters = {"duration": 8} if kind == "music" else {}
        route = {"kind": kind, "model": MODEL, "url": server.url, "parameters": parameters}
        asked = provider or HuggingFace(tokens.get, forget_tokens=tokens.forget)
        return asked.submit(make_call(tmp_path, **{**route, **fields}))

    return make


@pytest.fixture
def failure(submit: Submit) -> Failure:
    """Submits a call and returns the failure it raises."""

    def make(*args: Any, **fields: Any) -> ProviderError:
        return raised(submit, *args, **fields)

    return make
