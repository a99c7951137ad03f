"""What can be learned of a route for nothing: each provider in each state."""

import json
import socket

import boto3
import pytest
from longplay.providers.checkups import ask, examine
from longplay.providers.hugging_face import endpoint_checkup, router_checkup, server_checkup
from longplay.providers.hugging_face.checkup import checkup_of
from moto.sagemaker.models import sagemaker_backends

from local.stand_ins.hub import HubServer
from local.stand_ins.model import ModelServer
from local.stand_ins.replicate import ReplicateServer
from tests.harness.aws import REGION
from tests.providers.checkup_visits import advice, findings, visit
from tests.providers.conftest import answer
from tests.providers.replicate_calls import FLUX, MUSICGEN

TOKEN = "r8_AbCdEfGh0123456789"
HF_TOKEN = "hf_AbCdEfGh0123456789"
HUB_MODEL = "black-forest-labs/FLUX.1-schnell"
ALL_WELL = {"token": "yes", "accepted": "yes", "live": "yes"}


@pytest.fixture(scope="module")
def shared_hub():
    with HubServer(quick=True, token=HF_TOKEN) as server:
        yield server


@pytest.fixture
def hub(shared_hub):
    granted, endpoints = list(shared_hub.granted), dict(shared_hub.endpoints)
    shared_hub.clear()
    yield shared_hub
    shared_hub.granted, shared_hub.endpoints = granted, endpoints


@pytest.fixture(scope="module")
def replicate_server():
    with ReplicateServer(quick=True, token=TOKEN) as server:
        yield server


@pytest.fixture
def fal_server(server):
    """fal's platform API by path; a test may put other answers in."""
    replies = {
        "/v1/models/pricing": (200, {"prices": [{"endpoint_id": "fal-ai/flux/schnell", "unit_price": 0.003}]}),
        "/v1/models": (200, {"models": [{"endpoint_id": "fal-ai/flux/schnell", "metadata": {"status": "active"}}]}),
    }

    def script(connection):
        status, body = replies[server.requests[-1].line.split()[1].partition("?")[0]]
        connection.sendall(answer(status, json.dumps(body).encode()))

    server.script, server.replies = script, replies
    return server


@pytest.mark.parametrize("model", [MUSICGEN, FLUX])
def test_at_replicate_token_and_model_or_version_are_there(replicate_server, tmp_path, model):
    found = examine(visit("replicate", model, replicate_server.url, tmp_path, replicate=TOKEN))
    assert findings(found) == ALL_WELL


def test_a_token_replicate_refuses_is_where_the_questions_end(replicate_server, tmp_path):
    found = examine(visit("replicate", FLUX, replicate_server.url, tmp_path, replicate="r8_another_token"))
    assert findings(found) == {"token": "yes", "accepted": "no"}
    assert "make token PROVIDER=replicate" in advice(found)


def test_a_model_replicate_does_not_have_is_said_with_its_page(replicate_server, tmp_path):
    found = examine(visit("replicate", "meta/gone", replicate_server.url, tmp_path, replicate=TOKEN))
    assert findings(found) == ALL_WELL | {"live": "no"}
    assert "https://replicate.com/meta/gone" in advice(found)


def test_without_a_token_replicate_is_not_even_asked(tmp_path):
    """The true address: this machine must not be asked for the network."""
    found = examine(visit("replicate", FLUX, "https://api.replicate.com", tmp_path))
    assert findings(found) == {"token": "no"}
    assert "make token PROVIDER=replicate" in advice(found)


def test_what_is_asked_of_a_vendor_is_never_more_than_a_get(replicate_server, hub, tmp_path):
    replicate_server.memory.clear()
    examine(visit("replicate", FLUX, replicate_server.url, tmp_path, replicate=TOKEN))
    examine(visit("hf-fal-ai", HUB_MODEL, hub.url, tmp_path, huggingface=HF_TOKEN))
    requests = [*replicate_server.requests, *hub.requests]
    assert {request.method for request in requests} == {"GET"}
    assert replicate_server.generations == hub.generations == 0


