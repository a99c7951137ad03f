"""Checkups of the routes of each provider, in each state of the account and the model."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from longplay.providers.checkups import ask, examine
from longplay.providers.hugging_face import endpoint_checkup, router_checkup, server_checkup
from longplay.providers.hugging_face.checkup import checkup_of
from moto.sagemaker.models import sagemaker_backends

from local.stand_ins.hub import HubServer
from local.stand_ins.hub.served import STABLE_AUDIO
from local.stand_ins.model import ModelServer
from local.stand_ins.replicate import ReplicateServer
from tests.harness.aws import REGION
from tests.providers.checkup_visits import advice, findings, visit
from tests.providers.raw_server import RawServer, answer
from tests.providers.replicate.calls import FLUX, MUSICGEN

TOKEN = "r8_AbCdEfGh0123456789"
HF_TOKEN = "hf_AbCdEfGh0123456789"
HUB_MODEL = "black-forest-labs/FLUX.1-schnell"
ALL_WELL = {"token": "yes", "accepted": "yes", "live": "yes"}


Replies = dict[str, tuple[int, dict[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class FalApi:
    """fal's platform API on this machine, and its answers by path."""

    server: RawServer
    replies: Replies

    @property
    def url(self) -> str:
        """Its address."""
        return self.server.url


@pytest.fixture(scope="module")
def shared_hub() -> Iterator[HubServer]:
    """One stand-in of the Hub for the module."""
    with HubServer(quick=True, token=HF_TOKEN) as server:
        yield server


@pytest.fixture
def hub(shared_hub: HubServer) -> Iterator[HubServer]:
    """The Hub's stand-in, with nothing remembered."""
    granted, endpoints = list(shared_hub.granted), dict(shared_hub.endpoints)
    shared_hub.clear()
    yield shared_hub
    shared_hub.granted, shared_hub.endpoints = granted, endpoints


@pytest.fixture(scope="module")
def replicate_server() -> Iterator[ReplicateServer]:
    """Replicate's stand-in."""
    with ReplicateServer(quick=True, token=TOKEN) as server:
        yield server


@pytest.fixture
def fal_server(server: RawServer) -> FalApi:
    """fal's platform API; a test can change its answers, which are by path."""
    replies: Replies = {
        "/v1/models/pricing": (200, {"prices": [{"endpoint_id": "fal-ai/flux/schnell", "unit_price": 0.003}]}),
        "/v1/models": (200, {"models": [{"endpoint_id": "fal-ai/flux/schnell", "metadata": {"status": "active"}}]}),
    }

    def script(connection: socket.socket) -> None:
        status, body = replies[server.requests[-1].line.split()[1].partition("?")[0]]
        connection.sendall(answer(status, json.dumps(body).encode()))

    server.script = script
    return FalApi(server=server, replies=replies)


@pytest.mark.parametrize("model", [MUSICGEN, FLUX])
def test_replicate_accepts_the_token_and_has_the_model_or_version(
    replicate_server: ReplicateServer, tmp_path: Path, model: str
) -> None:
    """Replicate accepts the token and has the model or version."""
    found = examine(visit("replicate", model, replicate_server.url, tmp_path, replicate=TOKEN))
    assert findings(found) == ALL_WELL


def test_a_token_that_replicate_refuses_ends_the_checkup(replicate_server: ReplicateServer, tmp_path: Path) -> None:
    """A token that replicate refuses ends the checkup."""
    found = examine(visit("replicate", FLUX, replicate_server.url, tmp_path, replicate="r8_another_token"))
    assert findings(found) == {"token": "yes", "accepted": "no"}
    assert "make token PROVIDER=replicate" in advice(found)


def test_a_model_that_replicate_lacks_is_reported_with_its_page(
    replicate_server: ReplicateServer, tmp_path: Path
) -> None:
    """A model that replicate lacks is reported with its page."""
    found = examine(visit("replicate", "meta/gone", replicate_server.url, tmp_path, replicate=TOKEN))
    assert findings(found) == ALL_WELL | {"live": "no"}
    assert "https://replicate.com/meta/gone" in advice(found)


def test_without_a_token_replicate_gets_no_request(tmp_path: Path) -> None:
    """The address is the real one, so a request would fail here."""
    found = examine(visit("replicate", FLUX, "https://api.replicate.com", tmp_path))
    assert findings(found) == {"token": "no"}
    assert "make token PROVIDER=replicate" in advice(found)


