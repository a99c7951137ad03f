"""The asset shared by all functions: lambdas/ with its requirements installed into it, made without Docker."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from compileall import compile_dir
from pathlib import Path
from py_compile import PycInvalidationMode
from shutil import copytree, ignore_patterns, rmtree

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

LAMBDAS = Path(__file__).parents[2] / "lambdas"
RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64

#: Files that depend on the building machine: they would change the asset although its sources are the same.
LEFT_OUT = ["__pycache__", "*.pyc", ".*"]
#: The runtime has glibc 2.34 (Amazon Linux 2023), so packages for 2.28 run there too.
PLATFORMS = ["--platform=manylinux2014_aarch64", "--platform=manylinux_2_28_aarch64"]
FOR_LAMBDA = [*PLATFORMS, "--implementation=cp", "--python-version=3.13"]


def asset(*, for_this_machine: bool, sources: Path = LAMBDAS) -> lambda_.Code:
    """The code of all functions, with packages for Lambda, or for this machine if an emulator runs them here.

    The hash covers the sources and the platform, so an unchanged asset is not built again.
    """
    platform = [] if for_this_machine else FOR_LAMBDA
    this_machine = [sysconfig.get_platform(), str(sys.implementation.cache_tag)]
    return lambda_.Code.from_asset(
        str(sources),
        exclude=[f"**/{pattern}" for pattern in LEFT_OUT],
        asset_hash_type=cdk.AssetHashType.SOURCE,
        bundling=cdk.BundlingOptions(
            image=RUNTIME.bundling_image,  # required but never pulled: `local` does the work
            command=platform or this_machine,  # only for the hash
            local=_Pip(sources, platform),
        ),
    )


@jsii.implements(cdk.ILocalBundling)
class _Pip:
    def __init__(self, sources: Path, platform: list[str]) -> None:
        self._sources = sources
        self._platform = platform

    # jsii passes the options by position, although the stub declares them by name
    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        copytree(self._sources, output_dir, ignore=ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
        self._install(Path(output_dir))
        _compile(Path(output_dir))
        return True

    def _install(self, target: Path) -> None:
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        options = ["--no-compile", "--only-binary=:all:", f"--target={target}", *self._platform]
        requirements = f"--requirement={target / 'requirements.txt'}"
        subprocess.run([*pip, "install", *options, requirements], check=True)  # noqa: S603 - fixed arguments
        rmtree(target / "bin", ignore_errors=True)  # commands of the packages, which nothing calls


def _compile(target: Path) -> None:
    """Compiles the code, so that no cold start has to, if this Python has the version that the functions run on.

    On Lambda all files are dated 1980 and read-only, so only bytecode that is not checked against its source is used.
    """
    if RUNTIME.name == f"python{sys.version_info.major}.{sys.version_info.minor}":
        compile_dir(target, quiet=1, stripdir=target, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
