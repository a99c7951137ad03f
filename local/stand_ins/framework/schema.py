"""The input schema of a hosted model, as much of it as says what is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field; `least` and `most` bound numbers."""

    type: type = str
    required: bool = False
    least: float = float("-inf")
    most: float = float("inf")
    options: tuple[str, ...] = ()

    def fault(self, value: object) -> str | None:
        """What is wrong with the value, if anything is."""
        wanted = (int, float) if self.type is float else self.type
        if not isinstance(value, wanted) or (isinstance(value, bool) and self.type is not bool):
            return f"Invalid type. Expected: {self.type.__name__}, given: {type(value).__name__}"
        if isinstance(value, int | float) and not self.least <= value <= self.most:
            return f"Must be between {self.least:g} and {self.most:g}"
        return f"Must be one of {', '.join(self.options)}" if self.options and value not in self.options else None


def faults_in(fields: Mapping[str, Field], given: dict[str, Any]) -> list[tuple[str, str]]:
    """The fields of an input that are wrong, and how; one the model does not have is wrong too."""
    missing = [(name, f"{name} is required") for name, field in fields.items() if field.required and name not in given]
    wrong = [(name, fields[name].fault(value) if name in fields else "unknown") for name, value in given.items()]
    return missing + [(name, fault) for name, fault in wrong if fault]