def test_what_routes_share_is_asked_once(replicate_server, tmp_path):
    replicate_server.memory.clear()
    one = visit("replicate", FLUX, replicate_server.url, tmp_path, replicate=TOKEN)
    examine(one)
    examine(one)
    assert [request.path for request in replicate_server.requests] == ["/v1/account", f"/v1/models/{FLUX}"]


@pytest.mark.parametrize("provider", ["hf-fal-ai", "hf-replicate", "hf-together", "hf-nscale", "hf-wavespeed"])
def test_a_model_that_a_partner_serves_is_live(hub, tmp_path, provider):
    found = examine(visit(provider, HUB_MODEL, hub.url, tmp_path, huggingface=HF_TOKEN))
    assert findings(found) == ALL_WELL | {"permitted": "yes"}


def test_a_video_route_is_looked_for_under_its_partners_name(hub, tmp_path):
    one = visit("hf-together-video", "Wan-AI/Wan2.2-TI2V-5B", hub.url, tmp_path, kind="video", huggingface=HF_TOKEN)
    assert findings(examine(one))["live"] == "yes"


@pytest.mark.parametrize("status", ["staging", "error"])
def test_a_model_that_is_not_live_is_said_with_its_page(hub, tmp_path, status):
    hub.mapping[HUB_MODEL]["fal-ai"]["status"] = status
    found = examine(visit("hf-fal-ai", HUB_MODEL, hub.url, tmp_path, huggingface=HF_TOKEN))
    assert findings(found)["live"] == "no"
    assert f"https://huggingface.co/{HUB_MODEL}" in advice(found)


def test_the_routers_own_provider_is_looked_for_as_hf_inference(hub, tmp_path):
    hub.mapping[HUB_MODEL]["hf-inference"] = {"status": "live", "providerId": HUB_MODEL, "task": "text-to-image"}
    one = visit("huggingface", HUB_MODEL, hub.url, tmp_path, huggingface=HF_TOKEN)
    assert findings(ask(router_checkup.CHECKUP, one))["live"] == "yes"


def test_a_token_hugging_face_refuses_is_where_the_questions_end(hub, tmp_path):
    found = examine(visit("hf-fal-ai", HUB_MODEL, hub.url, tmp_path, huggingface="hf_another_token"))
    assert findings(found) == {"token": "yes", "accepted": "no"}


@pytest.mark.parametrize("granted", [[], ["inference.endpoints.infer.write"], None, [{}]])
def test_a_token_without_the_permission_is_told_which(hub, tmp_path, granted):
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
def test_a_tokens_role_says_what_it_may(server, tmp_path, token, permitted):
    """None: this cannot be told, and is not said."""
    server.says(200, json.dumps({"auth": {"accessToken": token}}).encode())
    found = examine(visit("hf-fal-ai", HUB_MODEL, server.url, tmp_path, huggingface=HF_TOKEN))
    assert findings(found).get("permitted") == permitted


@pytest.mark.parametrize("namespace", ["longplay", "band"])
@pytest.mark.parametrize(
    ("state", "live"), [("running", "yes"), ("scaledToZero", "yes"), ("paused", "no"), ("failed", "no")]
)
def test_an_endpoint_is_found_in_the_accounts_list_or_an_organizations(hub, tmp_path, namespace, state, live):
    hub.endpoints[namespace] = [{"status": 7}, {"name": "a", "status": {"state": state, "url": hub.url}}]
    one = visit("huggingface", HUB_MODEL, hub.url, tmp_path, huggingface=HF_TOKEN)
    found = ask(endpoint_checkup.CHECKUP, one)
    assert findings(found) == ALL_WELL | {"permitted": "yes", "live": live}


