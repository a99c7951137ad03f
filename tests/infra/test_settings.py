"""What an operator may set, and how a mistake is answered."""

from __future__ import annotations

import json

import pytest

from infra.settings import SettingsError, stage_from


def test_without_a_word_it_is_prod() -> None:
    assert stage_from({}).name == "prod"


def test_cdks_own_context_is_passed_over() -> None:
    assert stage_from({"@aws-cdk/core:target-partitions": ["aws"], "aws:cdk:bundling-stacks": ["**"]}).name == "prod"


def test_what_is_not_as_usual_is_told_to_the_functions() -> None:
    servers = {"router": "https://example.com/{model}"}
    stage = stage_from({"servers": json.dumps(servers), "retention": "86400", "concurrent_calls": "8"})
    assert json.loads(stage.runtime_settings) == {"servers": servers, "retention": 86_400}
    assert stage.concurrent_calls == 8


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
        ({"longest_call": "801"}, "from 1 to 800"),
        ({"longest_call": "5m"}, "whole number"),
        ({"concurrent_calls": "1"}, "from 2 to 1000"),
        ({"default_deadline": "7200", "longest_deadline": "3600"}, "default_deadline must not exceed longest_deadline"),
        ({"alarm_email": "nobody"}, "e-mail address"),
    ],
)
def test_a_mistake_is_named(context: dict[str, object], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint.replace("[", r"\[")):
        stage_from(context)
