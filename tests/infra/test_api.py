"""The REST API: its routes, limits and log, and the refusals that API Gateway answers by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.infra.reading import Template, only, properties, readable

CALLBACKS = "/callbacks/{provider}/{job}/{fence}"
FILES = "/files/{job}/{token}/{n}"
DESCRIPTION = "/openapi.json"
PROBLEMS = "/problems/{code}"
PAGE, WEB = "/", "/web/{file+}"
ROUTES = {
    ("POST", "/generate"): "ApiSubmit",
    ("POST", "/uploads"): "ApiSubmit",
    ("GET", "/jobs"): "ApiJobs",
    ("GET", "/jobs/{id}"): "ApiJobs",
    ("DELETE", "/jobs/{id}"): "ApiJobs",
    ("GET", "/jobs/{id}/outputs/{n}"): "ApiJobs",
    ("GET", "/jobs/{id}/outputs/{n}/peaks"): "ApiJobs",
    ("POST", "/jobs/{id}/cancel"): "ApiJobs",
    ("POST", "/jobs/{id}/retry"): "ApiJobs",
    ("GET", "/jobs/{id}/deliveries"): "ApiJobs",
    ("POST", "/jobs/{id}/redeliver"): "ApiJobs",
    ("GET", "/batches"): "ApiBatches",
    ("POST", "/batches"): "ApiBatches",
    ("GET", "/batches/{id}"): "ApiBatches",
    ("GET", "/batches/{id}/results"): "ApiBatches",
    ("POST", "/batches/{id}/cancel"): "ApiBatches",
    ("POST", "/webhooks/test"): "ApiWebhooks",
    ("POST", "/webhooks/secret"): "ApiWebhooks",
    ("GET", "/usage"): "ApiJobs",
    ("GET", "/models"): "ApiJobs",
    ("GET", "/health"): "ApiJobs",
    ("GET", "/key"): "MOCK",
    ("GET", FILES): "ApiJobs",
    ("GET", DESCRIPTION): "ApiJobs",
    ("GET", PAGE): "ApiWeb",
    ("GET", PROBLEMS): "ApiWeb",
    ("GET", WEB): "ApiWeb",
    ("POST", CALLBACKS): "ApiCallbacks",
}


def test_each_method_and_path_calls_its_function(prod: Template) -> None:
    """The table above lists every path of the API."""
    methods = [method for method in _methods(prod) if method["HttpMethod"] != "OPTIONS"]
    assert {(m["HttpMethod"], _path(prod, m["ResourceId"])): _target(m) for m in methods} == ROUTES


def test_only_callbacks_links_pages_the_description_and_preflights_need_no_key(prod: Template) -> None:
    """Every other method requires an API key."""
    keyless = [method for method in _methods(prod) if not method["ApiKeyRequired"]]
    calls = [method for method in keyless if method["HttpMethod"] != "OPTIONS"]
    found = {(_path(prod, method["ResourceId"]), _target(method)) for method in calls}
    assert found == {
        (CALLBACKS, "ApiCallbacks"),
        (FILES, "ApiJobs"),
        (DESCRIPTION, "ApiJobs"),
        (PAGE, "ApiWeb"),
        (PROBLEMS, "ApiWeb"),
        (WEB, "ApiWeb"),
    }


def test_the_keys_work_at_the_stage_prod(prod: Template) -> None:
    """The usage plan belongs to the stage that callers use."""
    assert _stage(prod)["StageName"] == "prod"
    [stage] = only(prod, "AWS::ApiGateway::UsagePlan")["ApiStages"]
    assert readable(stage["Stage"]).startswith("ApiRestApiDeploymentStageprod")


def test_one_key_cannot_use_up_the_limit_of_the_whole_api(prod: Template) -> None:
    """The usage plan allows one key fewer requests than the stage takes."""
    for_all = _throttles(prod)["/*"]
    for_one = only(prod, "AWS::ApiGateway::UsagePlan")["Throttle"]
    assert for_one["RateLimit"] < for_all["ThrottlingRateLimit"]
    assert for_one["BurstLimit"] < for_all["ThrottlingBurstLimit"]


@pytest.mark.parametrize(
    ("path", "verb"),
    [(CALLBACKS, "POST"), (FILES, "GET"), (DESCRIPTION, "GET"), (PAGE, "GET"), (PROBLEMS, "GET"), (WEB, "GET")],
)
def test_a_flood_without_a_key_takes_no_requests_from_callers_with_one(prod: Template, path: str, verb: str) -> None:
    """Callbacks and links to files each have a lower limit, counted separately."""
    throttles = _throttles(prod)
    own = throttles["/" if path == "/" else "/" + path.replace("/", "~1")]
    assert own["HttpMethod"] == verb
    assert own["ThrottlingRateLimit"] < throttles["/*"]["ThrottlingRateLimit"]


@pytest.mark.parametrize("api", ["Api", "Faces"])
def test_the_access_log_is_json_and_contains_no_key(prod: Template, api: str) -> None:
    """A key is a password."""
    line = _stage(prod, api)["AccessLogSetting"]["Format"]
    assert json.loads(line)["status"] == "$context.status"
    assert "$context.identity.apiKey" not in json.loads(line).values()


@pytest.mark.parametrize("api", ["Api", "Faces"])
def test_the_access_log_contains_neither_path_nor_query(prod: Template, api: str) -> None:
    """A callback carries its token in the query, a link to a file in the path."""
    line = _stage(prod, api)["AccessLogSetting"]["Format"]
    assert json.loads(line)["resource"] == "$context.resourcePath"
    assert "$context.path" not in line
    assert "query" not in line.lower()


@pytest.mark.parametrize("api", ["Api", "Faces"])
def test_every_refusal_is_a_problem_document_that_a_page_may_read(prod: Template, api: str) -> None:
    """The headers allow any origin to read it."""
    for response in _responses(prod, api).values():
        headers = response["ResponseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        assert headers["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"
        problem = _problem(response)
        assert problem["type"] == f"urn:longplay:problem:{problem['code']}"
        assert problem["title"]
        assert problem["detail"]


@pytest.mark.parametrize(
    ("kind", "status", "advice"),
    [
        ("BAD_REQUEST_BODY", 400, "JSON object"),
        ("UNAUTHORIZED", 401, "x-api-key"),
        ("INVALID_API_KEY", 403, "x-api-key"),
        ("MISSING_AUTHENTICATION_TOKEN", 404, "POST /generate"),
        ("REQUEST_TOO_LARGE", 413, "10 MB"),
        ("THROTTLED", 429, "Retry-After"),
        ("INTEGRATION_TIMEOUT", 504, "Idempotency-Key"),
    ],
)
def test_a_refusal_says_what_to_do(prod: Template, kind: str, status: int, advice: str) -> None:
    """The detail names the header, limit or path that helps."""
    response = _responses(prod)[kind]
    assert response["StatusCode"] == str(status)
    assert _problem(response)["status"] == status
    assert advice in _problem(response)["detail"]


def test_only_a_retryable_refusal_has_a_retry_after_header(prod: Template) -> None:
    """Repeating any other request gives the same refusal."""
    for response in _responses(prod).values():
        says_when = "gatewayresponse.header.Retry-After" in response["ResponseParameters"]
        assert says_when is _problem(response)["retryable"]


def _of(template: Template, kind: str, api: str) -> list[dict[str, Any]]:
    """The resources of one type that belong to an API, `Api` or `Faces`."""
    of_all = properties(template, f"AWS::ApiGateway::{kind}").values()
    return [found for found in of_all if readable(found["RestApiId"]) == f"{api}RestApi"]


def _methods(template: Template, api: str = "Api") -> list[dict[str, Any]]:
    return _of(template, "Method", api)


def _stage(template: Template, api: str = "Api") -> dict[str, Any]:
    [stage] = _of(template, "Stage", api)
    return stage


def _throttles(template: Template) -> dict[str, dict[str, Any]]:
    settings = _stage(template)["MethodSettings"]
    return {setting["ResourcePath"]: setting for setting in settings}


def _path(template: Template, resource: dict[str, str]) -> str:
    if "Ref" not in resource:
        return "/"
    place = template["Resources"][resource["Ref"]]["Properties"]
    return f"{_path(template, place['ParentId']).rstrip('/')}/{place['PathPart']}"


def _target(method: dict[str, Any]) -> str:
    """The function that a method calls, or MOCK where API Gateway answers by itself."""
    integration = method["Integration"]
    function: str = readable(integration.get("Uri", "")).rpartition("functions/")[2].partition(".")[0]
    return function or str(integration["Type"])


def _responses(template: Template, api: str = "Api") -> dict[str, dict[str, Any]]:
    return {response["ResponseType"]: response for response in _of(template, "GatewayResponse", api)}


def _problem(response: dict[str, Any]) -> dict[str, Any]:
    problem: dict[str, Any] = json.loads(response["ResponseTemplates"]["application/json"])
    return problem