def test_an_endpoint_itself_is_never_asked(hub, tmp_path):
    """Any request would wake it, and be paid for."""
    ask(endpoint_checkup.CHECKUP, visit("huggingface", HUB_MODEL, hub.url, tmp_path, huggingface=HF_TOKEN))
    paths = {request.path for request in hub.requests}
    assert paths == {"/api/whoami-v2", "/v2/endpoint/longplay", "/v2/endpoint/band"}


def test_an_endpoint_of_another_account_is_unknown(hub, tmp_path):
    hub.endpoints["band"] = [{"name": "a", "status": {"state": "running", "url": "https://other.example"}}]
    one = visit("huggingface", HUB_MODEL, hub.url, tmp_path, huggingface=HF_TOKEN)
    assert findings(ask(endpoint_checkup.CHECKUP, one))["live"] == "unknown"


def test_a_server_of_ones_own_is_asked_for_its_health(tmp_path):
    with ModelServer(quick=True) as own:
        found = examine(visit("huggingface", HUB_MODEL, f"{own.url}/models/{HUB_MODEL}", tmp_path))
        assert findings(found) == {"live": "yes"}
        assert own.generations == 0


@pytest.mark.parametrize(
    ("status", "found"), [(404, {"live": "yes"}), (503, {"live": "no"}), (401, {"accepted": "no"})]
)
def test_a_server_without_health_lives_by_answering(server, tmp_path, status, found):
    server.says(status)
    assert findings(examine(visit("huggingface", HUB_MODEL, server.url, tmp_path))) == found


def test_a_server_of_ones_own_that_is_down_is_the_operators_to_start(tmp_path):
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        found = examine(visit("huggingface", HUB_MODEL, f"http://127.0.0.1:{mute.getsockname()[1]}/", tmp_path))
    assert findings(found)["live"] == "no"
    assert "Start it" in advice(found)


def test_at_fal_key_and_endpoint_are_there(fal_server, tmp_path):
    found = examine(visit("fal", "fal-ai/flux/schnell", fal_server.url, tmp_path, fal="key:secret"))
    assert findings(found) == ALL_WELL
    assert {request.headers["authorization"] for request in fal_server.requests} == {"Key key:secret"}


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_fal_refuses_is_where_the_questions_end(fal_server, tmp_path, status):
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
def test_an_endpoint_of_fals_is_live_while_it_is_active(fal_server, tmp_path, models, live):
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
def test_the_questions_for_hugging_faces_contract_depend_on_the_server(tmp_path, url, checkup):
    assert checkup_of(visit("huggingface", HUB_MODEL, url, tmp_path)) is checkup


@pytest.fixture
def endpoint(aws):
    """An endpoint in an account of moto's."""
    client = boto3.client("sagemaker")
    client.create_model(ModelName="m", ExecutionRoleArn="arn:aws:iam::123456789012:role/r")
    variant = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.g4dn.xlarge"}
    client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    client.create_endpoint(EndpointName="longplay-musicgen", EndpointConfigName="c")
    return f"https://runtime.sagemaker.{REGION}.amazonaws.com/endpoints/longplay-musicgen"


def test_an_endpoint_of_sagemakers_is_live_in_service(endpoint, tmp_path):
    assert findings(examine(visit("sagemaker", "musicgen", endpoint, tmp_path, kind="music"))) == {"live": "yes"}


def test_an_endpoint_that_is_not_there_is_said_so(endpoint, tmp_path):
    found = examine(visit("sagemaker", "musicgen", endpoint.replace("longplay-", "other-"), tmp_path, kind="music"))
    assert findings(found) == {"live": "no"}
    assert "There is no endpoint other-musicgen" in advice(found)


@pytest.mark.parametrize(("status", "live"), [("Creating", "unknown"), ("Updating", "yes"), ("Failed", "no")])
def test_an_endpoint_on_its_way_says_how_far_it_is(endpoint, tmp_path, status, live):
    account = sagemaker_backends["123456789012"][REGION]
    account.endpoints["longplay-musicgen"].endpoint_status = status
    found = examine(visit("sagemaker", "musicgen", endpoint, tmp_path, kind="music"))
    assert findings(found) == {"live": live}
