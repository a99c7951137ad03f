"""The limiter's item, and items that earlier versions wrote."""

from __future__ import annotations

from longplay.domain.pacing import Window
from longplay.storage.limiter import read_line

from benchmarks.lines import ACCOUNT, LineInMemory, Lines

NOW = 1_800_000_000.0


def test_a_line_is_read_as_it_was_written() -> None:
    """Slots keep their exact values: in a list, which version 0.1 can read too, and in bytes where they are many."""
    lines = Lines([Window(1, 0.1)])
    assert isinstance(lines.client, LineInMemory)
    slots: list[float] = []
    for many, kind in ((200, "L"), (201, "B")):
        slots += [lines.take_slot(lines.limiters[0], now=NOW) for _ in range(many - len(slots))]
        assert list(lines.limiters[0].line(ACCOUNT).log) == slots
        assert [*lines.client.items[f"limit#{ACCOUNT}"]["log"]] == [kind]


def test_a_line_of_version_0_1_is_read() -> None:
    """Its slots are a list; those given back are in it and also listed beside it."""
    item = {"pk": "limit#router", "version": 3, "token": "", "log": [NOW, NOW + 2, NOW + 4], "freed": [NOW + 2]}
    line = read_line({**item, "shift": 0, "resume_at": 0, "leases": {}})
    assert (line.version, line.log) == (3, (NOW, NOW + 4))
