"""The limiter's item, and items that earlier versions wrote."""

from __future__ import annotations

from longplay.domain.pacing import Window
from longplay.storage.limiter import LinesInView, read_line
from longplay.storage.table import from_item

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


def test_a_line_of_ten_thousand_starts_is_a_small_item() -> None:
    """It is read as it was written, and has less than 4 KB, which is one read unit. It had 98 KB."""
    lines, now = Lines([Window(10_000, 2_592_000)], tolerance=0.2), NOW
    for n in range(10_000):
        now += 250 + n % 7
        lines.take_slot(lines.limiters[0], now=now)
    assert isinstance(lines.client, LineInMemory)
    item = from_item(lines.client.items[f"limit#{ACCOUNT}"])
    assert read_line(item) == lines.limiters[0].line_last_seen(ACCOUNT)
    assert len(read_line(item).log) == 10_000
    assert (len(item["log"]) <= 200, len(bytes(item["counts"])) <= 400) == (True, True)


def test_callers_that_poll_share_a_read_of_the_line() -> None:
    """The line is read again once it is five seconds old."""
    lines, moments = Lines([Window(1, 10)]), [NOW]
    view = LinesInView(lines.limiters[0], clock=lambda: moments[-1])
    for seconds, reads in ((0, 1), (1, 1), (4.9, 1), (5.1, 2), (6, 2), (-60, 3)):
        moments.append(NOW + seconds)
        view.line(ACCOUNT)
        assert lines.client.reads == reads
