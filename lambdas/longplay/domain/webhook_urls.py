"""The rules for the address of a webhook: https, to a public name. What the name resolves to is checked at send."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from longplay.domain.errors import InvalidRequest

LONGEST_URL = 2_000  # characters
HTTPS_PORT = 443

_PRINTABLE = re.compile(r"[!-~]+")
_NAME = re.compile(r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?", re.I)
# Names that mean a private network (RFC 6761, 6762, 8375, 9476; AWS and Google use `internal`).
_PRIVATE = (".local", ".localhost", ".internal", ".intranet", ".lan", ".home", ".corp", ".home.arpa", ".test", ".alt")


def webhook_url(field: str, value: object, *, private: bool) -> str:
    """The address as it was given; raises InvalidRequest that says which rule it breaks.

    `private` allows http, any port and any host, for a stack on the developer's own machine.
    """
    url = _readable(field, value)
    parts = _split(field, url)
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise _refused(field, "it must begin with `https://`")
    if parts.username is not None or parts.password is not None:
        raise _refused(field, "it must have no user name or password. Check the signature of the webhook instead")
    if parts.fragment:
        raise _refused(field, "it must have no fragment (`#…`), which is never sent")
    if not private:
        _check_public(field, parts)
    return url


def host_of(url: str) -> str:
    """The host of an address that was accepted."""
    return urlsplit(url).hostname or ""


def _readable(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(field, f"`{field}` must be the address (https://…) that is told.", why="wrong_type")
    if len(value) > LONGEST_URL:
        long = f"`{field}` has {len(value):,} characters; the limit is {LONGEST_URL:,}."
        raise InvalidRequest(field, long, why="too_long", maxLength=LONGEST_URL)
    if not _PRINTABLE.fullmatch(value) or "\\" in value:
        raise _refused(
            field, "it may have only printable ASCII characters and no space or backslash. Encode others with `%`"
        )
    return value


def _split(field: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if not parts.hostname or (parts.port == 0):
            raise _refused(field, "it has no host")
    except ValueError as error:
        raise _refused(field, "it is no URL") from error
    return parts


def _check_public(field: str, parts: SplitResult) -> None:
    host = (parts.hostname or "").removesuffix(".")
    if parts.port not in (None, HTTPS_PORT):
        raise _refused(field, f"its port must be {HTTPS_PORT}")
    if not _NAME.fullmatch(host):
        raise _refused(field, "its host must be a public name, like `example.com`, and no IP address")
    if f".{host.lower()}".endswith(_PRIVATE):
        raise _refused(field, "its host is a name of a private network")


def _refused(field: str, why: str) -> InvalidRequest:
    return InvalidRequest(field, f"`{field}` cannot be told: {why}. Nothing was created or charged.", why="url_refused")
