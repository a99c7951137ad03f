"""The input schema of a hosted model, as far as it decides what is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field; `least` and `most` are the bounds of a number."""

    type: type = str
    required: bool = False
    least: float = float("-inf")
    most: float = float("inf")
    options: tuple[str, ...] = ()

    def error(self, value: object) -> str | None:
        """The error in a value, None if it is valid."""
        wanted = (int, float) if self.type is float else self.type
        if not isinstance(value, wanted) or (isinstance(value, bool) and self.type is not bool):
            return f"Invalid type. Expected: {self.type.__name__}, given: {type(value).__name__}"
        if isinstance(value, int | float) and not self.least <= value <= self.most:
            return f"Must be between {self.least:g} and {self.most:g}"
        return f"Must be one of {', '.join(self.options)}" if self.options and value not in self.options else None


def errors_in(fields: Mapping[str, Field], given: dict[str, Any]) -> list[tuple[str, str]]:
    """The invalid fields of an input, each with its error; a field that the model does not have is invalid too."""
    missing = [(name, f"{name} is required") for name, field in fields.items() if field.required and name not in given]
    wrong = [(name, fields[name].error(value) if name in fields else "unknown") for name, value in given.items()]
    return missing + [(name, error) for name, error in wrong if error]
