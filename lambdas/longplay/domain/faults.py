"""Collects the faults of a body, so that its caller reads all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from longplay.domain.errors import InvalidRequest

T = TypeVar("T")
MOST_TOLD = 20  # faults of a body; a hostile one could have a million


class Faults:
    """The faults so far. `nested` are the names of the fields that stand in the member `parameters`."""

    def __init__(self) -> None:
        self._found: list[InvalidRequest] = []
        self.nested: Collection[str] = ()

    @property
    def enough(self) -> bool:
        """Whether as many are found as are told."""
        return len(self._found) >= MOST_TOLD

    def add(self, fault: InvalidRequest) -> None:
        """One more."""
        if not self.enough:
            self._found.append(fault)

    def check(self, check: Callable[[], T], otherwise: T) -> T:
        """The value of a check; `otherwise`, with the fault kept, where it raises InvalidRequest."""
        try:
            return check()
        except InvalidRequest as fault:
            self.add(fault)
            return otherwise

    def settle(self) -> None:
        """Raises InvalidRequest about the first fault, with all of them in its member `errors`; nothing without one."""
        if not self._found:
            return
        first, *others = self._found
        more = f" {len(others)} more in `errors`." if others else ""
        raise InvalidRequest(first.field, first.detail + more, errors=[self._placed(fault) for fault in self._found])

    def _placed(self, fault: InvalidRequest) -> Mapping[str, Any]:
        [told] = fault.errors
        return {**told, "pointer": f"#/parameters{told['pointer'][1:]}"} if fault.field in self.nested else told