def test_a_checkup_sends_only_get_requests(replicate_server: ReplicateServer, hub: HubServer, tmp_path: Path) -> None:
    """A checkup sends only get requests."""
    replicate_server.memory.clear()
    examine(visit("replicate", FLUX, replicate_server.url, tmp_path, replicate=TOKEN))
    examine(visit("hf-fal-ai", HUB_MODEL, hub.url, tmp_path, huggingface=HF_TOKEN))
    requests = [*replicate_server.requests, *hub.requests]
    assert {request.method for request in requests} == {"GET"}
    assert replicate_server.generations == hub.generations == 0


def test_a_request_that_routes_share_is_sent_once(replicate_server: ReplicateServer, tmp_path: Path) -> None:
    """A request that routes share is sent once."""
    replicate_server.memory.clear()
    one = visit("replicate", FLUX, replicate_server.url, tmp_path, replicate=TOKEN)
    examine(one)
    examine(one)
    assert [request.path for request in replicate_server.requests] == ["/v1/account", f"/v1/models/{FLUX}"]


@pytest.mark.parametrize("provider", ["hf-fal-ai", "hf-replicate", "hf-together", "hf-nscale", "hf-wavespeed"])
def test_a_model_that_a_partner_serves_is_live(hub: HubServer, tmp_path: Path, provider: str) -> None:
    """A model that a partner serves is live."""
    found = examine(visit(provider, HUB_MODEL, hub.url, tmp_path, huggingface=HF_TOKEN))
    assert findings(found) == ALL_WELL | {"permitted": "yes"}


def test_a_video_route_is_found_under_its_partners_name(hub: HubServer, tmp_path: Path) -> None:
    """A video route is found under its partners name."""
    one = visit("hf-together-video", "Wan-AI/Wan2.2-TI2V-5B", hub.url, tmp_path, kind="video", huggingface=HF_TOKEN)
    assert findings(examine(one))["live"] == "yes"


def test_music_at_a_partner_is_live_for_its_own_task(hub: HubServer, tmp_path: Path) -> None:
    """A model of music is live if the Hub lists it for text-to-audio, and not for another task."""
    for task, live in (("text-to-audio", "yes"), ("text-to-speech", "no")):
        hub.mapping[STABLE_AUDIO]["fal-ai"]["task"] = task
        found = examine(visit("hf-fal-ai", STABLE_AUDIO, hub.url, tmp_path, kind="music", huggingface=HF_TOKEN))
        assert findings(found)["live"] == live


@pytest.mark.parametrize("status", ["staging", "error"])
def test_a_model_that_is_not_live_is_reported_with_its_page(hub: HubServer, tmp_path: Path, status: str) -> None:
    """A model that is not live is reported with its page."""
    hub.mapping[HUB_MODEL]["fal-ai"]["status"] = status
    found = examine(visit("hf-fal-ai", HUB_MODEL, hub.url, tmp_path, huggingface=HF_TOKEN))
    assert findings(found)["live"] == "no"
    assert f"https://huggingface.co/{HUB_MODEL}" in advice(found)


def test_the_routers_own_provider_is_found_as_hf_inference(hub: HubServer, tmp_path: Path) -> None:
    """The routers own provider is found as hf inference."""
    hub.mapping[HUB_MODEL]["hf-inference"] = {"status": "live", "providerId": HUB_MODEL, "task": "text-to-image"}
    one = visit("huggingface", HUB_MODEL, hub.url, tmp_path, huggingface=HF_TOKEN)
    assert findings(ask(router_checkup.CHECKUP, one))["live"] == "yes"


def test_a_token_that_hugging_face_refuses_ends_the_checkup(hub: HubServer, tmp_path: Path) -> None:
    """A token that hugging face refuses ends the checkup."""
    found = examine(visit("hf-fal-ai", HUB_MODEL, hub.url, tmp_path, huggingface="hf_another_token"))
    assert findings(found) == {"token": "yes", "accepted": "no"}


@pytest.mark.parametrize("granted", [[], ["inference.endpoints.infer.write"], None, [{}]])
def test_a_missing_permission_is_named(hub: HubServer, tmp_path: Path, granted: Any) -> None:
    """A missing permission is named."""
    hub.granted = granted
    found = examine(visit("hf-fal-ai", HUB_MODEL, hub.url, tmp_path, huggingface=HF_TOKEN))
    assert findings(found) == {"token": "yes", "accepted": "yes", "permitted": "no"}
    assert "Make calls to Inference Providers" in advice(found)


