"""The doctor on the deployed stack, run by the operator's command."""

from __future__ import annotations

import pytest

from infra.operate import main
from local.emulator.emulator import ADMINISTRATOR, REGION
from tests.end_to_end.deployed_stack import DeployedStack


@pytest.fixture
def operator(deployed: DeployedStack, monkeypatch: pytest.MonkeyPatch) -> DeployedStack:
    """The stack, with the environment variables by which any AWS SDK finds it."""
    account = {name.upper(): value for name, value in ADMINISTRATOR.items()}
    for name, value in {**account, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": deployed.aws.url}.items():
        monkeypatch.setenv(name, value)
    return deployed


def test_the_operator_sees_every_route_and_callers_see_which_models_work(
    operator: DeployedStack, capsys: pytest.CaptureFixture[str]
) -> None:
    """The doctor generates nothing."""
    generations = operator.server.generations
    main(["--stage", "test", "doctor"])
    shown = capsys.readouterr().out
    assert "Each model on offer has a route that works" in shown
    assert "musicgen-small" in shown
    health = operator.get("/health").json()
    assert (health["status"], health["models"]["musicgen-small"]["works"]) == ("ok", "yes")
    assert operator.server.generations == generations


def test_the_health_of_the_models_needs_a_key(operator: DeployedStack) -> None:
    """Without one, API Gateway refuses the request."""
    assert operator.get("/health", key=None).status_code == 403
