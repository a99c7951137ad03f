"""SageMaker endpoints for chosen models, and the function that receives their notices.

Costs: an instance is charged by the hour while it runs, busy or not; an endpoint without an instance costs nothing.
Each deployment starts every instance once. A single generation keeps one running for about half an hour (5 to 10
minutes to start, 15 idle minutes before it stops): some 70 cents on an ml.g5.xlarge at $1.408 an hour (us-east-1,
2026-11). An account's quota of GPU instances “for endpoint usage” is often 0 at first: request one before deploying.
"""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import region_info
from constructs import Construct

from infra.functions.acknowledge import acknowledge
from infra.functions.function import Function, Runtime
from infra.gpu.endpoint import REQUESTS, RESULTS, GpuEndpoint, Image, Topics
from infra.gpu.models import gpu_models

#: Hugging Face's container for PyTorch inference, with diffusers and a version of transformers that runs MusicGen.
REPOSITORY, TAG = "huggingface-pytorch-inference", "2.6.0-transformers4.51.3-gpu-py312-cu124-ubuntu22.04"

#: The generator copies a result as soon as it finds it; S3 counts in whole days.
RESULTS_RETENTION = cdk.Duration.days(1)

UNREDRIVEN = "A lost notice does no harm: the generator looks for the result every minute."

LONGEST_NOTICE = cdk.Duration.seconds(10)


class Gpu(Construct):
    """The SageMaker endpoints of the models that run in this account, and the function that receives their notices.

    Exposes `functions`, empty if there are no such models. `image` replaces Hugging Face's container.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, runtime: Runtime, secret_arn: str, image: str | None
    ) -> None:
        super().__init__(scope, construct_id)
        self.functions: list[Function] = []
        self._runtime, self._secret_arn, self._image = runtime, secret_arn, image

    def run(
        self,
        models: Mapping[str, str],
        endpoints: Mapping[str, str],
        *,
        generator: Function,
        doctor: Function,
    ) -> None:
        """Runs each model on its instance type, at its endpoint; `generator` may call it, `doctor` may check it."""
        if not models:
            return
        topics, image = self._topics(), self._chosen_image()
        self._runtime.bucket.add_lifecycle_rule(prefix=RESULTS, expiration=RESULTS_RETENTION)
        self._receive_notices(topics)
        for model, instance_type in models.items():
            endpoint = GpuEndpoint(
                self,
                model,
                name=endpoints[model],
                model=gpu_models()[model],
                instance_type=instance_type,
                image=image,
                bucket=self._runtime.bucket,
                topics=topics,
            )
            generator.allow("sagemaker:InvokeEndpointAsync", on=endpoint.arn)
            doctor.allow("sagemaker:DescribeEndpoint", on=endpoint.arn)
        generator.allow_files("PutObject", prefix=REQUESTS)
        generator.allow_files("GetObject", prefix=RESULTS)
        generator.allow_listing(RESULTS)

    def _topics(self) -> Topics:
        key = kms.Alias.from_alias_name(self, "Key", "alias/aws/sns")
        success, error = (sns.Topic(self, name, master_key=key, enforce_ssl=True) for name in ("Success", "Error"))
        return Topics(success=success, error=error)

    def _receive_notices(self, topics: Topics) -> None:
        notices = Function(
            self,
            "Notices",
            entry="notices",
            runtime=self._runtime,
            timeout=LONGEST_NOTICE,
            # only the name, as for callbacks: a notice is passed on, and the generator then reads the result
            environment={"PROVIDER_SECRET_ID": self._secret_arn},
        )
        notices.allow_items("GetItem", "UpdateItem")
        notices.allow_sending()
        for topic in (topics.success, topics.error):
            topic.add_subscription(subscriptions.LambdaSubscription(notices))
        acknowledge(notices, {"Serverless-SNSRedrivePolicy": UNREDRIVEN})
        self.functions.append(notices)

    def _chosen_image(self) -> Image:
        stack = cdk.Stack.of(self)
        if self._image:
            return _image(self._image, stack)
        account = stack.regional_fact(region_info.FactName.DLC_REPOSITORY_ACCOUNT)
        registry = f"{account}.dkr.ecr.{stack.region}.{stack.url_suffix}"
        return _image_at(stack, registry, REPOSITORY, TAG, account=account, region=stack.region)


def endpoint_urls(stack: cdk.Stack, endpoints: Mapping[str, str]) -> Mapping[str, str]:
    """The setting `servers` for the endpoints: each URL by the name that routes use for it."""
    runtime = f"https://runtime.sagemaker.{stack.region}.{stack.url_suffix}"
    return {f"sagemaker-{model}": f"{runtime}/endpoints/{name}" for model, name in endpoints.items()}


def _image(uri: str, stack: cdk.Stack) -> Image:
    registry, _, named = uri.partition("/")
    repository, _, tag = named.partition(":")
    account, _, _, region, *_ = registry.split(".")
    return _image_at(stack, registry, repository, tag, account=account, region=region)


def _image_at(stack: cdk.Stack, registry: str, repository: str, tag: str, *, account: str, region: str) -> Image:
    arn = stack.format_arn(
        service="ecr", account=account, region=region, resource="repository", resource_name=repository
    )
    return Image(registry=registry, repository=repository, tag=tag, repository_arn=arn)
