"""The function that serves the page and the pages about error codes, from the files beside it.

It needs the standard library alone, no permission and no key.
"""

from __future__ import annotations

import os
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

Response = dict[str, Any]

_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_FOLDER = Path(__file__).parent
#: Only these are served, each under its exact name, so that no name leads out of the folder.
_FILES = {
    path.relative_to(_FOLDER).as_posix(): path.read_text() for path in _FOLDER.rglob("*") if path.suffix in _TYPES
}
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_POLICY_OF_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; connect-src 'self' {files}; "
    "img-src 'self' blob: data: {files}; media-src 'self' blob: {files}; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_KEPT = "public, max-age=300"  # seconds; then a browser asks whether its copy is still good


def handler(event: dict[str, Any], _context: object) -> Response:
    """The file that the event's route names."""
    match event["resource"]:
        case "/":
            return _page(event["requestContext"]["path"])
        case "/problems/{code}":
            return _file(f"problems/{event['pathParameters']['code']}.html", event)
        case _:
            return _file(f"static/{event['pathParameters']['file']}", event)


def _page(path: str) -> Response:
    """The page, with a nonce for the styles that its player adds; with it, the page may not be kept."""
    if not path.endswith("/"):  # its links are relative, so /prod must become /prod/
        return _response(301, "text/plain", "", {"Location": f"{path.rpartition('/')[2]}/"})
    nonce = secrets.token_urlsafe(12)
    # an emulator's bucket is relative to the emulator
    files = urljoin(os.environ.get("AWS_ENDPOINT_URL", ""), os.environ["FILES_ORIGIN"])
    policy = _POLICY_OF_PAGE.format(nonce=nonce, files=files)
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": policy}
    return _response(200, "text/html", _FILES["index.html"].replace("%NONCE%", nonce), headers)


def _file(name: str, event: dict[str, Any]) -> Response:
    text = _FILES.get(name)
    if text is None:
        return _response(404, "text/html", _FILES["problems/not_found.html"], {"Cache-Control": "no-store"})
    tag = f'"{sha256(text.encode()).hexdigest()[:32]}"'
    headers = {"Cache-Control": _KEPT, "ETag": tag}
    if tag in _header(event, "if-none-match"):
        return _response(304, _type(name), "", headers)
    return _response(200, _type(name), text, headers)


def _response(status: int, media_type: str, text: str, headers: dict[str, str]) -> Response:
    media = {"Content-Type": f"{media_type}; charset=utf-8", "Content-Security-Policy": _POLICY}
    return {"statusCode": status, "headers": {**_SAFE, **media, **headers}, "body": text}


def _type(name: str) -> str:
    return _TYPES[Path(name).suffix]


def _header(event: dict[str, Any], name: str) -> str:
    headers = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), "")
