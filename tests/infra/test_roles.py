"""The permissions of each function: a table of actions and ARNs."""

from __future__ import annotations

import json

import pytest

from tests.infra.reading import Template, granted, properties

TABLE = "StorageJobs.Arn"
FILES = "StorageFiles.Arn"
LIST = {"s3:ListBucket"}
ALL_FILES = f"{FILES} if {{'StringLike': {{'s3:prefix': ['jobs/*', 'uploads/*', 'inputs/*']}}}}"
OUTPUTS_AND_INPUTS = f"{FILES} if {{'StringLike': {{'s3:prefix': ['jobs/*', 'inputs/*']}}}}"
SEND, COUNT = {"sqs:SendMessage"}, {"sqs:GetQueueAttributes"}
CONSUME = {
    "sqs:ReceiveMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueUrl",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
}
BUS = "arn:AWS::Partition:events:AWS::Region:AWS::AccountId:event-bus/default"
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}

GRANTS = {
    "ApiSubmitRole": {
        TABLE: {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        f"{FILES}/inputs/*": {"s3:GetObject", "s3:PutObject"},
        f"{FILES}/uploads/*": {"s3:GetObject", "s3:PutObject"},
        f"{FILES}/jobs/*": {"s3:GetObject", "s3:PutObject"},
        ALL_FILES: LIST,
        "QueuesCalls.Arn": SEND | COUNT,
        "QueuesSteps.Arn": SEND | COUNT,
        "QueuesHooks.Arn": SEND,
        "ApiSubmitLog.Arn": LOG,
    },
    # a face submits, reads and answers with files as the two above do
    "FacesFacesRole": {
        TABLE: {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        f"{FILES}/inputs/*": {"s3:GetObject", "s3:PutObject"},
        f"{FILES}/uploads/*": {"s3:GetObject", "s3:PutObject"},
        f"{FILES}/jobs/*": {"s3:GetObject", "s3:PutObject"},
        ALL_FILES: LIST,
        "QueuesCalls.Arn": SEND | COUNT,
        "QueuesSteps.Arn": SEND | COUNT,
        "QueuesHooks.Arn": SEND,
        "FacesFacesLog.Arn": LOG,
    },
    # its pages are files in its asset
    "ApiWebRole": {"ApiWebLog.Arn": LOG},
    # asks our own API over HTTP, and nothing of AWS
    "FacesAuthorizerRole": {"FacesAuthorizerLog.Arn": LOG},
    "ApiJobsRole": {
        TABLE: {
            "dynamodb:GetItem",
            "dynamodb:BatchGetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        },
        f"{TABLE}/index/mine": {"dynamodb:Query"},
        f"{FILES}/jobs/*": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
        f"{FILES}/inputs/*": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
        OUTPUTS_AND_INPUTS: LIST,
        "QueuesCalls.Arn": SEND | COUNT,
        "QueuesSteps.Arn": SEND | COUNT,
        "QueuesHooks.Arn": SEND,
        "ApiJobsLog.Arn": LOG,
    },
    # lines become jobs in the generator; here they are checked, stored and read
    "ApiBatchesRole": {
        TABLE: {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem"},
        f"{TABLE}/index/mine": {"dynamodb:Query"},
        f"{FILES}/batches/*": {"s3:GetObject", "s3:PutObject"},
        f"{FILES}/inputs/*": {"s3:GetObject", "s3:PutObject"},
        f"{FILES}/uploads/*": {"s3:GetObject"},
        f"{FILES} if {{'StringLike': {{'s3:prefix': ['batches/*', 'uploads/*', 'inputs/*']}}}}": LIST,
        "QueuesSteps.Arn": SEND,
        "ApiBatchesLog.Arn": LOG,
    },
    # not the secret: a callback is only passed on, and the generator then asks the provider
    "ApiCallbacksRole": {
        TABLE: {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        "QueuesCalls.Arn": SEND,
        "QueuesSteps.Arn": SEND,
        "ApiCallbacksLog.Arn": LOG,
    },
    "GeneratorGeneratorRole": {
        TABLE: {
            "dynamodb:GetItem",
            "dynamodb:BatchGetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "dynamodb:ConditionCheckItem",
        },
        f"{FILES}/jobs/*": {"s3:GetObject", "s3:PutObject"},
        f"{FILES}/inputs/*": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
        f"{FILES}/batches/*": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
        f"{FILES} if {{'StringLike': {{'s3:prefix': ['jobs/*', 'inputs/*', 'batches/*']}}}}": LIST,
        "StorageProviderTokens.Id": {"secretsmanager:GetSecretValue"},
        "QueuesCalls.Arn": SEND | CONSUME,
        "QueuesSteps.Arn": SEND | CONSUME,
        "QueuesHooks.Arn": SEND,
        "GeneratorGeneratorLog.Arn": LOG,
    },
    "SweeperSweeperRole": {
        f"{TABLE}/index/open": {"dynamodb:Query"},
        TABLE: {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"},
        f"{FILES}/jobs/*": {"s3:GetObject", "s3:DeleteObject"},
        f"{FILES}/inputs/*": {"s3:DeleteObject"},
        OUTPUTS_AND_INPUTS: LIST,
        "QueuesCalls.Arn": SEND,
        "QueuesSteps.Arn": SEND,
        "QueuesHooks.Arn": SEND,
        "SweeperSweeperLog.Arn": LOG,
    },
    # tells what has happened; it reads no file and no token
    "DelivererDelivererRole": {
        TABLE: {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        "StorageWebhookRoot.Id": {"secretsmanager:GetSecretValue"},
        BUS: {"events:PutEvents"},
        "QueuesHooks.Arn": SEND | CONSUME,
        "DelivererDelivererLog.Arn": LOG,
    },
    "ApiWebhooksRole": {
        TABLE: {"dynamodb:GetItem", "dynamodb:PutItem"},
        "StorageWebhookRoot.Id": {"secretsmanager:GetSecretValue"},
        "ApiWebhooksLog.Arn": LOG,
    },
    # reads the tokens to try them, and stores its findings
    "DoctorDoctorRole": {
        TABLE: {"dynamodb:GetItem", "dynamodb:PutItem"},
        "StorageProviderTokens.Id": {"secretsmanager:GetSecretValue"},
        "DoctorDoctorLog.Arn": LOG,
    },
}


@pytest.mark.parametrize("role", GRANTS)
@pytest.mark.parametrize("stage", ["prod", "local", "test"])
def test_a_role_has_exactly_the_listed_permissions(templates: dict[str, Template], stage: str, role: str) -> None:
    """The same in every stage."""
    assert granted(templates[stage], role) == {_of(stage, arn): actions for arn, actions in GRANTS[role].items()}


def _of(stage: str, arn: str) -> str:
    """On the account's bus, a stage may put only events that name it as their source."""
    source = "longplay" if stage == "prod" else f"longplay-{stage}"
    return f"{arn} if {{'ForAllValues:StringEquals': {{'events:source': '{source}'}}}}" if arn == BUS else arn


def test_each_function_has_its_own_role(prod: Template) -> None:
    """No two functions share permissions."""
    roles = [json.dumps(function["Role"]) for function in properties(prod, "AWS::Lambda::Function").values()]
    assert len(set(roles)) == len(roles) == len(GRANTS)


def test_no_role_of_a_function_uses_a_managed_policy(prod: Template) -> None:
    """AWS's policies allow more than one function needs."""
    roles = properties(prod, "AWS::IAM::Role")
    assert [name for name in GRANTS if "ManagedPolicyArns" in roles[name]] == []


def test_no_policy_has_a_wildcard_resource_or_action(prod: Template) -> None:
    """Every permission names its resource and its action."""
    policies = json.dumps(list(properties(prod, "AWS::IAM::Policy").values()))
    assert '"Resource": "*"' not in policies
    assert ":*" not in policies
