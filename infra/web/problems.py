"""The pages about error codes, in plain HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from html import escape
from pathlib import Path
from string import Template

from longplay.domain.errors import Problem
from longplay.domain.problem_texts import TEXTS, problems

from infra.api.refusals import REFUSALS, Refusal

_PAGE = Template((Path(__file__).parents[2] / "web/problem.html").read_text())
_FREE = "Nothing: nothing was started."
_UNKNOWN = "It is not known whether anything was started. `GET /jobs` shows it."
_UNKNOWN_COST = {refusal.code for refusal in REFUSALS if refusal.charged != "no"}


def pages() -> Mapping[str, str]:
    """The HTML of each page, by its code."""
    known: list[Refusal | type[Problem]] = [*REFUSALS, *problems()]
    titles = {each.code: each.title for each in known}
    return {code: _page(code, titles[code], {each.status for each in known if each.code == code}) for code in TEXTS}


def _page(code: str, title: str, statuses: AbstractSet[int | None]) -> str:
    numbers = ", ".join(str(status) for status in sorted(filter(None, statuses)))
    return _PAGE.substitute(
        code=escape(code),
        title=escape(title),
        status=f" (HTTP {numbers})" if numbers else "",
        what=_marked(TEXTS[code].what),
        advice=_marked(TEXTS[code].advice),
        cost=_marked(_UNKNOWN if code in _UNKNOWN_COST else _FREE),
    )


def _marked(text: str) -> str:
    """The text as HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
