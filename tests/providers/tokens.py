"""Stored provider tokens, as tests give them to a provider."""


class Tokens(dict[str, str]):
    """Tokens by name; `forgotten` counts how often a provider asked for them to be read again."""

    forgotten = 0

    def forget(self) -> None:
        """Called when a server has refused a token."""
        self.forgotten += 1
