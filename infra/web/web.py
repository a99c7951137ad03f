"""The function that serves the pages about error codes, and its asset."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree, ignore_patterns

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.functions.bundling import LEFT_OUT, RUNTIME
from infra.functions.function import BaseFunction
from infra.web.problems import pages

WEB = Path(__file__).parents[2] / "web"
#: What stands in web/ to build the asset with, and is not served.
NOT_SERVED = ["problem.html", "package.json"]
#: It answers from memory; only a cold start takes longer.
LONGEST_ANSWER = cdk.Duration.seconds(5)


class WebFunction(BaseFunction):
    """Serves `/web/{file}` and `/problems/{code}`; it may do nothing of AWS but write its log."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope,
            construct_id,
            code=_asset(),
            handler="server.handler",
            timeout=LONGEST_ANSWER,
            memory_size=128,
            environment={},
        )


def _asset() -> lambda_.Code:
    """Its hash is that of all that is in it, so the texts of the pages count too."""
    bundling = cdk.BundlingOptions(image=RUNTIME.bundling_image, local=_Copied())
    return lambda_.Code.from_asset(str(WEB), asset_hash_type=cdk.AssetHashType.OUTPUT, bundling=bundling)


@jsii.implements(cdk.ILocalBundling)
class _Copied:
    # jsii passes the options by position, although the stub declares them by name
    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        build(Path(output_dir))
        return True


def build(folder: Path) -> None:
    """Writes all that the function needs into the folder."""
    copytree(WEB, folder, ignore=ignore_patterns(*LEFT_OUT, *NOT_SERVED), dirs_exist_ok=True)
    (folder / "problems").mkdir()
    for code, page in pages().items():
        (folder / "problems" / f"{code}.html").write_text(page)
