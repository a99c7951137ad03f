"""Where a life is struck: every boundary between two calls, as far as one differs from another.

Not every boundary needs a performance of its own. A process killed after a call is where it would be killed before its
next one, and nothing changes at a read: so a kill is played before each call that changes something and after the last
such call of each process, and a reply is lost at each. That covers every boundary between any two calls. A process that
does what an earlier one of the same life did, and finds all as that one found it but for the time, is not struck again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.kill.edge import Call, Moment, Point


def points_of(calls: Sequence[Call]) -> Iterator[Point]:
    """The points of a life that differ from each other."""
    changing = {n: call for n, call in _first_of_their_kind(calls).items() if not call.reads}
    last_of_its_process = {call.process: n for n, call in changing.items()}
    for n, call in changing.items():
        yield Point(n, Moment.BEFORE)
        yield Point(n, Moment.REPLY_LOST)
        if last_of_its_process[call.process] == n:
            yield Point(n, Moment.AFTER)


def points_at_the_provider(calls: Sequence[Call]) -> Iterator[Point]:
    """Those of them at which one provider differs from another.

    That is in the processes that call it, and of these not where AWS's reply gets lost: what the SDK repeats there is
    our own write, and the same whoever the provider is.
    """
    concerned = {call.process for call in calls if call.of_provider}
    for point in points_of(calls):
        call = calls[point.call - 1]
        if call.process in concerned and (call.of_provider or point.moment is not Moment.REPLY_LOST):
            yield point


def _first_of_their_kind(calls: Sequence[Call]) -> dict[int, Call]:
    """The calls of processes of which no earlier one did the same in the same situation."""
    processes: dict[int, dict[int, Call]] = {}
    for n, call in enumerate(calls, 1):
        processes.setdefault(call.process, {})[n] = call
    kinds: dict[tuple[str, ...], dict[int, Call]] = {}
    for made in processes.values():
        first, *_ = made.values()
        kinds.setdefault((first.function, first.situation, *(call.operation for call in made.values())), made)
    return {n: call for made in kinds.values() for n, call in made.items()}
