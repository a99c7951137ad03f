"""GPUs of one's own: SageMaker endpoints for chosen models, and the function that hears when they are done.

What it costs: an instance by the hour while it is awake, busy or not, and nothing while it sleeps. Deploying wakes
each once. A lone generation wakes one for about half an hour (5 to 10 minutes to start, 15 idle ones before it sleeps
again): some 70 cents on an ml.g5.xlarge at $1.408 an hour (us-east-1, 2026-11). An account's quota of GPU instances
“for endpoint usage” is often 0 at first: ask for one before deploying.
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
from infra.gpu.endpoint import ANSWERS, REQUESTS, GpuEndpoint, Image, Topics
from infra.gpu.models import gpu_models

#: Hugging Face's container for PyTorch inference: has diffusers, and a transformers that MusicGen is known to run on.
REPOSITORY, TAG = "huggingface-pytorch-inference", "2.6.0-transformers4.51.3-gpu-py312-cu124-ubuntu22.04"

#: Answers are copied as soon as they are found; S3 counts whole days.
ANSWERS_KEPT = cdk.Duration.days(1)

UNREDRIVEN = "A notice that is lost is made up for: the generator looks for the answer every minute."

LONGEST_NOTICE = cdk.Duration.seconds(10)


class Gpu(Construct):
    """Exposes `functions`, which are none where no model runs here; `image` replaces Hugging Face's container."""

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
        called_by: Function,
        looked_at_by: Function,
    ) -> None:
        """Runs each model on its instance type at the endpoint of its name."""
        if not models:
            return
        topics, image = self._topics(), self._chosen_image()
        self._runtime.bucket.add_lifecycle_rule(prefix=ANSWERS, expiration=ANSWERS_KEPT)
        self._hear(topics)
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
            called_by.allow("sagemaker:InvokeEndpointAsync", on=endpoint.arn)
            looked_at_by.allow("sagemaker:DescribeEndpoint", on=endpoint.arn)
        called_by.allow_files("PutObject", prefix=REQUESTS)
        called_by.allow_files("GetObject", prefix=ANSWERS)
        called_by.allow_listing(ANSWERS)

    def _topics(self) -> Topics:
        key = kms.Alias.from_alias_name(self, "Key", "alias/aws/sns")
        success, error = (sns.Topic(self, name, master_key=key, enforce_ssl=True) for name in ("Success", "Error"))
        return Topics(success=success, error=error)

    def _hear(self, topics: Topics) -> None:
        notices = Function(
            self,
            "Notices",
            entry="notices",
            runtime=self._runtime,
            timeout=LONGEST_NOTICE,
            # the name alone, as for callbacks: a hint is passed on, and who follows it up is the generator
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
    """The `servers` by which the functions reach the endpoints, named as routes name them."""
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
