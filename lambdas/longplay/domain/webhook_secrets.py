"""The secrets that sign webhooks: derived from one root by owner and generation, so that none of them is stored."""

from __future__ import annotations

import base64
import hmac

import msgspec

from longplay.domain.errors import TooManyRotations
from longplay.domain.settings import DAY

OVERLAP = DAY  # seconds for which a secret still signs after it was renewed
MOST_ROTATIONS = 3  # in that time: each adds a signature to every webhook


class Rotations(msgspec.Struct, frozen=True, kw_only=True):
    """The owner's present generation, and when the latest ones began (epoch seconds, the newest last)."""

    generation: int = 0
    began_at: tuple[float, ...] = ()


def signing(rotations: Rotations, *, now: float) -> list[int]:
    """The generations that sign now: the present one, then those that were renewed less than a day ago."""
    return [rotations.generation - back for back in range(len(_recent(rotations, now)) + 1)]


def rotated(rotations: Rotations, *, now: float) -> Rotations:
    """The next generation; raises TooManyRotations."""
    recent = _recent(rotations, now)
    if len(recent) >= MOST_ROTATIONS:
        raise TooManyRotations(
            f"The secret was renewed {len(recent)} times within a day, and each of the old ones signs for that long. "
            "The secret that you got last is valid. Renew it later.",
            retry_after=max(1, round(recent[0] + OVERLAP - now)),
        )
    return Rotations(generation=rotations.generation + 1, began_at=(*recent, now))


def secret_of(root: bytes, owner: str, generation: int) -> str:
    """A secret in the form of Standard Webhooks: `whsec_` and 32 bytes in base64."""
    digest = hmac.digest(root, f"{owner}|{generation}".encode(), "sha256")
    return f"whsec_{base64.b64encode(digest).decode()}"


def _recent(rotations: Rotations, now: float) -> tuple[float, ...]:
    return tuple(began for began in rotations.began_at if began + OVERLAP > now)
