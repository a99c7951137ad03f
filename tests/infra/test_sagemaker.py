"""SageMaker endpoints by `-c gpu=…`: their resources, their permissions, and none of them without the setting."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from shutil import copytree
from typing import Any

import aws_cdk as cdk
import cdk_nag
import pytest
from longplay.domain.models_file import load_catalogue
from longplay.domain.pacing import Limit
from longplay.domain.settings import Settings, parse_settings
from longplay.providers import PROVIDERS

from infra.gpu.models import gpu_models
from infra.settings.settings import SettingsError, stage_from
from infra.stack import LongplayStack
from tests.infra.reading import Template, granted, only, properties, readable

MUSIC, IMAGE = "musicgen-small", "stable-diffusion-v1-5"
GPU = {MUSIC: "ml.g5.xlarge", IMAGE: "ml.g4dn.xlarge"}
ENDPOINTS = {MUSIC: "longplay-musicgen-small-g5-xlarge", IMAGE: "longplay-stable-diffusion-v1-5-g4dn-xlarge"}
ARNS = {
    model: f"arn:AWS::Partition:sagemaker:AWS::Region:AWS::AccountId:endpoint/{name}"
    for model, name in ENDPOINTS.items()
}
FILES = "StorageFiles.Arn"


@pytest.fixture(scope="module")
def synthesized(assembly: Path, context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a stack with two models on GPUs, after cdk-nag has checked it."""
    outdir = copytree(
        assembly, tmp_path_factory.mktemp("gpu") / "cdk.out"
    )  # with the assets, which are then not bundled again
    app = cdk.App(outdir=str(outdir), context=context)
    LongplayStack(app, stage=stage_from({"gpu": json.dumps(GPU)}))
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(), cdk_nag.ServerlessChecks())
    app.synth()
    return outdir


@pytest.fixture(scope="module")
def gpu(synthesized: Path) -> Template:
    """The template of that stack."""
    template: Template = json.loads((synthesized / "Longplay.template.json").read_text())
    return template


def test_without_the_setting_the_stack_has_no_gpu_resources(prod: Template) -> None:
    """Neither endpoints, scaling, permissions nor the function for notices."""
    kinds = {resource["Type"] for resource in prod["Resources"].values()}
    assert not [kind for kind in kinds if "SageMaker" in kind or "ApplicationAutoScaling" in kind]
    assert "sagemaker" not in json.dumps(granted(prod, "GeneratorGeneratorRole"), default=sorted)
    assert "notices.handler" not in {f["Handler"] for f in properties(prod, "AWS::Lambda::Function").values()}


def test_each_model_has_an_endpoint_with_a_fixed_name(gpu: Template) -> None:
    """The functions know the name without asking CloudFormation."""
    endpoints = properties(gpu, "AWS::SageMaker::Endpoint").values()
    assert {endpoint["EndpointName"] for endpoint in endpoints} == set(ENDPOINTS.values())


def test_another_instance_type_is_another_endpoint() -> None:
    """SageMaker refuses to change the type of an endpoint that scales by itself, and the whole update would fail."""
    names = [
        stage_from({"gpu": json.dumps({MUSIC: kind})}).gpu_endpoints[MUSIC]
        for kind in ("ml.g5.xlarge", "ml.g6.2xlarge")
    ]
    assert names == ["longplay-musicgen-small-g5-xlarge", "longplay-musicgen-small-g6-2xlarge"]


def test_the_longest_name_of_an_endpoint_is_allowed() -> None:
    """SageMaker allows 63 characters."""
    stage = stage_from({"gpu": json.dumps(dict.fromkeys(gpu_models(), "ml.p4de.24xlarge"))})
    assert max(map(len, stage.gpu_endpoints.values())) <= 63


def test_the_endpoints_are_added_to_the_servers_of_the_functions(gpu: Template) -> None:
    """The default servers remain. The function of the page has no settings."""
    variables = [function["Environment"]["Variables"] for function in properties(gpu, "AWS::Lambda::Function").values()]
    assert [found for found in variables if "SETTINGS" not in found and "FILES_ORIGIN" not in found] == []
    for found in (found for found in variables if "SETTINGS" in found):
        settings = parse_settings(readable(found["SETTINGS"]))
        runtime = "https://runtime.sagemaker.AWS::Region.AWS::URLSuffix/endpoints/"
        own = {f"sagemaker-{model}": runtime + name for model, name in ENDPOINTS.items()}
        assert settings.servers == {**Settings().servers, **own}


def test_every_model_has_a_route_to_its_endpoint_and_the_same_id_on_the_hub() -> None:
    """The catalogue and the container name the same model."""
    models = load_catalogue(PROVIDERS).models
    for name, model in gpu_models().items():
        route = models[name].route("gpu")
        assert route is not None
        assert (route.provider, route.server, route.model) == ("sagemaker", f"sagemaker-{name}", model.hub_id)


