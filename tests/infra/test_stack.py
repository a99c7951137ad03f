"""The stack's data, queues, functions, alarms and outputs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from longplay.domain.settings import DAY, Settings, parse_settings
from longplay.http.webhooks.deliverer import GIVEN_UP

from infra.settings.settings import STAGES
from tests.infra.reading import Template, only, properties, readable, resources

ALL_STAGES = pytest.mark.parametrize("stage", list(STAGES))
SHARED_ENVIRONMENT = {
    "TABLE_NAME": "StorageJobs",
    "BUCKET_NAME": "StorageFiles",
    "CALLS_QUEUE_URL": "QueuesCalls",
    "STEPS_QUEUE_URL": "QueuesSteps",
    "HOOKS_QUEUE_URL": "QueuesHooks",
    "SETTINGS": "{}",
    "POWERTOOLS_SERVICE_NAME": "longplay",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}
API_URL = "https://ApiRestApi.execute-api.AWS::Region.AWS::URLSuffix/ApiRestApiDeploymentStageprod/"
ENVIRONMENTS = {
    "submit.handler": SHARED_ENVIRONMENT,
    "jobs.handler": SHARED_ENVIRONMENT,
    "batches.handler": SHARED_ENVIRONMENT,
    "callbacks.handler": SHARED_ENVIRONMENT | {"PROVIDER_SECRET_ID": "StorageProviderTokens.Id"},
    "generator.handler": SHARED_ENVIRONMENT
    | {"PROVIDER_SECRET_ID": "StorageProviderTokens.Id", "CALLBACK_BASE_URL": API_URL},
    "webhooks.handler": SHARED_ENVIRONMENT | {"WEBHOOK_ROOT_ID": "StorageWebhookRoot.Id"},
    "deliverer.handler": SHARED_ENVIRONMENT
    | {"WEBHOOK_ROOT_ID": "StorageWebhookRoot.Id", "API_URL": API_URL, "EVENT_SOURCE": "longplay"},
    "faces.handler": SHARED_ENVIRONMENT,
    "authorizer.handler": SHARED_ENVIRONMENT | {"KEY_URL": f"{API_URL}key"},
    "sweeper.handler": SHARED_ENVIRONMENT,
    "server.handler": {"FILES_ORIGIN": "https://StorageFiles.RegionalDomainName"},
    "doctor.handler": SHARED_ENVIRONMENT | {"PROVIDER_SECRET_ID": "StorageProviderTokens.Id"},
}


def test_each_function_has_exactly_its_environment_variables(prod: Template) -> None:
    """Every function of the shared asset has the shared ones; only some have the name of the secret."""
    functions = properties(prod, "AWS::Lambda::Function").values()
    found = {f["Handler"]: readable(f.get("Environment", {}).get("Variables", {})) for f in functions}
    assert found == ENVIRONMENTS


@pytest.mark.parametrize("stage", ["local", "test"])
def test_on_an_emulator_providers_get_no_callback_url(templates: dict[str, Template], stage: str) -> None:
    """CloudFormation does not know the address of an emulator's API, so results are polled there."""
    generator = _function(templates[stage], "generator.handler")
    assert "CALLBACK_BASE_URL" not in generator["Environment"]["Variables"]


def test_all_functions_run_on_one_runtime_and_but_the_pages_from_one_asset(prod: Template) -> None:
    """They differ only in their handler."""
    functions = properties(prod, "AWS::Lambda::Function").values()
    shared = [function for function in functions if function["Handler"] != "server.handler"]
    assert len({json.dumps(function["Code"]) for function in shared}) == 1
    assert {(f["Runtime"], *f["Architectures"]) for f in functions} == {("python3.13", "arm64")}


@ALL_STAGES
def test_the_functions_can_read_the_settings_that_the_stack_gives_them(stage: str) -> None:
    """Both sides agree on what a setting means."""
    settings = parse_settings(STAGES[stage].runtime_settings)
    assert settings.longest_call == STAGES[stage].longest_call
    assert settings.lease_margin == STAGES[stage].lease_margin


def test_without_settings_the_functions_have_the_defaults() -> None:
    """The stack repeats no default value."""
    assert parse_settings(STAGES["prod"].runtime_settings) == Settings()


@ALL_STAGES
def test_the_generators_timeout_is_longer_than_a_call_and_allowed_by_lambda(
    templates: dict[str, Template], stage: str
) -> None:
    """Lambda allows at most 900 seconds."""
    generator = _function(templates[stage], "generator.handler")
    assert STAGES[stage].longest_call < generator["Timeout"] <= 900


@ALL_STAGES
def test_a_message_stays_hidden_for_six_timeouts_of_the_function(templates: dict[str, Template], stage: str) -> None:
    """AWS advises this for a queue that starts a function."""
    queues = properties(templates[stage], "AWS::SQS::Queue")
    shortest = 6 * _function(templates[stage], "generator.handler")["Timeout"]
    assert all(queues[name]["VisibilityTimeout"] >= shortest for name in ("QueuesCalls", "QueuesSteps"))


