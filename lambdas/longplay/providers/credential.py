"""The token a call carries, and the name it is stored under."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Credential:
    """`token` is None where none is stored; it is left out of the representation, and so out of logs."""

    name: str
    token: str | None = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The header that carries the token, none without one."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}