def test_the_container_is_hugging_faces_with_the_models_id_and_task(gpu: Template) -> None:
    """Both are environment variables of the container."""
    containers = [model["PrimaryContainer"] for model in properties(gpu, "AWS::SageMaker::Model").values()]
    configured = {(c["Environment"]["HF_MODEL_ID"], c["Environment"]["HF_TASK"]) for c in containers}
    assert configured == {(gpu_models()[model].hub_id, gpu_models()[model].task) for model in GPU}
    assert all("/huggingface-pytorch-inference:" in json.dumps(c["Image"]) for c in containers)


def test_the_container_may_answer_with_the_longest_track(gpu: Template) -> None:
    """30 s of sound are 20 MB of JSON."""
    for model in properties(gpu, "AWS::SageMaker::Model").values():
        assert int(model["PrimaryContainer"]["Environment"]["MMS_MAX_RESPONSE_SIZE"]) > 32_000_000


def test_another_container_image_may_be_set(context: dict[str, Any], assembly: Path, tmp_path: Path) -> None:
    """The endpoint's role may then pull that image."""
    uri = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/own/inference:2.7"
    app = cdk.App(outdir=str(copytree(assembly, tmp_path / "cdk.out")), context=context)
    LongplayStack(app, stage=stage_from({"gpu": json.dumps({MUSIC: "ml.g5.xlarge"}), "gpu_image": uri}))
    app.synth()
    template = json.loads((tmp_path / "cdk.out/Longplay.template.json").read_text())
    assert only(template, "AWS::SageMaker::Model")["PrimaryContainer"]["Image"] == uri
    repository = "arn:AWS::Partition:ecr:eu-west-1:111122223333:repository/own/inference"
    assert repository in granted(template, "GpumusicgensmallRole")


def test_an_endpoint_is_asynchronous_with_its_own_prefix_and_both_topics(gpu: Template) -> None:
    """Results and errors are written under one prefix."""
    for config in properties(gpu, "AWS::SageMaker::EndpointConfig").values():
        output = readable(config["AsyncInferenceConfig"]["OutputConfig"])
        assert output["S3OutputPath"] == output["S3FailurePath"]
        assert output["S3OutputPath"].rpartition("/gpu/")[2] in ENDPOINTS.values()
        assert output["NotificationConfig"] == {"SuccessTopic": "GpuSuccess", "ErrorTopic": "GpuError"}


def test_each_model_runs_on_the_instance_type_that_is_set(gpu: Template) -> None:
    """The setting names one type per model."""
    variants = [
        config["ProductionVariants"][0] for config in properties(gpu, "AWS::SageMaker::EndpointConfig").values()
    ]
    assert {variant["InstanceType"] for variant in variants} == set(GPU.values())


def test_an_endpoint_has_no_instance_when_idle_and_never_more_than_one(gpu: Template) -> None:
    """Instances cost money by the hour."""
    targets = properties(gpu, "AWS::ApplicationAutoScaling::ScalableTarget").values()
    assert len(targets) == len(GPU)
    assert {(target["MinCapacity"], target["MaxCapacity"]) for target in targets} == {(0, 1)}


def test_an_endpoint_scales_in_by_its_backlog_and_out_at_the_first_request(gpu: Template) -> None:
    """Two scaling policies are needed to scale from zero."""
    policies = list(properties(gpu, "AWS::ApplicationAutoScaling::ScalingPolicy").values())
    tracked = [policy["TargetTrackingScalingPolicyConfiguration"] for policy in policies if "Tracking" in str(policy)]
    metrics = {policy["CustomizedMetricSpecification"]["MetricName"] for policy in tracked}
    assert metrics == {"ApproximateBacklogSizePerInstance"}
    stepped = [policy["StepScalingPolicyConfiguration"] for policy in policies if "StepAdjustments" in str(policy)]
    assert [step["StepAdjustments"] for step in stepped] == [
        [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]
    ] * 2
    asleep = [alarm for name, alarm in properties(gpu, "AWS::CloudWatch::Alarm").items() if name.endswith("Asleep")]
    assert {(alarm["MetricName"], alarm["Threshold"]) for alarm in asleep} == {("HasBacklogWithoutCapacity", 1)}
    assert all("OneMore" in readable(alarm["AlarmActions"])[0] for alarm in asleep)


def test_the_role_of_an_endpoint_may_only_read_requests_and_write_its_answers(gpu: Template) -> None:
    """Its container runs code from outside the project."""
    grants = granted(gpu, "GpumusicgensmallRole")
    assert grants[f"{FILES}/inputs/*/gpu-*"] == {"s3:GetObject"}
    assert grants[f"{FILES}/gpu/{ENDPOINTS[MUSIC]}/*"] == {"s3:PutObject", "s3:AbortMultipartUpload"}
    assert {"GpuSuccess", "GpuError"} <= set(grants)
    assert not [resource for resource, verbs in grants.items() if "dynamodb" in str(verbs) or "secrets" in str(verbs)]
    everywhere = {frozenset(verbs) for resource, verbs in grants.items() if resource.startswith("*")}
    assert everywhere == {frozenset({"ecr:GetAuthorizationToken"}), frozenset({"cloudwatch:PutMetricData"})}


