"""Checks of the stack by cdk-nag (its rule packs) and cfn-lint (the schemas of the resources)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from shutil import copytree
from typing import Any

import aws_cdk as cdk
import cdk_nag

from infra.settings.settings import STAGES
from infra.stack import LongplayStack


def test_cdk_nag_has_no_finding_that_is_not_acknowledged(
    assembly: Path, context: dict[str, Any], tmp_path: Path
) -> None:
    """Its warnings count too; they do not fail a synthesis by themselves."""
    outdir = copytree(assembly, tmp_path / "cdk.out")  # with the assets, which are then not bundled again
    app = cdk.App(outdir=str(outdir), context=context)
    LongplayStack(app, stage=STAGES["prod"])
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(), cdk_nag.ServerlessChecks())
    app.synth()
    reports = json.loads((outdir / "validation-report.json").read_text())["pluginReports"]
    assert {report["pluginName"]: report["violations"] for report in reports} == {"AwsSolutions": [], "Serverless": []}


def test_cfn_lint_has_no_finding(assembly: Path) -> None:
    """W3005 is left out: CDK writes down dependencies that a reference already implies."""
    templates = [assembly / f"{STAGES[stage].stack_name}.template.json" for stage in ("prod", "local")]
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    options = ["--region", "us-east-1", "--ignore-checks", "W3005", "--"]
    checked = subprocess.run([cfn_lint, *options, *templates], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")
