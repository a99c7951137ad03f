"""Chooses the fault points of a run: one for each boundary between two calls that differs from the others.

Not every boundary needs a run. A process killed after a call is in the same state as one killed before its next call,
and a read changes nothing. So a process is killed before each call that changes something and after its last such
call, and the reply of each such call is lost once. This covers every boundary between any two calls. A process that
makes the same calls as an earlier one in the same situation, apart from the time, gets no fault points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.kill.injector import Call, Fault, FaultPoint


def fault_points(calls: Sequence[Call]) -> Iterator[FaultPoint]:
    """The fault points of a run that differ from each other."""
    changing = {n: call for n, call in first_of_their_kind(calls).items() if not call.reads}
    last_of_its_process = {call.process: n for n, call in changing.items()}
    for n, call in changing.items():
        yield FaultPoint(n, Fault.KILL_BEFORE)
        yield FaultPoint(n, Fault.REPLY_LOST)
        if last_of_its_process[call.process] == n:
            yield FaultPoint(n, Fault.KILL_AFTER)


def provider_fault_points(calls: Sequence[Call]) -> Iterator[FaultPoint]:
    """The fault points at which one provider can differ from another.

    These are in the processes that call the provider. Lost replies of AWS are left out: the SDK repeats Longplay's own
    write, which is the same for every provider.
    """
    concerned = {call.process for call in calls if call.of_provider}
    for point in fault_points(calls):
        call = calls[point.call - 1]
        if call.process in concerned and (call.of_provider or point.fault is not Fault.REPLY_LOST):
            yield point


def first_of_their_kind(calls: Sequence[Call]) -> dict[int, Call]:
    """The calls of the processes that did not repeat an earlier process in the same situation."""
    processes: dict[int, dict[int, Call]] = {}
    for n, call in enumerate(calls, 1):
        processes.setdefault(call.process, {})[n] = call
    kinds: dict[tuple[str, ...], dict[int, Call]] = {}
    for made in processes.values():
        first, *_ = made.values()
        kinds.setdefault((first.function, first.situation, *(call.operation for call in made.values())), made)
    return {n: call for made in kinds.values() for n, call in made.items()}
