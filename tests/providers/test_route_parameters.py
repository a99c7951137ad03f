"""The parameters that the catalogue says a route ignores or approximates, compared with the orders it really sends.

Each parameter is varied within its bounds while the others have their defaults. Steps finer than half a second of
duration, and finer than a half of guidance, are not tested: a route may round them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from longplay.domain.catalogue import Bound, Kind, Model, Route
from longplay.domain.errors import ProviderError
from longplay.domain.models_file import load_catalogue
from longplay.domain.request import GenerationRequest
from longplay.engine.calls import prompt_of
from longplay.providers import PROVIDERS
from longplay.providers.loading import AdapterContext, Adapters
from longplay.providers.protocol import Call, Provider

from tests.harness.aws import ACCOUNT
from tests.providers.calls import make_call
from tests.providers.payloads import image_file
from tests.providers.recorder import Recorder

ROUTES = [(model, route) for model in load_catalogue(PROVIDERS).models.values() for route in model.routes]
SAMPLES = 8
TEXTS = ("gray", "red and green", "x")
FINEST = {"number": 0.5}

Send = Callable[[Model, Route, dict[str, Any]], Any]


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    """The server that records every order."""
    with Recorder() as server:
        yield server


@pytest.fixture
def providers(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Provider]:
    """New adapters without tokens, so that none remembers what the Hub said for another kind."""
    for name, value in ACCOUNT.items():
        monkeypatch.setenv(name, value)
    by_path = Config(s3={"addressing_style": "path"})
    context = AdapterContext(
        read_token=lambda _: None,
        forget_tokens=lambda: None,
        open_s3=lambda: boto3.client("s3", endpoint_url=recorder.url, config=by_path),
        bucket_name="bucket",
    )
    return Adapters(PROVIDERS, context)


@pytest.fixture
def send(recorder: Recorder, providers: Mapping[str, Provider], tmp_path: Path) -> Send:
    """The order that a provider makes of a request by a route."""

    def order(model: Model, route: Route, parameters: dict[str, Any]) -> Any:
        recorder.orders.clear()
        recorder.task = _task(model)
        with suppress(ProviderError):
            providers[route.provider].submit(_call(model, route, parameters, recorder.url, tmp_path))
        [sent] = recorder.orders
        return json.dumps(sent, sort_keys=True)

    return order


@pytest.mark.parametrize(("model", "route"), ROUTES, ids=[f"{model.name}-{route.name}" for model, route in ROUTES])
def test_a_route_honors_all_but_the_parameters_it_names(send: Send, model: Model, route: Route) -> None:
    """A route ignores or approximates exactly the parameters that the catalogue names for it."""
    defaults = {name: bound.default for name, bound in model.parameters.items() if bound.default is not None}
    seen: dict[str, list[str]] = {"ignores": [], "approximates": []}
    for name, bound in model.parameters.items():
        values = _values(bound)
        orders = {send(model, route, {**defaults, name: value}) for value in values}
        if len(orders) == 1:
            seen["ignores"].append(name)
        elif len(orders) < len(values):
            seen["approximates"].append(name)
    assert seen == {
        "ignores": [name for name in model.parameters if name in route.ignores],
        "approximates": [name for name in model.parameters if name in route.approximates],
    }
    assert set(route.ignores) | set(route.approximates) <= set(model.parameters)


def _values(bound: Bound) -> list[Any]:
    """Different values from one bound to the other, some of them neighbors."""
    if bound.type == "text":
        return list(TEXTS)
    least, most, step = bound.least or 0, bound.most or 0, bound.step or FINEST.get(bound.type, 1)
    last = int((most - least) / step)
    places = {0, 1, 2, 3, last - 1, last, *(last * n // SAMPLES for n in range(SAMPLES))}
    values = sorted(least + place * step for place in places if 0 <= place <= last)
    return [int(value) for value in values] if bound.type == "integer" else values


def _call(model: Model, route: Route, parameters: dict[str, Any], url: str, folder: Path) -> Call:
    request = GenerationRequest(kind=model.kind, model=model.name, prompt="a prompt", parameters=parameters)
    return make_call(
        folder,
        kind=model.kind,
        model=route.model,
        url=f"{url}/endpoints/some" if route.provider == "sagemaker" else url,
        style=route.style,
        prompt=prompt_of(request),
        parameters=parameters,
        image=image_file() if model.from_image else None,
        attempt="job-1",
        inputs=route.inputs,
    )


def _task(model: Model) -> str:
    if model.from_image:
        return "image-to-video"
    return "text-to-audio" if model.kind is Kind.MUSIC else f"text-to-{model.kind}"
