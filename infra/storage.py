"""The table of jobs, the bucket of their files, and the secrets."""

from __future__ import annotations

from math import ceil

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.functions.acknowledge import acknowledge

DAY = 24 * 3600

DERIVED = "Callers renew the secrets that are derived from it one by one; another root would break all at once."

UNLOGGED = "Files are read by URLs that the functions sign and log; server access logs would need another bucket."
UNROTATED = "The providers issue the tokens on their sites; `infra.operate token` stores a new one."


class Storage(Construct):
    """Exposes `table`, `bucket`, `secret_arn` (the providers' tokens) and `webhook_root_arn`.

    `longest_kept` is in seconds; files expire a day later. `keep` says whether the data outlives the stack.
    """

    def __init__(self, scope: Construct, construct_id: str, *, longest_kept: int, keep: bool, tls_only: bool) -> None:
        super().__init__(scope, construct_id)
        removal_policy = cdk.RemovalPolicy.RETAIN if keep else cdk.RemovalPolicy.DESTROY
        self.table = self._table(removal_policy, keep=keep)
        self.bucket = self._bucket(removal_policy, days=ceil(longest_kept / DAY) + 1, tls_only=tls_only)
        acknowledge(self.bucket, {"AwsSolutions-S1": UNLOGGED})
        self.secret_arn = self._secret().attr_id
        self.webhook_root_arn = self._webhook_root(removal_policy).attr_id

    def _table(self, removal_policy: cdk.RemovalPolicy, *, keep: bool) -> dynamodb.TableV2:
        return dynamodb.TableV2(
            self,
            "Jobs",
            partition_key=_text("pk"),
            global_secondary_indexes=[
                _keys_only("open", partition="open", sort="due_at"),
                _keys_only("mine", partition="owner", sort="created_at"),
            ],
            billing=dynamodb.Billing.on_demand(),
            time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=keep,
            removal_policy=removal_policy,
        )

    def _bucket(self, removal_policy: cdk.RemovalPolicy, *, days: int, tls_only: bool) -> s3.Bucket:
        return s3.Bucket(
            self,
            "Files",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=tls_only,
            minimum_tls_version=1.2 if tls_only else None,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            cors=[_for_pages()],
            lifecycle_rules=[
                s3.LifecycleRule(prefix="jobs/", expiration=cdk.Duration.days(days)),
                # also deletes the input images of jobs that were then refused
                s3.LifecycleRule(prefix="inputs/", expiration=cdk.Duration.days(days)),
                s3.LifecycleRule(prefix="batches/", expiration=cdk.Duration.days(days)),
                s3.LifecycleRule(prefix="uploads/", expiration=cdk.Duration.days(1)),
                s3.LifecycleRule(abort_incomplete_multipart_upload_after=cdk.Duration.days(1)),
            ],
            removal_policy=removal_policy,
        )

    def _secret(self) -> secretsmanager.CfnSecret:
        """An empty secret. CloudFormation writes the value only if the template's value changes, and it never does."""
        secret = secretsmanager.CfnSecret(
            self,
            "ProviderTokens",
            description="The providers' tokens by name, as one JSON object",
            secret_string="{}",  # noqa: S106 -- not a secret yet: an operator stores the tokens
        )
        acknowledge(secret, {"AwsSolutions-SMG4": UNROTATED})
        return secret

    def _webhook_root(self, removal_policy: cdk.RemovalPolicy) -> secretsmanager.CfnSecret:
        """The random root of all secrets that sign webhooks. It is kept as long as the table of their generations."""
        secret = secretsmanager.CfnSecret(
            self,
            "WebhookRoot",
            description="The root of the secrets that sign webhooks",
            generate_secret_string=secretsmanager.CfnSecret.GenerateSecretStringProperty(
                password_length=64, exclude_punctuation=True
            ),
        )
        secret.apply_removal_policy(removal_policy)
        acknowledge(secret, {"AwsSolutions-SMG4": DERIVED})
        return secret


def _keys_only(name: str, *, partition: str, sort: str) -> dynamodb.GlobalSecondaryIndexPropsV2:
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=name,
        partition_key=_text(partition),
        sort_key=dynamodb.Attribute(name=sort, type=dynamodb.AttributeType.NUMBER),
        projection_type=dynamodb.ProjectionType.KEYS_ONLY,
    )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _for_pages() -> s3.CorsRule:
    """Any web page may play a file by its presigned URL, and upload an image by its presigned form.

    A player that seeks sends Range, and reads the headers that answer it.
    """
    return s3.CorsRule(
        allowed_methods=[s3.HttpMethods.GET, s3.HttpMethods.HEAD, s3.HttpMethods.POST],
        allowed_origins=["*"],
        allowed_headers=["Range"],
        exposed_headers=["Accept-Ranges", "Content-Length", "Content-Range", "Content-Type", "ETag"],
        max_age=3600,
    )
