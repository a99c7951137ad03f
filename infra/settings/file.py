"""The settings file: `longplay.toml` beside app.py, with one table for each stage. It is not in the repository."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.settings.settings import STAGES, SettingsError, Stage

FILE = Path(__file__).resolve().parents[2] / "longplay.toml"
_A_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")


def tables(file: Path = FILE) -> dict[str, Mapping[str, Any]]:
    """The settings of each stage in the file, none without a file; raises SettingsError for one that cannot be read."""
    try:
        found = tomllib.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file.name} cannot be read: {error}") from error
    for name, table in found.items():
        if not isinstance(table, dict):
            raise SettingsError(f"{file.name}: {name} stands outside a table: put it below a line [prod]")
        if not _A_NAME.fullmatch(name):
            raise SettingsError(f"{file.name}: [{name}] cannot be a stage: use a-z, 0-9 and -, up to 20")
    return found


def stages(file: Path = FILE) -> dict[str, Stage]:
    """The stages there are: our own, and each that has a table in the file."""
    return {**STAGES, **{name: Stage(name=name) for name in tables(file) if name not in STAGES}}