@pytest.mark.parametrize(
    ("token", "permitted"),
    [
        ({"role": "read"}, "yes"),
        ({"role": "write"}, "yes"),
        ({"role": "god"}, None),
        ({"role": "fineGrained", "fineGrained": []}, None),
        ({"role": "fineGrained", "fineGrained": {"global": ["inference.serverless.write"]}}, "yes"),
        ({"role": "fineGrained", "fineGrained": {"global": 7, "scoped": {"permissions": 7}}}, "no"),
        ([], None),
    ],
)
def test_the_role_of_a_token_decides_whether_it_is_permitted(
    server: RawServer, tmp_path: Path, token: Any, permitted: Any
) -> None:
    """None: the answer does not show it, so there is no finding."""
    server.says(200, json.dumps({"auth": {"accessToken": token}}).encode())
    found = examine(visit("hf-fal-ai", HUB_MODEL, server.url, tmp_path, huggingface=HF_TOKEN))
    assert findings(found).get("permitted") == permitted


@pytest.mark.parametrize("namespace", ["longplay", "band"])
@pytest.mark.parametrize(
    ("state", "live"), [("running", "yes"), ("scaledToZero", "yes"), ("paused", "no"), ("failed", "no")]
)
def test_an_endpoint_is_found_in_the_list_of_the_account_or_an_organization(
    hub: HubServer, tmp_path: Path, namespace: Any, state: Any, live: Any
) -> None:
    """An endpoint is found in the list of the account or an organization."""
    hub.endpoints[namespace] = [{"status": 7}, {"name": "a", "status": {"state": state, "url": hub.url}}]
    one = visit("huggingface", HUB_MODEL, hub.url, tmp_path, huggingface=HF_TOKEN)
    found = ask(endpoint_checkup.CHECKUP, one)
    assert findings(found) == ALL_WELL | {"permitted": "yes", "live": live}


def test_an_endpoint_itself_gets_no_request(hub: HubServer, tmp_path: Path) -> None:
    """Any request would start it, and it is billed then."""
    ask(endpoint_checkup.CHECKUP, visit("huggingface", HUB_MODEL, hub.url, tmp_path, huggingface=HF_TOKEN))
    paths = {request.path for request in hub.requests}
    assert paths == {"/api/whoami-v2", "/v2/endpoint/longplay", "/v2/endpoint/band"}


def test_an_endpoint_of_another_account_is_unknown(hub: HubServer, tmp_path: Path) -> None:
    """An endpoint of another account is unknown."""
    hub.endpoints["band"] = [{"name": "a", "status": {"state": "running", "url": "https://other.example"}}]
    one = visit("huggingface", HUB_MODEL, hub.url, tmp_path, huggingface=HF_TOKEN)
    assert findings(ask(endpoint_checkup.CHECKUP, one))["live"] == "unknown"


def test_a_self_hosted_server_is_asked_for_its_health(tmp_path: Path) -> None:
    """A self hosted server is asked for its health."""
    with ModelServer(quick=True) as own:
        found = examine(visit("huggingface", HUB_MODEL, f"{own.url}/models/{HUB_MODEL}", tmp_path))
        assert findings(found) == {"live": "yes"}
        assert own.generations == 0


@pytest.mark.parametrize(
    ("health", "path", "found"),
    [
        (404, 405, {"live": "yes"}),
        (200, 501, {"live": "yes"}),
        (404, 404, {"live": "no"}),
        (200, 404, {"live": "no"}),
        (200, 410, {"live": "no"}),
        (503, 405, {"live": "no"}),
        (401, 401, {"accepted": "no"}),
    ],
)
def test_a_server_is_live_if_it_answers_and_has_the_path(
    server: RawServer, tmp_path: Path, health: int, path: int, found: Any
) -> None:
    """Its own path is asked by OPTIONS, which generates nothing; it need not have /health."""

    def script(connection: socket.socket) -> None:
        at_health = server.requests[-1].line.startswith("GET /health ")
        connection.sendall(answer(health if at_health else path))

    server.script = script
    assert findings(examine(visit("huggingface", HUB_MODEL, server.url, tmp_path))) == found
    assert {request.line.split()[0] for request in server.requests} <= {"GET", "OPTIONS"}


def test_the_advice_for_a_self_hosted_server_that_is_down_is_to_start_it(tmp_path: Path) -> None:
    """The advice for a self hosted server that is down is to start it."""
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        found = examine(visit("huggingface", HUB_MODEL, f"http://127.0.0.1:{mute.getsockname()[1]}/", tmp_path))
    assert findings(found)["live"] == "no"
    assert "Start it" in advice(found)


