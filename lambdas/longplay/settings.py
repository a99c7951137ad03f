"""What the operator chose for this deployment; the stack hands it to each function as one JSON object."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

HUGGING_FACE_ROUTER = "https://router.huggingface.co/hf-inference/models/{model}"
EVERY_MODEL = "*"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The runtime settings. Every duration is in seconds.

    `servers` maps a server's name, as routes in models.toml use it, to its URL; `{model}` in it becomes the
    provider's model id. The name `*` stands for every server not named: one machine that serves them all.
    """

    servers: Mapping[str, str] = msgspec.field(default_factory=lambda: {"router": HUGGING_FACE_ROUTER})
    default_deadline: int = 3_600
    longest_deadline: int = 86_400
    retention: int = 7 * 86_400
    longest_call: int = 300
    lease_margin: int = 10
    url_lifetime: int = 3_600
    resend_after: int = 60

    def server_url(self, server: str, model: str) -> str | None:
        """The address of `model` at `server`; None where the operator has no such server."""
        template = self.servers.get(server, self.servers.get(EVERY_MODEL))
        return template.replace("{model}", model) if template else None


def parse_settings(text: str) -> Settings:
    """Settings from the JSON the stack wrote; raises msgspec.ValidationError on anything unknown."""
    return msgspec.json.decode(text, type=Settings)
