"""One model on a GPU: an asynchronous SageMaker endpoint that scales to no instance when idle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.functions.acknowledge import acknowledge
from infra.functions.function import LOG_RETENTION
from infra.gpu.models import GpuModel

#: The prefixes of results and of requests; requests are in the folder of their job, so they are deleted with it.
RESULTS, REQUESTS = "gpu/", "inputs/*/gpu-"

#: An account has a quota for each instance type, often one; more GPUs by mistake would be expensive.
MOST_INSTANCES = 1

#: From AWS's page on scaling asynchronous endpoints: waiting requests per instance, and the cooldowns.
BACKLOG, SCALE_IN_COOLDOWN, SCALE_OUT_COOLDOWN = 5, cdk.Duration.minutes(10), cdk.Duration.minutes(5)

#: In seconds. An instance downloads the weights from the Hub when it starts: up to 13 GB.
SLOWEST_START = 15 * 60

VARIANT = "gpu"
MINUTE = cdk.Duration.minutes(1)

ANY_REGISTRY = "A token for ECR, and metrics, can be granted on no narrower ARN; the metrics' namespace is limited."
OWN_FILES = (
    "Keys are made for each job; this model's container reads requests to endpoints, and writes its own results."
)


@dataclass(frozen=True, kw_only=True)
class Image:
    """A container image in ECR."""

    registry: str
    repository: str
    tag: str
    repository_arn: str

    @property
    def uri(self) -> str:
        """The image in the form that SageMaker expects."""
        return f"{self.registry}/{self.repository}:{self.tag}"


@dataclass(frozen=True, kw_only=True)
class Topics:
    """The topics to which an endpoint reports the end of an invocation, successful or not."""

    success: sns.Topic
    error: sns.Topic


class GpuEndpoint(Construct):
    """Exposes `arn`; `name` is the name of the endpoint, in lower case as in SageMaker's ARNs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        model: GpuModel,
        instance_type: str,
        image: Image,
        bucket: s3.Bucket,
        topics: Topics,
    ) -> None:
        super().__init__(scope, construct_id)
        self.arn = cdk.Stack.of(self).format_arn(service="sagemaker", resource="endpoint", resource_name=name)
        self._name, self._bucket, self._topics = name, bucket, topics
        self._role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        self._allow(image)
        config = self._config(self._model(model, image), instance_type)
        endpoint = sagemaker.CfnEndpoint(
            self, "Endpoint", endpoint_name=name, endpoint_config_name=config.attr_endpoint_config_name
        )
        self._scale(endpoint)

    def _allow(self, image: Image) -> None:
        log = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/sagemaker/Endpoints/{self._name}",
            retention=LOG_RETENTION,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self._grant("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents", on=log.log_group_arn)
        self._grant("s3:GetObject", on=self._files(REQUESTS))
        self._grant("s3:AbortMultipartUpload", "s3:PutObject", on=self._files(f"{RESULTS}{self._name}/"))
        for topic in (self._topics.success, self._topics.error):
            self._grant("sns:Publish", on=topic.topic_arn)
        pull = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
        self._grant(*pull, on=image.repository_arn)
        self._grant("ecr:GetAuthorizationToken", on="*")
        namespaces = {"StringEquals": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/Endpoints"]}}
        self._grant("cloudwatch:PutMetricData", on="*", when=namespaces)
        acknowledge(self._role, {"AwsSolutions-IAM5[Resource::*]": ANY_REGISTRY})

    def _grant(self, *verbs: str, on: str, when: Mapping[str, object] | None = None) -> None:
        self._role.add_to_policy(iam.PolicyStatement(actions=[*verbs], resources=[on], conditions=when))

    def _files(self, prefix: str) -> str:
        bucket_id = cdk.Stack.of(self).resolve(self._bucket.bucket_arn)["Fn::GetAtt"][0]
        acknowledge(self._role, {f"AwsSolutions-IAM5[Resource::<{bucket_id}.Arn>/{prefix}*]": OWN_FILES})
        return self._bucket.arn_for_objects(f"{prefix}*")

    def _model(self, model: GpuModel, image: Image) -> sagemaker.CfnModel:
        made = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=self._role.role_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=image.uri, environment=_environment(model)
            ),
        )
        made.node.add_dependency(self._role)  # SageMaker tests the role's permissions at once
        return made

    def _config(self, model: sagemaker.CfnModel, instance_type: str) -> sagemaker.CfnEndpointConfig:
        results = self._bucket.s3_url_for_object(f"{RESULTS}{self._name}")
        types = sagemaker.CfnEndpointConfig
        return types(
            self,
            "Config",
            production_variants=[
                types.ProductionVariantProperty(
                    variant_name=VARIANT,
                    model_name=model.attr_model_name,
                    instance_type=instance_type,
                    initial_instance_count=1,  # 0 is not accepted; the endpoint scales in by itself
                    initial_variant_weight=1,
                    container_startup_health_check_timeout_in_seconds=SLOWEST_START,
                )
            ],
            async_inference_config=types.AsyncInferenceConfigProperty(
                # the container works on one request at a time; another one would wait within its time limit
                client_config=types.AsyncInferenceClientConfigProperty(max_concurrent_invocations_per_instance=1),
                output_config=types.AsyncInferenceOutputConfigProperty(
                    s3_output_path=results,
                    s3_failure_path=results,
                    notification_config=types.AsyncInferenceNotificationConfigProperty(
                        success_topic=self._topics.success.topic_arn, error_topic=self._topics.error.topic_arn
                    ),
                ),
            ),
        )

    def _scale(self, endpoint: sagemaker.CfnEndpoint) -> None:
        """Both policies of AWS's page: one follows the backlog down to no instance, the other starts the first one."""
        target = scaling.ScalableTarget(
            self,
            "Scaling",
            service_namespace=scaling.ServiceNamespace.SAGEMAKER,
            resource_id=f"endpoint/{endpoint.attr_endpoint_name}/variant/{VARIANT}",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            min_capacity=0,
            max_capacity=MOST_INSTANCES,
            role=self._scaling_role(),
        )
        target.scale_to_track_metric(
            "Backlog",
            custom_metric=self._metric("ApproximateBacklogSizePerInstance"),
            target_value=BACKLOG,
            scale_in_cooldown=SCALE_IN_COOLDOWN,
            scale_out_cooldown=SCALE_OUT_COOLDOWN,
        )
        self._wake(target)

    def _wake(self, target: scaling.ScalableTarget) -> None:
        one_more = scaling.StepScalingAction(
            self,
            "OneMore",
            scaling_target=target,
            adjustment_type=scaling.AdjustmentType.CHANGE_IN_CAPACITY,
            cooldown=SCALE_OUT_COOLDOWN,
            metric_aggregation_type=scaling.MetricAggregationType.AVERAGE,
        )
        one_more.add_adjustment(adjustment=1, lower_bound=0)
        asleep = cloudwatch.Alarm(
            self,
            "Asleep",
            metric=self._metric("HasBacklogWithoutCapacity"),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=2,
            datapoints_to_alarm=2,
            treat_missing_data=cloudwatch.TreatMissingData.MISSING,
            alarm_description=f"{self._name} has requests and no instance: one is started. No action is needed.",
        )
        asleep.add_alarm_action(actions.ApplicationScalingAction(one_more))

    def _metric(self, name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/SageMaker",
            metric_name=name,
            dimensions_map={"EndpointName": self._name},
            statistic="Average",
            period=MINUTE,
        )

    def _scaling_role(self) -> iam.IRole:
        """The role of AWS for this purpose, created at the first use; any other role would be ignored."""
        arn = cdk.Stack.of(self).format_arn(
            service="iam",
            region="",
            resource="role",
            resource_name="aws-service-role/sagemaker.application-autoscaling.amazonaws.com"
            "/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        )
        return iam.Role.from_role_arn(self, "ScalingRole", arn)


def _environment(model: GpuModel) -> dict[str, str]:
    """The settings of Hugging Face's container. Its default limit is 6.5 MB; a track of 10 s is 7 MB of JSON."""
    return {
        "HF_MODEL_ID": model.hub_id,
        "HF_TASK": model.task,
        "MMS_MAX_RESPONSE_SIZE": "100000000",
        "MMS_DEFAULT_RESPONSE_TIMEOUT": "900",
        "MMS_DEFAULT_WORKERS_PER_MODEL": "1",
    }
