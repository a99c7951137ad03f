"""The pages about error codes, in plain HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template

from longplay.domain.problem_texts import TEXTS, problems

from infra.api.refusals import REFUSALS

_PAGE = Template((Path(__file__).parents[2] / "web/problem.html").read_text())
_FREE = "Nothing: nothing was started."
_UNKNOWN = "It is not known whether anything was started. `GET /jobs` shows it."


def pages() -> Mapping[str, str]:
    """The HTML of each page, by its code."""
    return {code: _page(code) for code in TEXTS}


def _page(code: str) -> str:
    text = TEXTS[code]
    return _PAGE.substitute(
        code=escape(code),
        title=escape(_titles()[code]),
        status=escape(_status(code)),
        what=_marked(text.what),
        advice=_marked(text.advice),
        cost=_marked(_UNKNOWN if code in _UNKNOWN_COST else _FREE),
    )


_UNKNOWN_COST = {refusal.code for refusal in REFUSALS if refusal.charged != "no"}


def _titles() -> dict[str, str]:
    return {refusal.code: refusal.title for refusal in REFUSALS} | {kind.code: kind.title for kind in problems()}


def _status(code: str) -> str:
    found = {refusal.status for refusal in REFUSALS if refusal.code == code} - {None}
    found |= {kind.status for kind in problems() if kind.code == code}
    return f" (HTTP {', '.join(str(status) for status in sorted(filter(None, found)))})" if found else ""


def _marked(text: str) -> str:
    """The text as HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
