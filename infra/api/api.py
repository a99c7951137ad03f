"""The HTTP API: a regional REST API with API keys, and the six functions behind it."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.api.refusals import add_refusals
from infra.functions.acknowledge import acknowledge
from infra.functions.function import LOG_RETENTION, BaseFunction, Function, Runtime
from infra.web.web import WebFunction

#: API Gateway waits 29 s for a function; a longer run would cost money for an answer that no caller receives.
LONGEST_ANSWER = cdk.Duration.seconds(28)

#: A callback is one read, one write and one message; after a lost callback the provider is polled anyway.
LONGEST_CALLBACK = cdk.Duration.seconds(10)

#: Replicate takes 600 predictions a minute, and calls back once for each. This path has its own limit, so that a
#: flood of it, which needs no key, takes no requests from callers with a key.
CALLBACKS_PER_SECOND = 20
CALLBACKS = "/callbacks/{provider}/{job}/{fence}"

#: A page with twenty players asks for twenty files at once. A flood of links takes no requests from callers with a key.
FILES_PER_SECOND = 50
FILES = "/files/{job}/{token}/{n}"
DESCRIPTION_PER_SECOND = 10

#: A browser that opens the page asks for some twenty files.
PAGES_PER_SECOND = 50

#: A test of a webhook makes this account send a request to an address of the caller's choice.
TESTS_PER_SECOND = 2
WEBHOOK_TEST = "/webhooks/test"
DESCRIPTION = "/openapi.json"
PROBLEMS = "/problems/{code}"
PAGE = "/"
WEB = "/web/{file+}"

#: The id of the key identifies the caller; the key itself is a password and is not logged. Nor is a path: the link to
#: a file has its token there. The functions' logs have the id of the job, and the same request id.
ACCESS_LOG = {
    "time": "$context.requestTime",
    "request_id": "$context.requestId",
    "api_key_id": "$context.identity.apiKeyId",
    "ip": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "resource": "$context.resourcePath",
    "status": "$context.status",
    "response_bytes": "$context.responseLength",
    "latency_ms": "$context.responseLatency",
    "refusal": "$context.error.responseType",
    "function_error": "$context.integration.error",
}

KEYS = "The callers are programs with API keys: there are no users to sign in."
CALLBACK_TOKENS = (
    "A provider has no API key. The URL it calls contains a random token of the attempt, and its message is not "
    "trusted: the generator then asks the provider with the operator's token and uses only that answer."
)
FILE_TOKENS = (
    "The link to a file contains 128 random bits of its job, so that a player or a page can use it without a key."
)
PUBLIC = "The description of the API is public: generators of clients read it without a key."
PAGES = "Pages are the same for everyone, and hold nothing of a caller: the key is typed into them."
LOGS_FOR_THE_ACCOUNT = "service-role/AmazonAPIGatewayPushToCloudWatchLogs"
ACKNOWLEDGED = {
    "AwsSolutions-APIG2": "The functions check every field, and name it and its bounds; API Gateway's models cannot.",
    "AwsSolutions-APIG3": "Callbacks, file links and public pages need no key; a web ACL is the operator's choice.",
    "AwsSolutions-APIG4": KEYS,
    "AwsSolutions-COG4": KEYS,
    "AwsSolutions-APIG6": "The access log has each request's error; execution logs go to a group that never expires.",
    f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{LOGS_FOR_THE_ACCOUNT}]": (
        "One role writes the access logs of all APIs in the account, by the policy that AWS made for it."
    ),
    "Serverless-APIGWXrayEnabled": "The access log has the latency, and the same request id as the functions' logs.",
}


class Api(Construct):
    """Exposes `rest_api`, its `usage_plan`, and the functions `submit`, `jobs`, `batches`, `callbacks`,
    `webhooks` and `web`.

    `requests_per_second` is for all callers together; one key may use half of it, so it cannot shut the others out.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        runtime: Runtime,
        secret_arn: str,
        root_arn: str,
        requests_per_second: int,
        emulated: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self.submit = Function(self, "Submit", entry="submit", runtime=runtime, timeout=LONGEST_ANSWER)
        self.jobs = Function(self, "Jobs", entry="jobs", runtime=runtime, timeout=LONGEST_ANSWER)
        self.callbacks = Function(
            self,
            "Callbacks",
            entry="callbacks",
            runtime=runtime,
            timeout=LONGEST_CALLBACK,
            # only the name, for code it shares with the generator: it calls no provider and may not read a token
            environment={"PROVIDER_SECRET_ID": secret_arn},
        )
        self.webhooks = Function(
            self,
            "Webhooks",
            entry="webhooks",
            runtime=runtime,
            timeout=LONGEST_ANSWER,
            environment={"WEBHOOK_ROOT_ID": root_arn},
        )
        # it reads up to 1,000 jobs of a batch, and checks as many lines
        self.batches = Function(
            self, "Batches", entry="batches", runtime=runtime, timeout=LONGEST_ANSWER, memory_size=512
        )
        self.web = WebFunction(self, "Web", bucket=runtime.bucket, emulated=emulated)
        self._allow(root_arn)
        self._allow_batches()
        self.rest_api = self._rest_api(self._stage(requests_per_second))
        self._route()
        add_refusals(self.rest_api)
        self.usage_plan = self._usage_plan(requests_per_second // 2)

    def _allow(self, root_arn: str) -> None:
        allow_submitting(self.submit)
        # a list is read from an index; a retry creates a job, a deletion deletes its files
        self.jobs.allow_querying("mine")
        self.jobs.allow_items("GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem")
        self.jobs.allow_files("GetObject", "PutObject", "DeleteObject", prefix="jobs/")
        self.jobs.allow_files("GetObject", "PutObject", "DeleteObject", prefix="inputs/")
        self.jobs.allow_listing("jobs/", "inputs/")
        self.jobs.allow_sending()
        self.jobs.allow_telling()
        self.jobs.allow_counting()
        # a callback is only passed on; the secret and the files belong to the generator
        self.callbacks.allow_items("GetItem", "UpdateItem")
        self.callbacks.allow_sending()
        self.webhooks.allow_items("GetItem", "PutItem")
        self.webhooks.allow("secretsmanager:GetSecretValue", on=root_arn)

    def _allow_batches(self) -> None:
        # lines become jobs in the generator; here they are only checked and stored
        self.batches.allow_querying("mine")
        self.batches.allow_items("GetItem", "BatchGetItem", "PutItem")
        self.batches.allow_files("GetObject", "PutObject", prefix="batches/")
        self.batches.allow_files("GetObject", "PutObject", prefix="inputs/")
        self.batches.allow_files("GetObject", prefix="uploads/")
        self.batches.allow_listing("batches/", "uploads/", "inputs/")
        self.batches.allow_steps()

    def _stage(self, requests_per_second: int) -> apigateway.StageOptions:
        log = logs.LogGroup(self, "AccessLog", retention=LOG_RETENTION, removal_policy=cdk.RemovalPolicy.DESTROY)
        return apigateway.StageOptions(
            stage_name="prod",
            throttling_rate_limit=requests_per_second,
            throttling_burst_limit=2 * requests_per_second,
            method_options={
                f"{CALLBACKS}/POST": _throttled(CALLBACKS_PER_SECOND),
                f"{FILES}/GET": _throttled(FILES_PER_SECOND),
                f"{DESCRIPTION}/GET": _throttled(DESCRIPTION_PER_SECOND),
                f"{PAGE}/GET": _throttled(PAGES_PER_SECOND),
                f"{PROBLEMS}/GET": _throttled(PAGES_PER_SECOND),
                f"{WEB}/GET": _throttled(PAGES_PER_SECOND),
                f"{WEBHOOK_TEST}/POST": _throttled(TESTS_PER_SECOND),
            },
            access_log_destination=apigateway.LogGroupLogDestination(log),
            access_log_format=apigateway.AccessLogFormat.custom(json.dumps(ACCESS_LOG)),
        )

    def _rest_api(self, stage: apigateway.StageOptions) -> apigateway.RestApi:
        rest_api = apigateway.RestApi(
            self,
            "RestApi",
            rest_api_name=cdk.Stack.of(self).stack_name,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            min_compression_size=cdk.Size.kibibytes(1),
            cloud_watch_role=True,
            default_method_options=apigateway.MethodOptions(api_key_required=True),
            default_cors_preflight_options=_for_pages(),
            deploy_options=stage,
        )
        rest_api.node.try_remove_child("Endpoint")  # an output that CDK adds; the stack defines its own outputs
        acknowledge(rest_api, ACKNOWLEDGED)
        return rest_api

    def _route(self) -> None:
        submit, jobs = _calling(self.submit), _calling(self.jobs)
        root = self.rest_api.root
        root.add_resource("generate").add_method("POST", submit)
        root.add_resource("uploads").add_method("POST", submit)
        self._route_batches(_calling(self.batches))
        all_jobs = root.add_resource("jobs")
        all_jobs.add_method("GET", jobs)
        job = all_jobs.add_resource("{id}")
        job.add_method("GET", jobs)
        job.add_method("DELETE", jobs)
        output = job.add_resource("outputs").add_resource("{n}")
        output.add_method("GET", jobs)
        output.add_resource("peaks").add_method("GET", jobs)
        job.add_resource("cancel").add_method("POST", jobs)
        job.add_resource("retry").add_method("POST", jobs)
        job.add_resource("deliveries").add_method("GET", jobs)
        job.add_resource("redeliver").add_method("POST", jobs)
        webhooks = root.add_resource("webhooks")
        webhooks.add_resource("test").add_method("POST", _calling(self.webhooks))
        webhooks.add_resource("secret").add_method("POST", _calling(self.webhooks))
        root.add_resource("usage").add_method("GET", jobs)
        root.add_resource("models").add_method("GET", jobs)
        root.add_resource("health").add_method("GET", jobs)
        root.add_resource("key").add_method("GET", _accepted(), method_responses=[_NO_CONTENT])
        self._route_without_key(FILES, "GET", self.jobs, FILE_TOKENS)
        self._route_without_key(DESCRIPTION, "GET", self.jobs, PUBLIC)
        self._route_without_key(PAGE, "GET", self.web, PAGES)
        self._route_without_key(PROBLEMS, "GET", self.web, PAGES)
        self._route_without_key(WEB, "GET", self.web, PAGES)
        self._route_without_key(CALLBACKS, "POST", self.callbacks, CALLBACK_TOKENS)

    def _route_without_key(self, path: str, verb: str, function: BaseFunction, why: str) -> None:
        resource = self.rest_api.root.resource_for_path(path)
        method = resource.add_method(verb, _calling(function), api_key_required=False)
        acknowledge(method, {"AwsSolutions-APIG4": why, "AwsSolutions-COG4": why})

    def _route_batches(self, batches: apigateway.LambdaIntegration) -> None:
        all_batches = self.rest_api.root.add_resource("batches")
        all_batches.add_method("GET", batches)
        all_batches.add_method("POST", batches)
        batch = all_batches.add_resource("{id}")
        batch.add_method("GET", batches)
        batch.add_resource("results").add_method("GET", batches)
        batch.add_resource("cancel").add_method("POST", batches)

    def _usage_plan(self, requests_per_second: int) -> apigateway.UsagePlan:
        stage = apigateway.UsagePlanPerApiStage(api=self.rest_api, stage=self.rest_api.deployment_stage)
        return self.rest_api.add_usage_plan(
            "UsagePlan",
            name=cdk.Stack.of(self).stack_name,
            throttle=apigateway.ThrottleSettings(rate_limit=requests_per_second, burst_limit=2 * requests_per_second),
            api_stages=[stage],
        )


def allow_submitting(function: Function) -> None:
    """Grants all that a function needs to create jobs, and to answer with what is cached."""
    # a transaction needs only the permissions of its parts
    function.allow_items("GetItem", "BatchGetItem", "PutItem", "UpdateItem")
    # a request can start from the image of an earlier job
    function.allow_files("GetObject", "PutObject", prefix="inputs/")
    # an upload form can do no more than the role that signs it; the file is read when a job uses it
    function.allow_files("GetObject", "PutObject", prefix="uploads/")
    # a cached result is copied; presigned URLs can do no more than the role that signs them
    function.allow_files("GetObject", "PutObject", prefix="jobs/")
    function.allow_listing("jobs/", "uploads/", "inputs/")
    function.allow_sending()
    function.allow_telling()  # a cached result ends a job at once
    function.allow_counting()


_NO_CONTENT = apigateway.MethodResponse(
    status_code="204", response_parameters={"method.response.header.Access-Control-Allow-Origin": True}
)


def _accepted() -> apigateway.MockIntegration:
    """204 for a valid key, from API Gateway alone; a wrong key is refused before."""
    answer = apigateway.IntegrationResponse(
        status_code="204", response_parameters={"method.response.header.Access-Control-Allow-Origin": "'*'"}
    )
    return apigateway.MockIntegration(
        request_templates={"application/json": '{"statusCode": 204}'}, integration_responses=[answer]
    )


def _calling(function: BaseFunction) -> apigateway.LambdaIntegration:
    return apigateway.LambdaIntegration(function, allow_test_invoke=False)


def _throttled(requests_per_second: int) -> apigateway.MethodDeploymentOptions:
    return apigateway.MethodDeploymentOptions(
        throttling_rate_limit=requests_per_second, throttling_burst_limit=2 * requests_per_second
    )


def _for_pages() -> apigateway.CorsOptions:
    """Any web page may call the API: callers are admitted by their key, never by a cookie."""
    return apigateway.CorsOptions(
        allow_origins=apigateway.Cors.ALL_ORIGINS,
        allow_methods=["GET", "POST", "DELETE", "OPTIONS"],
        allow_headers=["Content-Type", "Idempotency-Key", "If-None-Match", "Prefer", "X-Api-Key"],
        max_age=cdk.Duration.hours(1),
    )