def test_each_queue_gives_its_function_one_message_at_a_time(prod: Template) -> None:
    """Each queue has its own limit of concurrent runs."""
    sources = properties(prod, "AWS::Lambda::EventSourceMapping").values()
    assert {readable(s["EventSourceArn"]): s["ScalingConfig"]["MaximumConcurrency"] for s in sources} == {
        "QueuesCalls.Arn": 4,
        "QueuesSteps.Arn": 2,
        "QueuesHooks.Arn": 2,
    }
    assert {(s["BatchSize"], readable(s["FunctionName"])) for s in sources} == {(1, "Generator"), (1, "Deliverer")}


def test_a_message_that_fails_three_times_is_kept_for_two_weeks(prod: Template) -> None:
    """The dead-letter queue keeps it for an operator to read."""
    queues = properties(prod, "AWS::SQS::Queue")
    redrive = {"deadLetterTargetArn": "QueuesDead.Arn", "maxReceiveCount": 3}
    assert readable(queues["QueuesCalls"]["RedrivePolicy"]) == redrive
    assert readable(queues["QueuesSteps"]["RedrivePolicy"]) == redrive
    assert readable(queues["QueuesHooks"]["RedrivePolicy"]) == redrive
    assert queues["QueuesDead"]["MessageRetentionPeriod"] == 14 * DAY


def test_no_function_reserves_concurrency(prod: Template) -> None:
    """A new AWS account does not have enough of it."""
    functions = properties(prod, "AWS::Lambda::Function").values()
    assert not any("ReservedConcurrentExecutions" in function for function in functions)


def test_the_sweeper_runs_every_minute_and_never_twice_at_once(prod: Template) -> None:
    """Its timeout is shorter than a minute."""
    assert _rule(prod, "Sweeper")["ScheduleExpression"] == "rate(1 minute)"
    assert _function(prod, "sweeper.handler")["Timeout"] < 60


def test_the_doctor_runs_every_hour_and_ends_before_the_next_run(prod: Template) -> None:
    """Its timeout is at most a quarter of an hour."""
    assert _rule(prod, "Doctor")["ScheduleExpression"] == "rate(1 hour)"
    assert _function(prod, "doctor.handler")["Timeout"] <= 15 * 60


