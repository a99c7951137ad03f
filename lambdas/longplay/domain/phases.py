"""The step that follows for each phase of a job and each event: one complete table, shown in docs/engine.md."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from longplay.domain.job import Phase


class Event(StrEnum):
    """Something that asks for a job's next step."""

    MESSAGE = "message"
    DUE = "sweeper"
    CANCEL = "cancel"
    CALLBACK = "callback"


class Step(StrEnum):
    """The next step. Each is a decision in decisions.py, or leads to one once the bucket or cache has been read."""

    LEAVE = "nothing"
    GIVE_UP = "fail it, if it is overdue, or due and allowed no further call"
    LOOK_AT_LEADER = "copy the leader's result, wait on, or take the lead"
    RESOLVE_CRASH = "look in the bucket; then poll, call again, wait for the callback, or fail it"
    CLAIM_POLL = "claim it and poll"
    WATCH = "look again when its lease ends"
    SEND_AGAIN = "fail it if overdue, else move it and send its message"
    ERASE = "erase its files"
    CANCEL = "cancel it"
    CANCEL_RUNNING = "cancel it; its worker closes it"
    CANCEL_AT_PROVIDER = "cancel it; the next poll stops the provider and closes it"
    LEARN_LATE_REF = "store the reference, if the answer of its last call was lost"
    LEARN_ENDED_REF = "store the reference, if the answer of its last call was lost; then stop the provider and poll"
    LEARN_REF = "store the reference, or poll soon if it is known"
    NUDGE = "poll soon"


STEPS: Mapping[Phase, Mapping[Event, Step]] = {
    Phase.WAITING: {
        Event.MESSAGE: Step.GIVE_UP,  # reached only when the claim was refused
        Event.DUE: Step.SEND_AGAIN,
        Event.CANCEL: Step.CANCEL,
        Event.CALLBACK: Step.LEARN_LATE_REF,
    },
    Phase.FOLLOWING: {
        Event.MESSAGE: Step.LOOK_AT_LEADER,
        Event.DUE: Step.SEND_AGAIN,
        Event.CANCEL: Step.CANCEL,
        Event.CALLBACK: Step.LEAVE,
    },
    Phase.CALLING: {
        Event.MESSAGE: Step.LEAVE,
        Event.DUE: Step.WATCH,
        Event.CANCEL: Step.CANCEL_RUNNING,
        Event.CALLBACK: Step.LEARN_REF,
    },
    Phase.CRASHED: {
        Event.MESSAGE: Step.RESOLVE_CRASH,
        Event.DUE: Step.RESOLVE_CRASH,
        Event.CANCEL: Step.CANCEL_RUNNING,
        Event.CALLBACK: Step.LEARN_REF,
    },
    Phase.AT_PROVIDER: {
        Event.MESSAGE: Step.CLAIM_POLL,
        Event.DUE: Step.SEND_AGAIN,
        Event.CANCEL: Step.CANCEL_AT_PROVIDER,
        Event.CALLBACK: Step.NUDGE,
    },
    Phase.LINGERING: {
        Event.MESSAGE: Step.CLAIM_POLL,
        Event.DUE: Step.SEND_AGAIN,
        Event.CANCEL: Step.LEAVE,
        Event.CALLBACK: Step.NUDGE,
    },
    Phase.ERASING: {
        Event.MESSAGE: Step.LEAVE,
        Event.DUE: Step.ERASE,
        Event.CANCEL: Step.LEAVE,
        Event.CALLBACK: Step.LEARN_ENDED_REF,
    },
    Phase.OVER: {
        Event.MESSAGE: Step.LEAVE,
        Event.DUE: Step.LEAVE,
        Event.CANCEL: Step.LEAVE,
        Event.CALLBACK: Step.LEARN_ENDED_REF,
    },
}
