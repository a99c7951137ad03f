"""Finds the deployment and the key: given, in the environment, in a stored profile, or a local run that serves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from longplay.errors import NoKey

USUAL = "default"
_NONE = (
    "No deployment is known. Run `longplay login`, set LONGPLAY_URL and LONGPLAY_API_KEY, or start a local one "
    "with `make run`."
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """The address of an API, and a key for it."""

    url: str
    key: str


class _Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The file that a local run writes while it serves."""

    api_url: str
    api_key: str


def place(url: str | None, key: str | None, *, profile: str | None = None) -> Place:
    """The place to use; raises NoKey. A stored key goes to the address that it was stored with, and to no other."""
    url, key = url or os.environ.get("LONGPLAY_URL"), key or os.environ.get("LONGPLAY_API_KEY")
    if url and key:
        return _checked(url, key)
    if url:
        raise NoKey(f"There is no key for {url}: set LONGPLAY_API_KEY, too.")
    named = profile or os.environ.get("LONGPLAY_PROFILE")
    found = profiles().get(named or USUAL) or (None if named else _local())
    if found is None:
        raise NoKey(f"There is no profile {named}: run `longplay login --profile {named}`." if named else _NONE)
    return _checked(found.url, key or found.key)


def _checked(url: str, key: str) -> Place:
    """The place without what a person copies along: spaces, and what follows the address of the page."""
    address, key = url.strip().partition("#")[0].rstrip("/"), key.strip()
    if not address.startswith(("http://", "https://")):
        raise NoKey(f"{url} is no address of an API: it begins with https://.")
    if not (key.isascii() and key.isprintable()):
        raise NoKey("The key has signs that no key has: copy it again.")
    return Place(url=address, key=key)


def profiles() -> dict[str, Place]:
    """The stored places by name."""
    try:
        return msgspec.json.decode(_file().read_bytes(), type=dict[str, Place])
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError as error:
        raise NoKey(f"{_file()} cannot be read ({error}): delete it, then run `longplay login`.") from error


def store(name: str, found: Place) -> Path:
    """Stores a place, readable by its user alone; returns the file."""
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True)
    kept = profiles() | {name: found}
    draft = file.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(msgspec.json.format(msgspec.json.encode(kept)))
    draft.replace(file)
    return file


def _file() -> Path:
    """The file of profiles, in the folder that the system has for settings."""
    root = os.environ.get("XDG_CONFIG_HOME") or os.environ.get("APPDATA") or Path.home() / ".config"
    return Path(root) / "longplay/profiles.json"


def _local() -> Place | None:
    for file in _endpoints():
        with suppress(OSError, msgspec.DecodeError):
            found = msgspec.json.decode(file.read_bytes(), type=_Endpoint)
            return Place(url=found.api_url, key=found.api_key)
    return None


def _endpoints() -> Iterator[Path]:
    here = Path.cwd()
    return (folder / ".local/endpoint.json" for folder in (here, *here.parents))
