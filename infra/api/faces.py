"""The faces: a second REST API for clients of Hugging Face and OpenAI, who send their key as a Bearer token.

It is a separate API because its answers are files (every type is binary) and its keys come in another header.
"""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.api.api import ACCESS_LOG, ACKNOWLEDGED, LONGEST_ANSWER, allow_submitting
from infra.api.refusals import add_refusals
from infra.functions.acknowledge import acknowledge
from infra.functions.function import LOG_RETENTION, Function, Runtime

#: The authorizer asks API Gateway once, which takes milliseconds.
LONGEST_LOOK = cdk.Duration.seconds(10)

#: API Gateway keeps what the authorizer says for so long; a key that is revoked opens the faces until then.
KEPT = cdk.Duration.minutes(5)
A_KEY = r"^Bearer lp_[a-z0-9-]{1,32}_\w+$"

#: `curl -X POST -L` sends POST to the address of a redirect too.
AFTER_A_REDIRECT = ("GET", "POST")
CALLS = {
    "/models/{name}": ("POST",),
    "/models/{name}/{part}": ("POST",),
    "/waits/{job}": AFTER_A_REDIRECT,
    "/v1/images/generations": ("POST",),
    "/v1/images/generations/{job}": AFTER_A_REDIRECT,
    "/v1/models": ("GET",),
    "/v1/models/{name}": ("GET",),
}
NO_KEY = "Send your Longplay key as a Bearer token: `Authorization: Bearer lp_…`. The operator issues keys."
NO_PATH = "There is no such path. Faces have POST /models/{id} and POST /v1/images/generations."
REFUSED = {"unauthorized": NO_KEY, "forbidden": f"The key was not accepted. {NO_KEY}", "not_found": NO_PATH}
BEARER = "A Bearer token is the caller's API key; an authorizer asks Longplay's own API about it."
PREFLIGHT = "A browser asks before a call, without a key, which headers it may send. The answer is the same for all."


class Faces(Construct):
    """Exposes `rest_api`, and the functions `faces` and `authorizer`."""

    def __init__(
        self, scope: Construct, construct_id: str, *, runtime: Runtime, key_url: str, requests_per_second: int
    ) -> None:
        super().__init__(scope, construct_id)
        self.faces = Function(self, "Faces", entry="faces", runtime=runtime, timeout=LONGEST_ANSWER)
        environment = {"KEY_URL": key_url}
        self.authorizer = Function(
            self, "Authorizer", entry="authorizer", runtime=runtime, timeout=LONGEST_LOOK, environment=environment
        )
        allow_submitting(self.faces)  # it also reads the job and its file
        self.rest_api = self._rest_api(requests_per_second)
        self._route()
        add_refusals(self.rest_api, details=REFUSED, for_other_clients=True)

    def _rest_api(self, requests_per_second: int) -> apigateway.RestApi:
        log = logs.LogGroup(self, "AccessLog", retention=LOG_RETENTION, removal_policy=cdk.RemovalPolicy.DESTROY)
        rest_api = apigateway.RestApi(
            self,
            "RestApi",
            rest_api_name=f"{cdk.Stack.of(self).stack_name}-faces",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            binary_media_types=["*/*"],
            deploy_options=apigateway.StageOptions(
                stage_name="prod",
                throttling_rate_limit=requests_per_second,
                throttling_burst_limit=2 * requests_per_second,
                access_log_destination=apigateway.LogGroupLogDestination(log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(ACCESS_LOG)),
            ),
        )
        rest_api.node.try_remove_child("Endpoint")
        acknowledge(rest_api, ACKNOWLEDGED)
        return rest_api

    def _route(self) -> None:
        authorizer = apigateway.TokenAuthorizer(
            self, "Keys", handler=self.authorizer, validation_regex=A_KEY, results_cache_ttl=KEPT
        )
        integration = apigateway.LambdaIntegration(self.faces, allow_test_invoke=False)
        for path, verbs in CALLS.items():
            resource = self.rest_api.root.resource_for_path(path)
            for verb in verbs:
                method = resource.add_method(verb, integration, authorizer=authorizer)
                acknowledge(method, {"AwsSolutions-COG4": BEARER})
            # not API Gateway's own answer to a preflight: it fails where every type is binary
            preflight = resource.add_method("OPTIONS", integration)
            acknowledge(preflight, {"AwsSolutions-APIG4": PREFLIGHT, "AwsSolutions-COG4": PREFLIGHT})
