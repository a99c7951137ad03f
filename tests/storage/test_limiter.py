"""The limiter's item, and items that earlier versions wrote."""

from __future__ import annotations

from longplay.domain.pacing import Window
from longplay.storage.limiter import read_line

from benchmarks.lines import ACCOUNT, LineInMemory, Lines

NOW = 1_800_000_000.0


def test_a_line_is_read_as_it_was_written() -> None:
    """Slots keep their exact values, in the list that version 0.1 can read too after a rollback."""
    lines = Lines([Window(1, 0.1)])
    slots = [lines.take_slot(lines.limiters[0], now=NOW) for _ in range(50)]
    assert list(lines.limiters[0].line(ACCOUNT).log) == slots
    assert isinstance(lines.client, LineInMemory)
    assert len(lines.client.items[f"limit#{ACCOUNT}"]["log"]["L"]) == 50


def test_a_line_of_version_0_1_is_read() -> None:
    """Its slots are a list; those given back are in it and also listed beside it."""
    item = {"pk": "limit#router", "version": 3, "token": "", "log": [NOW, NOW + 2, NOW + 4], "freed": [NOW + 2]}
    line = read_line({**item, "shift": 0, "resume_at": 0, "leases": {}})
    assert (line.version, line.log) == (3, (NOW, NOW + 4))
