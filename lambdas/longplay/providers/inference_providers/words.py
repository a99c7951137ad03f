"""What the partners' orders share: our parameters, by their own names or by a partner's."""

from __future__ import annotations

from typing import Any

from longplay.providers.protocol import Call


def given(call: Call, *names: str, **renamed: str) -> dict[str, Any]:
    """The call's parameters by these names, and others by the partner's: `given(call, steps="num_inference_steps")`."""
    wanted = {**{name: name for name in names}, **renamed}
    return {theirs: call.parameters[ours] for theirs, ours in wanted.items() if ours in call.parameters}
