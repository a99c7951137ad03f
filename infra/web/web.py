"""The function that serves the page and the pages about error codes, and its asset."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile, copytree, ignore_patterns

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.functions.bundling import LEFT_OUT, RUNTIME
from infra.functions.function import BaseFunction
from infra.web.problems import pages

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
#: Where the Makefile installs the libraries that web/package.json names.
LIBRARIES = ROOT / ".local/web/node_modules"
#: The files of them that the page loads; each is one that its publisher has minified.
LOADED = {
    "@picocss/pico/css/pico.min.css": "pico.min.css",
    "lit-html/lit-html.js": "lit-html/lit-html.js",
    "lit-html/directive.js": "lit-html/directive.js",
    "lit-html/directive-helpers.js": "lit-html/directive-helpers.js",
    "lit-html/directives/repeat.js": "lit-html/directives/repeat.js",
    "wavesurfer.js/dist/wavesurfer.esm.js": "wavesurfer.esm.js",
}
#: What stands in web/ to build the asset with, and is not served.
NOT_SERVED = ["problem.html", "package.json"]
#: It answers from memory; only a cold start takes longer.
LONGEST_ANSWER = cdk.Duration.seconds(5)


class WebFunction(BaseFunction):
    """Serves `GET /`, `/web/{file+}` and `/problems/{code}`; it may do nothing of AWS but write its log.

    `bucket` is named in the page's policy, so that a browser loads files from there and from nowhere else. An
    emulator's bucket has the emulator's address, which CloudFormation does not know.
    """

    def __init__(self, scope: Construct, construct_id: str, *, bucket: s3.Bucket, emulated: bool) -> None:
        super().__init__(
            scope,
            construct_id,
            code=_asset(),
            handler="server.handler",
            timeout=LONGEST_ANSWER,
            memory_size=128,
            environment={"FILES_ORIGIN": "/" if emulated else f"https://{bucket.bucket_regional_domain_name}"},
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
    """Writes all that the function needs into the folder; raises FileNotFoundError before `make` has installed it."""
    copytree(WEB, folder, ignore=ignore_patterns(*LEFT_OUT, *NOT_SERVED), dirs_exist_ok=True)
    for source, place in LOADED.items():
        target = folder / "static/lib" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        copyfile(LIBRARIES / source, target)
    (folder / "problems").mkdir()
    for code, page in pages().items():
        (folder / "problems" / f"{code}.html").write_text(page)
