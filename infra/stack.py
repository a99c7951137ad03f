"""The stack: all constructs of Longplay, and the outputs that an operator needs."""

from __future__ import annotations

import json
from collections.abc import Mapping

import aws_cdk as cdk
from constructs import Construct

from infra.api.api import Api
from infra.api.faces import Faces
from infra.functions.bundling import asset
from infra.functions.doctor import Doctor
from infra.functions.function import BaseFunction, Function, Runtime
from infra.functions.workers import Deliverer, Generator, Sweeper
from infra.gpu.sagemaker import Gpu, endpoint_urls
from infra.monitoring import Monitoring
from infra.queues import Queues
from infra.settings.settings import Stage
from infra.storage import Storage


class LongplayStack(cdk.Stack):
    """One stage of Longplay."""

    def __init__(self, scope: Construct, *, stage: Stage) -> None:
        super().__init__(scope, stage.stack_name, synthesizer=_synthesizer(stage))
        deployed, timeout = not stage.emulated, cdk.Duration.seconds(stage.generator_timeout)
        storage = Storage(self, "Storage", longest_kept=stage.longest_kept, keep=deployed, tls_only=deployed)
        queues = Queues(self, "Queues", consumer_timeout=timeout, tls_only=deployed)
        runtime = _runtime(stage, storage, queues, own_servers=endpoint_urls(self, stage.gpu_endpoints))
        api = Api(
            self,
            "Api",
            runtime=runtime,
            secret_arn=storage.secret_arn,
            root_arn=storage.webhook_root_arn,
            requests_per_second=stage.requests_per_second,
            emulated=stage.emulated,
        )
        faces = _faces(self, stage, api, runtime)
        # CloudFormation does not know the address of an emulator's API
        api_url = api.rest_api.url if deployed else None
        generator = Generator(
            self,
            "Generator",
            runtime=runtime,
            timeout=timeout,
            secret_arn=storage.secret_arn,
            callback_base=api_url,
            concurrent_calls=stage.concurrent_calls,
            concurrent_steps=stage.concurrent_steps,
        )
        root_arn, at_once = storage.webhook_root_arn, stage.concurrent_deliveries
        deliverer = Deliverer(self, "Deliverer", runtime=runtime, root_arn=root_arn, api_url=api_url, at_once=at_once)
        sweeper = Sweeper(self, "Sweeper", runtime=runtime)
        doctor = Doctor(self, "Doctor", runtime=runtime, secret_arn=storage.secret_arn)
        gpu = Gpu(self, "Gpu", runtime=runtime, secret_arn=storage.secret_arn, image=stage.gpu_image)
        gpu.run(stage.gpu, stage.gpu_endpoints, generator=generator.function, doctor=doctor.function)
        functions: list[BaseFunction] = [
            *(api.submit, api.jobs, api.batches, api.callbacks, api.webhooks, api.web),
            *(generator.function, deliverer.function, sweeper.function, doctor.function),
            *((faces.faces, faces.authorizer) if faces else ()),
            *gpu.functions,
        ]
        self._watch(stage, generator.function, deliverer.function, functions, queues)
        self._add_outputs(stage, api, faces, storage, queues, functions)

    def _watch(
        self, stage: Stage, generator: Function, deliverer: Function, functions: list[BaseFunction], queues: Queues
    ) -> None:
        monitoring = Monitoring(self, "Monitoring", email=stage.alarm_email)
        monitoring.watch_functions(functions)
        monitoring.watch_duration(generator, longest=stage.longest_call + stage.call_margin // 2)
        monitoring.watch_accounts(generator)
        monitoring.watch_loops(generator)
        monitoring.watch_queues(queues.work, longest_wait=stage.default_deadline)
        monitoring.watch_hooks(queues.hooks)
        monitoring.watch_given_up(deliverer)
        monitoring.watch_dead_letters(queues.dead)
        monitoring.show(functions, [*queues.work, queues.hooks, queues.dead])

    def _add_outputs(
        self,
        stage: Stage,
        api: Api,
        faces: Faces | None,
        storage: Storage,
        queues: Queues,
        functions: list[BaseFunction],
    ) -> None:
        outputs = {
            "ApiUrl": api.rest_api.url,
            "Settings": json.dumps(stage.chosen, sort_keys=True),
            **({"FacesUrl": faces.rest_api.url} if faces else {}),
            "UsagePlanId": api.usage_plan.usage_plan_id,
            "TableName": storage.table.table_name,
            "BucketName": storage.bucket.bucket_name,
            "SecretName": storage.secret_arn,
            **{f"{queue.node.id}QueueUrl": queue.queue_url for queue in [*queues.work, queues.dead]},
            **{f"{function.node.id}FunctionName": function.function_name for function in functions},
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)


def _faces(scope: LongplayStack, stage: Stage, api: Api, runtime: Runtime) -> Faces | None:
    if not stage.faces:
        return None
    key_url = _key_url(api, emulated=stage.emulated)
    return Faces(scope, "Faces", runtime=runtime, key_url=key_url, requests_per_second=stage.requests_per_second)


def _key_url(api: Api, *, emulated: bool) -> str:
    """The address at which the authorizer tries a key; an emulator's is relative to the emulator."""
    rest_api = api.rest_api
    path = f"/_aws/execute-api/{rest_api.rest_api_id}/{rest_api.deployment_stage.stage_name}/key"
    return path if emulated else rest_api.url_for_path("/key")


def _synthesizer(stage: Stage) -> cdk.IStackSynthesizer | None:
    """On an emulator the command's credentials publish assets, because it lacks the roles for that."""
    return cdk.CliCredentialsStackSynthesizer() if stage.emulated else None


def _runtime(stage: Stage, storage: Storage, queues: Queues, *, own_servers: Mapping[str, str]) -> Runtime:
    return Runtime(
        code=asset(for_this_machine=stage.emulated),
        settings=stage.runtime_settings_with(own_servers),
        table=storage.table,
        bucket=storage.bucket,
        calls=queues.calls,
        steps=queues.steps,
        hooks=queues.hooks,
    )