def test_fal_accepts_the_key_and_has_the_endpoint(fal_server: FalApi, tmp_path: Path) -> None:
    """Fal accepts the key and has the endpoint."""
    found = examine(visit("fal", "fal-ai/flux/schnell", fal_server.url, tmp_path, fal="key:secret"))
    assert findings(found) == ALL_WELL
    assert {request.headers["authorization"] for request in fal_server.server.requests} == {"Key key:secret"}


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_fal_refuses_ends_the_checkup(fal_server: FalApi, tmp_path: Path, status: int) -> None:
    """A key that fal refuses ends the checkup."""
    fal_server.replies["/v1/models/pricing"] = (status, {"error": {"type": "authorization_error"}})
    found = examine(visit("fal", "fal-ai/flux/schnell", fal_server.url, tmp_path, fal="key:secret"))
    assert findings(found) == {"token": "yes", "accepted": "no"}
    assert "make token PROVIDER=fal" in advice(found)


@pytest.mark.parametrize(
    ("models", "live"),
    [
        ([{"metadata": {"status": "deprecated"}}], "no"),
        ([], "no"),
        ({}, "no"),
        ([7, {"metadata": 7}], "no"),
        ([7, {"metadata": {"status": "active"}}], "yes"),
    ],
)
def test_an_endpoint_at_fal_is_live_while_it_is_active(
    fal_server: FalApi, tmp_path: Path, models: Any, live: Any
) -> None:
    """An endpoint at fal is live while it is active."""
    fal_server.replies["/v1/models"] = (200, {"models": models})
    found = examine(visit("fal", "fal-ai/flux/schnell", fal_server.url, tmp_path, fal="key:secret"))
    assert findings(found)["live"] == live


@pytest.mark.parametrize(
    ("url", "checkup"),
    [
        ("https://router.huggingface.co/hf-inference/models/x/y", router_checkup.CHECKUP),
        ("https://a1.eu-west-1.aws.endpoints.huggingface.cloud", endpoint_checkup.CHECKUP),
        ("https://gpu.example.com/models/x", server_checkup.CHECKUP),
        ("https://x.endpoints.huggingface.cloud.example.com", server_checkup.CHECKUP),
    ],
)
def test_the_questions_for_hugging_faces_contract_depend_on_the_server(tmp_path: Path, url: str, checkup: Any) -> None:
    """The questions for hugging faces contract depend on the server."""
    assert checkup_of(visit("huggingface", HUB_MODEL, url, tmp_path)) is checkup


@pytest.fixture
def endpoint(aws: Any) -> str:
    """The URL of a SageMaker endpoint in an account on moto."""
    client = boto3.client("sagemaker")
    client.create_model(ModelName="m", ExecutionRoleArn="arn:aws:iam::123456789012:role/r")
    variant = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.g4dn.xlarge"}
    client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    client.create_endpoint(EndpointName="longplay-musicgen", EndpointConfigName="c")
    return f"https://runtime.sagemaker.{REGION}.amazonaws.com/endpoints/longplay-musicgen"


def test_a_sagemaker_endpoint_in_service_is_live(endpoint: str, tmp_path: Path) -> None:
    """A sagemaker endpoint in service is live."""
    assert findings(examine(visit("sagemaker", "musicgen", endpoint, tmp_path, kind="music"))) == {"live": "yes"}


def test_a_missing_sagemaker_endpoint_is_reported(endpoint: str, tmp_path: Path) -> None:
    """A missing sagemaker endpoint is reported."""
    found = examine(visit("sagemaker", "musicgen", endpoint.replace("longplay-", "other-"), tmp_path, kind="music"))
    assert findings(found) == {"live": "no"}
    assert "There is no endpoint other-musicgen" in advice(found)


@pytest.mark.parametrize(("status", "live"), [("Creating", "unknown"), ("Updating", "yes"), ("Failed", "no")])
def test_the_status_of_a_sagemaker_endpoint_decides_whether_it_is_live(
    endpoint: str, tmp_path: Path, status: str, live: Any
) -> None:
    """The status of a sagemaker endpoint decides whether it is live."""
    account = sagemaker_backends["123456789012"][REGION]
    account.endpoints["longplay-musicgen"].endpoint_status = status
    found = examine(visit("sagemaker", "musicgen", endpoint, tmp_path, kind="music"))
    assert findings(found) == {"live": live}