def test_the_generator_may_call_these_endpoints_and_read_their_answers(gpu: Template, prod: Template) -> None:
    """It has no other additional permission."""
    before, now = granted(prod, "GeneratorGeneratorRole"), granted(gpu, "GeneratorGeneratorRole")
    more = {resource: verbs for resource, verbs in now.items() if before.get(resource) != verbs}
    assert more == {
        **{arn: {"sagemaker:InvokeEndpointAsync"} for arn in ARNS.values()},
        f"{FILES}/inputs/*/gpu-*": {"s3:PutObject"},
        f"{FILES}/gpu/*": {"s3:GetObject"},
        f"{FILES} if {{'StringLike': {{'s3:prefix': ['gpu/*']}}}}": {"s3:ListBucket"},
    }


def test_the_doctor_may_describe_these_endpoints(gpu: Template) -> None:
    """It may not call them."""
    for arn in ARNS.values():
        assert granted(gpu, "DoctorDoctorRole")[arn] == {"sagemaker:DescribeEndpoint"}


def test_the_function_for_notices_may_only_pass_callbacks_on(gpu: Template) -> None:
    """It reads neither the secret nor the files."""
    assert granted(gpu, "GpuNoticesRole") == {
        "StorageJobs.Arn": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        "QueuesCalls.Arn": {"sqs:SendMessage"},
        "QueuesSteps.Arn": {"sqs:SendMessage"},
        "GpuNoticesLog.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
    }


def test_notices_come_only_from_these_topics(gpu: Template) -> None:
    """No other topic may call the function."""
    permissions = [p for p in properties(gpu, "AWS::Lambda::Permission").values() if "sns" in p["Principal"]]
    assert {readable(permission["SourceArn"]) for permission in permissions} == {"GpuSuccess", "GpuError"}
    assert {readable(permission["FunctionName"]) for permission in permissions} == {"GpuNotices.Arn"}


def test_the_topics_are_encrypted_and_require_tls(gpu: Template) -> None:
    """The topic for alarms requires TLS too."""
    topics = properties(gpu, "AWS::SNS::Topic")
    assert all("alias/aws/sns" in str(topics[name]["KmsMasterKeyId"]) for name in ("GpuSuccess", "GpuError"))
    denied = json.dumps(list(properties(gpu, "AWS::SNS::TopicPolicy").values()))
    assert denied.count("aws:SecureTransport") == 3


def test_answers_expire_after_a_day(gpu: Template) -> None:
    """The generator has copied them long before."""
    rules = only(gpu, "AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    assert [rule["ExpirationInDays"] for rule in rules if rule.get("Prefix") == "gpu/"] == [1]


def test_the_log_of_an_endpoint_expires(gpu: Template) -> None:
    """SageMaker would otherwise create one that is kept forever."""
    groups = properties(gpu, "AWS::Logs::LogGroup").values()
    named = {group["LogGroupName"]: group["RetentionInDays"] for group in groups if "LogGroupName" in group}
    assert named == {f"/aws/sagemaker/Endpoints/{name}": 30 for name in ENDPOINTS.values()}


def test_cdk_nag_has_no_finding_that_is_not_acknowledged(synthesized: Path) -> None:
    """The same check as for a stack without GPUs."""
    reports = json.loads((synthesized / "validation-report.json").read_text())["pluginReports"]
    assert {report["pluginName"]: report["violations"] for report in reports} == {"AwsSolutions": [], "Serverless": []}


def test_cfn_lint_has_no_finding(synthesized: Path) -> None:
    """The same check as for a stack without GPUs."""
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    options = ["--region", "us-east-1", "--ignore-checks", "W3005", "--", str(synthesized / "Longplay.template.json")]
    checked = subprocess.run([cfn_lint, *options], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"gpu": "ml.g5.xlarge"}, "JSON object"),
        ({"gpu": '{"flux": "ml.g5.xlarge"}'}, "there are musicgen-small"),
        ({"gpu": '{"musicgen-small": "g5.xlarge"}'}, "like ml.g5.xlarge"),
        ({"gpu_image": "huggingface/inference:latest"}, "in ECR"),
        ({"limits": '{"sagemaker-musicgen-small": {"max_concurrent": 2}}'}, "not set up"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_deployed(settings: dict[str, str], complaint: str) -> None:
    """The error says what is allowed."""
    with pytest.raises(SettingsError, match=complaint):
        stage_from(settings)


def test_an_endpoint_may_have_limits_like_any_other_server() -> None:
    """The limit is named by the server's name."""
    stage = stage_from({"gpu": json.dumps(GPU), "limits": '{"sagemaker-musicgen-small": {"max_concurrent": 2}}'})
    assert stage.limits == {"sagemaker-musicgen-small": Limit(max_concurrent=2)}
