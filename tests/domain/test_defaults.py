"""The model of a request that names none, where few models are set up."""

from __future__ import annotations

import pytest
from longplay.domain.catalogue import Catalogue, Kind, Model, Route

DEFAULTS = {Kind.MUSIC: "song", Kind.IMAGE: "sketch", Kind.VIDEO: "clip"}


def _model(name: str, kind: Kind, *, served: bool = True, doubtful: bool = False, from_image: bool = False) -> Model:
    route = Route(
        name="r",
        provider="p",
        server="s",
        model="m",
        typical_seconds=1,
        timeout_seconds=1,
        price_usd=1,
        read="2026-11",
        doubtful=doubtful,
        url="http://127.0.0.1/" if served else None,
    )
    return Model(name=name, kind=kind, title=name, license="x", from_image=from_image, parameters={}, routes=(route,))


SONG, SKETCH, CLIP = (_model(name, kind) for kind, name in DEFAULTS.items())
UNSERVED_SONG = _model("song", Kind.MUSIC, served=False)
DOUBTFUL_SONG = _model("song", Kind.MUSIC, doubtful=True)
OTHER_SONG = _model("other", Kind.MUSIC)
MOVING = _model("moving", Kind.VIDEO, from_image=True)
OTHER_CLIP = _model("other-clip", Kind.VIDEO)

CASES: dict[str, tuple[list[Model], Kind | None, str | None]] = {
    "the default kind": ([SKETCH, SONG, CLIP], None, "song"),
    "its default model": ([OTHER_SONG, SONG], None, "song"),
    "another model of the kind": ([SKETCH, UNSERVED_SONG, OTHER_SONG], None, "other"),
    "a kind in the order of Kind": ([CLIP, SKETCH, UNSERVED_SONG], None, "sketch"),
    "no doubtful model": ([DOUBTFUL_SONG, CLIP], None, "clip"),
    "a model without an input image first": ([MOVING, OTHER_CLIP], Kind.VIDEO, "other-clip"),
    "a model with an input image, if alone": ([MOVING], None, "moving"),
    "a kind that is named": ([SONG, SKETCH], Kind.IMAGE, "sketch"),
    "no other kind than the one that is named": ([SONG], Kind.IMAGE, None),
    "nothing": ([UNSERVED_SONG, DOUBTFUL_SONG], None, None),
}


@pytest.mark.parametrize(("models", "kind", "chosen"), CASES.values(), ids=CASES.keys())
def test_the_default_is_served(models: list[Model], kind: Kind | None, chosen: str | None) -> None:
    """The default is a model that is served, as models.toml prefers it; None if there is none."""
    default = Catalogue(models, default_kind=Kind.MUSIC, defaults=DEFAULTS).default(kind)
    assert (default.name if default else None) == chosen
