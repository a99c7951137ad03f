"""Calls to a Gradio app, as routes make them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from longplay.providers import PROVIDERS
from longplay.providers.loading import AdapterContext, Adapters
from longplay.providers.protocol import Accepted, Call, PolledProvider

from tests.providers.calls import make_call
from tests.providers.tokens import Tokens

MUSICGEN = "facebook/musicgen-small"
TEMPLATE: dict[str, Any] = {"model": MUSICGEN, "prompt": "{prompt}", "parameters": "{parameters}", "image": "{image}"}


def app_call(url: str, folder: Path, **fields: Any) -> Call:
    """A call to the endpoint `generate` of the app at this URL, for two seconds of music."""
    usual: dict[str, Any] = {"kind": "music", "model": "generate", "inputs": TEMPLATE, "parameters": {"duration": 2}}
    return make_call(folder, url=url, **{**usual, **fields})


def space_adapter(tokens: Tokens) -> PolledProvider:
    """The adapter of the provider `space`, with these tokens."""
    context = AdapterContext(
        read_token=tokens.get, forget_tokens=tokens.forget, open_s3=pytest.fail, bucket_name="bucket"
    )
    adapter = Adapters(PROVIDERS, context)["space"]
    assert isinstance(adapter, PolledProvider)
    return adapter


def submitted(space: PolledProvider, call: Call) -> str:
    """The id of the call, once it is accepted."""
    answer = space.submit(call)
    assert isinstance(answer, Accepted)
    return answer.ref


def ended(space: PolledProvider, call: Call) -> str:
    """The path of the file that a call has made."""
    answer = space.poll(submitted(space, call), call)
    assert isinstance(answer, Accepted)
    return answer.ref
