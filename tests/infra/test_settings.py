"""What an operator may set, and how a mistake is answered."""

from __future__ import annotations

import json
import re

import pytest
from longplay.domain.pacing import Limit, Window
from longplay.domain.settings import CacheScope, Caps, Failover, parse_settings

from infra.settings.settings import SettingsError, stage_from


def test_without_a_word_it_is_prod() -> None:
    assert stage_from({}).name == "prod"


def test_cdks_own_context_is_passed_over() -> None:
    assert stage_from({"@aws-cdk/core:target-partitions": ["aws"], "aws:cdk:bundling-stacks": ["**"]}).name == "prod"


def test_what_is_not_as_usual_is_told_to_the_functions() -> None:
    servers = {"router": "https://example.com/{model}"}
    stage = stage_from({"servers": json.dumps(servers), "retention": "86400", "concurrent_calls": "8"})
    assert json.loads(stage.runtime_settings) == {"servers": servers, "retention": 86_400}
    assert stage.concurrent_calls == 8


def test_the_functions_understand_how_jobs_are_paced_capped_and_shared() -> None:
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


def test_the_functions_understand_which_way_jobs_may_go_and_what_is_offered() -> None:
    settings = parse_settings(stage_from({"failover": "busy", "commercial_only": "true"}).runtime_settings)
    assert (settings.failover, settings.commercial_only) == (Failover.BUSY, True)


@pytest.mark.parametrize("server", ["router", "inference-providers"])
def test_each_usual_server_may_have_a_limit(server: str) -> None:
    limits = json.dumps({server: {"max_concurrent": 2}})
    assert parse_settings(stage_from({"limits": limits}).runtime_settings).limits == {server: Limit(max_concurrent=2)}


def test_without_a_horizon_every_job_is_accepted() -> None:
    assert parse_settings(stage_from({"horizon": "off"}).runtime_settings).horizon is None


def test_the_server_that_stands_for_all_others_has_a_limit_too() -> None:
    every = {"servers": '{"*": "http://10.0.0.1"}', "limits": '{"*": {"max_concurrent": 2}}'}
    assert parse_settings(stage_from(every).runtime_settings).limits == {"*": Limit(max_concurrent=2)}


def test_a_setting_may_stand_in_cdk_json_as_it_is() -> None:
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
        ({"default_deadline": "7200", "longest_deadline": "3600"}, "default_deadline must not exceed longest_deadline"),
        ({"alarm_email": "nobody"}, "e-mail address"),
    ],
)
def test_a_mistake_is_named(context: dict[str, object], complaint: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(complaint)):
        stage_from(context)