def test_the_table_has_the_keys_and_indexes_that_the_functions_use(prod: Template) -> None:
    """Items expire by the attribute that the functions set."""
    table = only(prod, "AWS::DynamoDB::GlobalTable")
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert {
        (
            index["IndexName"],
            *(key["AttributeName"] for key in index["KeySchema"]),
            index["Projection"]["ProjectionType"],
        )
        for index in table["GlobalSecondaryIndexes"]
    } == {("open", "open", "due_at", "KEYS_ONLY"), ("mine", "owner", "created_at", "KEYS_ONLY")}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_the_bucket_is_private_and_encrypted_and_requires_tls(prod: Template) -> None:
    """Callers read files by presigned URL only."""
    bucket = only(prod, "AWS::S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]
    assert "aws:SecureTransport" in json.dumps(only(prod, "AWS::S3::BucketPolicy"))


def test_files_expire_a_day_after_the_longest_retention_and_uploads_after_a_day(prod: Template) -> None:
    """A day of deadline, seven of retention, and one more."""
    rules = only(prod, "AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    assert days == {"jobs/": 1 + 7 + 1, "inputs/": 1 + 7 + 1, "batches/": 1 + 7 + 1, "uploads/": 1}


def test_any_page_may_seek_in_a_file_and_post_an_upload(prod: Template) -> None:
    """A browser needs CORS and the headers of ranges for this."""
    [rule] = only(prod, "AWS::S3::Bucket")["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedMethods"] == ["GET", "HEAD", "POST"]
    assert "Range" in rule["AllowedHeaders"]
    assert {"Accept-Ranges", "Content-Range", "Content-Length"} <= set(rule["ExposedHeaders"])


@pytest.mark.parametrize(("stage", "kept"), [("prod", True), ("local", False), ("test", False)])
def test_only_a_real_deployment_keeps_its_data_after_the_stack(
    templates: dict[str, Template], stage: str, *, kept: bool
) -> None:
    """On an emulator the data is deleted with the stack."""
    template = templates[stage]
    data = [
        *resources(template, "AWS::DynamoDB::GlobalTable").values(),
        *resources(template, "AWS::S3::Bucket").values(),
    ]
    assert {resource["DeletionPolicy"] for resource in data} == {"Retain" if kept else "Delete"}
    [replica] = only(template, "AWS::DynamoDB::GlobalTable")["Replicas"]
    assert replica["DeletionProtectionEnabled"] is kept
    assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]


@ALL_STAGES
def test_an_update_never_overwrites_the_stored_tokens(templates: dict[str, Template], stage: str) -> None:
    """CloudFormation writes the value only if the template's text changes, and it is constant."""
    secret = properties(templates[stage], "AWS::SecretsManager::Secret")["StorageProviderTokens"]
    assert secret["SecretString"] == "{}"
    assert "GenerateSecretString" not in secret


def test_every_log_expires(prod: Template) -> None:
    """Each is kept for 30 days."""
    groups = properties(prod, "AWS::Logs::LogGroup")
    assert {name: group.get("RetentionInDays") for name, group in groups.items()} == {
        "ApiSubmitLog": 30,
        "ApiJobsLog": 30,
        "ApiBatchesLog": 30,
        "ApiCallbacksLog": 30,
        "ApiWebhooksLog": 30,
        "ApiWebLog": 30,
        "DelivererDelivererLog": 30,
        "ApiAccessLog": 30,
        "FacesFacesLog": 30,
        "FacesAuthorizerLog": 30,
        "FacesAccessLog": 30,
        "GeneratorGeneratorLog": 30,
        "SweeperSweeperLog": 30,
        "DoctorDoctorLog": 30,
    }


def test_every_function_logs_into_its_own_group(prod: Template) -> None:
    """An operator reads one function at a time."""
    functions = properties(prod, "AWS::Lambda::Function")
    logs = {readable(function["LoggingConfig"]["LogGroup"]) for function in functions.values()}
    assert len(logs) == len(functions)


def test_every_alarm_is_sent_to_the_topic_and_says_what_to_do(prod: Template) -> None:
    """The advice is the alarm's description."""
    alarms = properties(prod, "AWS::CloudWatch::Alarm")
    assert {
        "MonitoringDeadLetters",
        "MonitoringGeneratorErrors",
        "MonitoringSubmitThrottles",
        "MonitoringGeneratorDuration",
        "MonitoringCallsAge",
    } <= set(alarms)
    assert {str(readable(alarm["AlarmActions"])) for alarm in alarms.values()} == {"['MonitoringAlarms']"}
    assert all(alarm["AlarmDescription"] for alarm in alarms.values())


def test_a_refused_account_raises_an_alarm(prod: Template) -> None:
    """The filters match the words that the functions log; so does a webhook that is given up."""
    filters = properties(prod, "AWS::Logs::MetricFilter").values()
    patterns = {found["MetricTransformations"][0]["MetricName"]: found["FilterPattern"] for found in filters}
    assert patterns == {
        "AccountRefused": '{ $.outcome = "account refused*" }',
        "WebhookGivenUp": f'{{ $.outcome = "{GIVEN_UP}*" }}',
    }
    alarms = properties(prod, "AWS::CloudWatch::Alarm")
    for counted in patterns:
        alarm = alarms[f"Monitoring{counted}"]
        assert (alarm["MetricName"], alarm["Threshold"]) == (counted, 0)


def test_cloudwatch_may_publish_to_the_topic(prod: Template) -> None:
    """Without this permission no alarm is sent."""
    statements = only(prod, "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    [allowed] = [statement for statement in statements if statement["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}


def test_the_outputs_name_every_resource_an_operator_needs(prod: Template) -> None:
    """The operator's commands and the documents use these names."""
    assert set(prod["Outputs"]) == {
        "ApiUrl",
        "FacesUrl",
        "Settings",
        "FacesFunctionName",
        "AuthorizerFunctionName",
        "UsagePlanId",
        "TableName",
        "BucketName",
        "SecretName",
        "CallsQueueUrl",
        "StepsQueueUrl",
        "DeadQueueUrl",
        "SubmitFunctionName",
        "JobsFunctionName",
        "BatchesFunctionName",
        "CallbacksFunctionName",
        "WebhooksFunctionName",
        "WebFunctionName",
        "DelivererFunctionName",
        "GeneratorFunctionName",
        "SweeperFunctionName",
        "DoctorFunctionName",
    }


def _function(template: Template, handler: str) -> dict[str, Any]:
    functions = properties(template, "AWS::Lambda::Function").values()
    [found] = [function for function in functions if function["Handler"] == handler]
    return found


def _rule(template: Template, construct: str) -> dict[str, Any]:
    rules = properties(template, "AWS::Events::Rule")
    return next(rule for name, rule in rules.items() if name.startswith(construct))


def test_only_the_generator_may_send_messages_to_itself(prod: Template) -> None:
    """Lambda would end a job that polls or waits at its 16th message; another function in a loop is a fault."""
    loops = {
        name: function.get("RecursiveLoop") for name, function in properties(prod, "AWS::Lambda::Function").items()
    }
    allowed = [name for name, rule in loops.items() if rule == "Allow"]
    assert [name for name in allowed if "Generator" in name] == allowed
    assert len(allowed) == 1
