"""The second REST API, for other people's clients: its routes, keys and answers."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest

from infra.settings.settings import SettingsError, stage_from
from infra.stack import LongplayStack
from tests.infra.reading import Template, only, properties, readable

ROUTES = {
    ("POST", "/models/{name}"),
    ("POST", "/models/{name}/{part}"),
    ("GET", "/waits/{job}"),
    ("POST", "/waits/{job}"),
    ("POST", "/v1/images/generations"),
    ("GET", "/v1/images/generations/{job}"),
    ("POST", "/v1/images/generations/{job}"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/{name}"),
}


def _methods(template: Template) -> list[dict[str, Any]]:
    methods = properties(template, "AWS::ApiGateway::Method").values()
    return [method for method in methods if readable(method["RestApiId"]) == "FacesRestApi"]


def _path(template: Template, resource: dict[str, str]) -> str:
    if "Ref" not in resource:
        return ""
    place = template["Resources"][resource["Ref"]]["Properties"]
    return f"{_path(template, place['ParentId'])}/{place['PathPart']}"


def test_every_call_asks_the_authorizer_and_every_preflight_nothing(prod: Template) -> None:
    """Each path has one call, and OPTIONS for pages."""
    calls = {(m["HttpMethod"], _path(prod, m["ResourceId"])): m["AuthorizationType"] for m in _methods(prod)}
    preflights = {("OPTIONS", path): "NONE" for _, path in ROUTES}
    assert calls == {**dict.fromkeys(ROUTES, "CUSTOM"), **preflights}


def test_the_authorizer_is_asked_about_keys_alone_and_remembered_for_minutes(prod: Template) -> None:
    """Anything that is no key of ours is refused by API Gateway itself."""
    authorizer = only(prod, "AWS::ApiGateway::Authorizer")
    assert (authorizer["AuthorizerResultTtlInSeconds"], authorizer["Type"]) == (300, "TOKEN")
    assert authorizer["IdentityValidationExpression"] == r"^Bearer lp_[a-z0-9-]{1,32}_\w+$"


def test_answers_are_bytes(prod: Template) -> None:
    """An image must not be read as text."""
    apis = properties(prod, "AWS::ApiGateway::RestApi")
    assert (apis["FacesRestApi"]["BinaryMediaTypes"], "BinaryMediaTypes" in apis["ApiRestApi"]) == (["*/*"], False)


@pytest.mark.parametrize("kind", ["UNAUTHORIZED", "ACCESS_DENIED", "THROTTLED", "DEFAULT_5XX"])
def test_a_refusal_is_in_the_members_that_clients_show(prod: Template, kind: str) -> None:
    """`message`, and `errors` with a message; about the key it names the header."""
    responses = properties(prod, "AWS::ApiGateway::GatewayResponse").values()
    [found] = [r for r in responses if r["ResponseType"] == kind and readable(r["RestApiId"]) == "FacesRestApi"]
    document = json.loads(found["ResponseTemplates"]["application/json"])
    assert document["message"] == document["detail"] == document["errors"][0]["message"]
    if document.get("status") in (401, 403):
        assert "Authorization: Bearer" in document["message"]


def test_a_deployment_without_faces_has_one_api(context: dict[str, Any]) -> None:
    """The setting leaves out the API, its functions and its output."""
    app = cdk.App(context=context)
    stack = LongplayStack(app, stage=stage_from({"stage": "local", "faces": "false"}))
    template: Template = app.synth().get_stack_by_name(stack.stack_name).template
    assert list(properties(template, "AWS::ApiGateway::RestApi")) == ["ApiRestApi"]
    assert "FacesUrl" not in template["Outputs"]


def test_faces_without_held_answers_are_refused() -> None:
    """They hold every answer."""
    with pytest.raises(SettingsError, match="set faces=false too"):
        stage_from({"held_answers": "0"})
    assert stage_from({"held_answers": "0", "faces": "false"}).held_answers == 0
