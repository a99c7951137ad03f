"""The settings that an operator can give, and the errors for wrong ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from longplay.domain.models_file import CatalogueError
from longplay.domain.pacing import Limit, Window
from longplay.domain.settings import CacheScope, Caps, Failover, Settings, parse_settings

from infra.settings.settings import FIXED, SettingsError, Stage, stage_from

ROOT = Path(__file__).parents[2]


def test_the_default_stage_is_prod() -> None:
    assert stage_from({}).name == "prod"


def test_the_context_of_cdk_itself_is_skipped() -> None:
    assert stage_from({"@aws-cdk/core:target-partitions": ["aws"], "aws:cdk:bundling-stacks": ["**"]}).name == "prod"


def test_the_functions_get_the_settings_that_are_not_defaults() -> None:
    servers = {"router": "https://example.com/{model}"}
    stage = stage_from({"servers": json.dumps(servers), "retention": "86400", "requests_per_second": "8"})
    assert json.loads(stage.runtime_settings) == {"servers": servers, "retention": 86_400}
    assert stage.requests_per_second == 8


def test_the_functions_get_limits_caps_and_cache_scope() -> None:
    stage = stage_from(
        {
            "limits": '{"router": {"windows": [[1, 2], [30, 3600], [1000, 86400.5]], "max_concurrent": 4}}',
            "start_tolerance": "0.5",
            "horizon": "600",
            "owner_caps": '{"jobs": 500, "open_jobs": 50}',
            "deployment_caps": '{"usd": 20.5}',
            "cache": "deployment",
        }
    )
    settings = parse_settings(stage.runtime_settings)
    windows = (Window(1, 2), Window(30, 3600), Window(1000, 86_400.5))
    assert settings.limits == {"router": Limit(windows=windows, max_concurrent=4)}
    assert (settings.start_tolerance, settings.horizon) == (0.5, 600)
    assert (settings.owner_caps, settings.deployment_caps) == (Caps(jobs=500, open_jobs=50), Caps(usd=20.5))
    assert settings.cache is CacheScope.DEPLOYMENT


def test_the_functions_get_the_organization_that_pays() -> None:
    assert parse_settings(stage_from({"bill_to": "acme-labs"}).runtime_settings).bill_to == "acme-labs"
    with pytest.raises(SettingsError, match="the name of an organization at Hugging Face, or off"):
        stage_from({"bill_to": "acme labs"})


def test_the_functions_get_failover_and_commercial_use() -> None:
    settings = parse_settings(stage_from({"failover": "busy", "commercial_only": "true"}).runtime_settings)
    assert (settings.failover, settings.commercial_only) == (Failover.BUSY, True)


@pytest.mark.parametrize("server", ["router", "inference-providers"])
def test_each_default_server_can_have_a_limit(server: str) -> None:
    limits = json.dumps({server: {"max_concurrent": 2}})
    assert parse_settings(stage_from({"limits": limits}).runtime_settings).limits == {server: Limit(max_concurrent=2)}


def test_off_is_no_horizon() -> None:
    assert parse_settings(stage_from({"horizon": "off"}).runtime_settings).horizon is None


def test_the_server_for_every_model_can_have_a_limit() -> None:
    every = {"servers": '{"*": "http://10.0.0.1"}', "limits": '{"*": {"max_concurrent": 2}}'}
    assert parse_settings(stage_from(every).runtime_settings).limits == {"*": Limit(max_concurrent=2)}


def test_a_value_in_cdk_json_need_not_be_a_text() -> None:
    assert stage_from({"servers": {"router": "http://10.0.0.1"}, "longest_call": 600}).longest_call == 600


@pytest.mark.parametrize(
    ("context", "complaint"),
    [
        ({"stage": "production"}, "unknown stage 'production': choose one of prod, local, test"),
        ({"server": "{}"}, "unknown setting 'server'"),
        ({"servers": "router=https://example.com"}, "JSON object of URLs"),
        ({"servers": '["https://example.com"]'}, "JSON object of URLs"),
        ({"servers": '{"router": "example.com"}'}, "JSON object of URLs"),
        ({"servers": '{"router": 7}'}, "JSON object of URLs"),
        ({"limits": '{"routre": {"max_concurrent": 2}}'}, "the server 'routre', which is not set up: there are router"),
        ({"limits": '{"*": {"max_concurrent": 2}}'}, "'*', which is not set up"),
        ({"limits": "[[1, 2]]"}, "must be a JSON object, like"),
        ({"limits": '{"router": {}}'}, "router: must be a JSON object, like"),
        ({"limits": '{"router": {"window": [[1, 2]]}}'}, "unknown key 'window': there are windows, max_concurrent"),
        ({"limits": '{"router": {"windows": [1, 2]}}'}, "router: windows: must be pairs"),
        ({"limits": '{"router": {"windows": [[1, 2, 3]]}}'}, "must be pairs"),
        ({"limits": '{"router": {"windows": [[0, 2]]}}'}, "must be pairs"),
        ({"limits": '{"router": {"windows": [[1.5, 2]]}}'}, "must be pairs"),
        ({"limits": '{"router": {"windows": [[true, 2]]}}'}, "must be pairs"),
        ({"limits": '{"router": {"windows": [[1, 0]]}}'}, "must be pairs"),
        ({"limits": '{"router": {"windows": [[1, NaN]]}}'}, "must be pairs"),
        ({"limits": '{"router": {"windows": []}}'}, "must be pairs"),
        ({"limits": '{"router": {"max_concurrent": 0}}'}, "router: max_concurrent: must be a whole number"),
        ({"start_tolerance": "-1"}, "from 0 to 60"),
        ({"start_tolerance": "Infinity"}, "from 0 to 60"),
        ({"horizon": "half an hour"}, "from 1 to 86400, or off"),
        ({"horizon": "true"}, "from 1 to 86400, or off"),
        ({"owner_caps": "500"}, "must be a JSON object, like"),
        ({"owner_caps": '{"job": 5}'}, "unknown key 'job': there are usd, jobs, open_jobs"),
        ({"owner_caps": '{"jobs": 0}'}, "jobs: must be a whole number from 1"),
        ({"deployment_caps": '{"usd": -1}'}, "usd: must be a number from 0 to 1000000"),
        ({"deployment_caps": '{"usd": "free"}'}, "usd: must be a number"),
        ({"cache": "global"}, "must be one of owner, deployment, off"),
        ({"failover": "always"}, "must be one of unserved, busy"),
        ({"commercial_only": "yes"}, "must be true or false"),
        ({"longest_call": "801"}, "from 1 to 800"),
        ({"longest_call": "5m"}, "whole number"),
        ({"concurrent_calls": "1"}, "from 2 to 1000"),
        (
            {"default_deadline": "7200", "longest_deadline": "3600"},
            "default_deadline=7200 must not exceed longest_deadline=3600",
        ),
        ({"alarm_email": "alice"}, "alarm_email='alice': must be an e-mail address"),
        ({"servers": '{"musicgen-smal": "https://example.com"}'}, "servers names 'musicgen-smal', which no route in"),
        ({"servers": '{"musicgen-smal": "https://example.com"}'}, "they use sagemaker-musicgen-small, musicgen-small,"),
        ({"lease_margin": "1"}, "unknown setting 'lease_margin'"),
        ({"name": "other"}, "unknown setting 'name'"),
        ({"longest_call": "801"}, "longest_call='801': must be a whole number from 1 to 800"),
        ({"longest_call": True}, "longest_call=True: must be a whole number from 1 to 800"),
        ({"gpu": '{"flux-dev": "ml.g5.xlarge"}'}, "gpu: unknown key 'flux-dev': there are musicgen-small"),
    ],
)
def test_a_mistake_is_named(context: dict[str, object], complaint: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(complaint)):
        stage_from(context)


def test_every_setting_has_bounds_that_an_error_can_name() -> None:
    """A value that fits no setting is refused for each of them, with what is right."""
    for name in (name for name in Stage.__struct_fields__ if name not in FIXED):
        with pytest.raises(SettingsError, match=f"^{name}=.*: must be "):
            stage_from({name: "-"})


def test_an_empty_object_of_servers_means_the_default_ones() -> None:
    assert stage_from({"servers": "{}"}).runtime_settings == "{}"


def test_the_functions_read_the_given_values() -> None:
    """The stack and the functions read one declaration, so each setting of the functions passes through."""
    given = {"retention": 86_400, "horizon": None, "failover": "busy", "owner_caps": {"usd": 5}}
    settings = parse_settings(stage_from(given).runtime_settings)
    assert settings == Settings(retention=86_400, horizon=None, failover=Failover.BUSY, owner_caps=Caps(usd=5))


def test_a_mistake_in_the_catalogue_ends_a_synthesis(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise CatalogueError("models.toml: model `song`: there is no field `comercial`")

    monkeypatch.setattr("infra.settings.settings.catalogue", broken)
    with pytest.raises(SettingsError, match="model `song`: there is no field `comercial`"):
        stage_from({})


def test_the_cdk_app_ends_with_the_mistake_and_no_traceback() -> None:
    """The app finds lambdas/ by itself, with an empty PYTHONPATH."""
    environment = {**os.environ, "PYTHONPATH": "", "CDK_CONTEXT_JSON": '{"longest_call": "801"}'}
    done = subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    error = "Longplay cannot be built: longest_call='801': must be a whole number from 1 to 800\n"
    assert done.stderr.endswith(error)
    assert "Traceback" not in done.stderr
