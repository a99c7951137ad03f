"""The model server of a local run, from the environment: an address as it is, or the setting `servers`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.run.model_source import ModelSource, model_source, url_template
from local.tools import LocalRunError


def source(value: str) -> ModelSource:
    """The source for this MODEL_SERVER."""
    with model_source({"MODEL_SERVER": value}, Path()) as found:
        return found


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/models/{model}"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
        ("http://127.0.0.1:8080/predict", "http://127.0.0.1:8080/predict"),
        ("https://example.com/v1/{model}", "https://example.com/v1/{model}"),
    ],
)
def test_an_address_with_a_path_is_taken_as_it_is(address: str, asked: str) -> None:
    """A slash is a path: Hugging Face's own toolkit answers there and nowhere else."""
    assert url_template(address) == asked
    assert json.loads(source(address).context["servers"]) == {"*": asked}
    assert asked in source(address).name


def test_the_setting_servers_is_taken_as_it_is() -> None:
    """One address for each server, as at a deployment."""
    servers = json.dumps({"musicgen-small": "http://127.0.0.1:8081/", "*": "http://127.0.0.1:8080/"})
    assert source(f" {servers}").context == {"servers": servers}


@pytest.mark.parametrize("value", ['{"*": ', "{}", '{"*": 7}'])
def test_json_that_names_no_server_is_refused(value: str) -> None:
    """The error shows how it is written."""
    with pytest.raises(LocalRunError, match=r"127\.0\.0\.1:8080"):
        source(value)
