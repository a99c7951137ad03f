"""A models file with a mistake is refused, with the file, the model and the field named."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from longplay.domain.catalogue import Catalogue, Kind
from longplay.domain.models_file import CatalogueError, load_catalogue
from longplay.providers import PROVIDERS

GOOD = dedent("""\
    [defaults]
    kind = "music"
    music = "song"
    image = "sketch"
    video = "clip"

    [models.song]
    kind = "music"
    title = "Song"
    license = "MIT"
    aliases = ["acme/song"]
    commercial = false
    routes = [
        { name = "own", provider = "huggingface", server = "song", model = "acme/song", typical_seconds = 9, timeout_seconds = 60, price_usd = 0.01, read = "2026-11", grows_with = ["duration"], ignores = ["genre"] },
        { name = "fal", provider = "fal", server = "fal", model = "acme/song", typical_seconds = 9, timeout_seconds = 60, price_usd = 0.01, read = "2026-11" },
    ]

    [models.song.parameters]
    genre = { type = "text", longest = 60 }
    duration = { type = "number", default = 10, least = 1, most = 30 }
    side = { type = "integer", default = 512, least = 256, most = 1024, step = 8 }

    [models.sketch]
    kind = "image"
    title = "Sketch"
    license = "MIT"
    parameters = {}
    routes = [{ name = "fal", provider = "fal", server = "fal", model = "a/sketch", typical_seconds = 1, timeout_seconds = 9, price_usd = 0, read = "2026-11" }]

    [models.clip]
    kind = "video"
    title = "Clip"
    license = "MIT"
    parameters = {}
    routes = [{ name = "fal", provider = "fal", server = "fal", model = "a/clip", typical_seconds = 1, timeout_seconds = 9, price_usd = 0, read = "2026-11" }]
    """)  # noqa: E501 - a route is one line, as in models.toml

SONG, OWN = "models.toml: model `song`", "models.toml: model `song`, route `own`"

MISTAKES = [
    (
        "commercial = false",
        "comercial = false",
        f"{SONG}: there is no field `comercial`; the fields are al",
    ),
    ('read = "2026-11", grows', 'read = "2026-11", grow', f"{OWN}: there is no field `grow_with`; the fields are"),
    (
        "[models.song.parameters]\n",
        "[models.song.parameters]\na = { max = 3 }\n",
        f"{SONG}, parameter `a`",
    ),
    (
        'kind = "music"\nmusic',
        'sound = "song"\nkind = "music"\nmusic',
        "[defaults]: there is no field `sound`",
    ),
    ("[defaults]", "[extra]\n[defaults]", "models.toml: there is no field `extra`; the fields are defaults, models"),
    ('title = "Song"', 'name = "x"\ntitle = "Song"', f"{SONG}: there is no field `name`"),
    ('server = "song"', 'server = "song", calls_back = true', f"{OWN}: there is no field `calls_back`"),
    ('server = "song"', 'server = "song", own_contract = false', f"{OWN}: there is no field `own_contract`"),
    (
        'ignores = ["genre"]',
        'inputs = { text = "{prompt} {side} {length}" }',
        f"{OWN}, `inputs`: there is nothing to put for `{{length}}`; there are prompt, image, parameters, genre",
    ),
    ("commercial = false", 'commercial = "no"', f"{SONG}: Expected `bool`, got `str` - at `$.commercial`"),
    ('title = "Song"\n', "", f"{SONG}: Object missing required field `title`"),
    ("price_usd = 0.01, read", "read", f"{OWN}: Object missing required field `price_usd`"),
    ('kind = "music"\ntitle', 'kind = "sound"\ntitle', f"{SONG}: Invalid enum value 'sound'"),
    (
        '"huggingface"',
        '"hugingface"',
        f"{OWN}, `provider`: 'hugingface' is not known; there are huggingface",
    ),
    (
        '["duration"]',
        '["durations"]',
        f"{OWN}, `grows_with`: the model has no parameter `durations`; its parameters",
    ),
    ('["genre"]', '["gender"]', f"{OWN}, `ignores`: the model has no parameter `gender`"),
    ('["duration"]', '["genre"]', f"{OWN}, `grows_with`: `genre` has no default above 0"),
    (
        "price_usd = 0.01, read",
        "price_usd = -0.01, read",
        f"{OWN}, `price_usd`: -0.01 is not allowed; it must be 0",
    ),
    ("price_usd = 0.01, read", "price_usd = nan, read", f"{OWN}, `price_usd`: nan is not allowed"),
    (
        "timeout_seconds = 60",
        "timeout_seconds = 0",
        f"{OWN}, `timeout_seconds`: 0 is not allowed; it must be more",
    ),
    ("typical_seconds = 9,", "typical_seconds = inf,", f"{OWN}, `typical_seconds`: inf is not allowed"),
    (
        'read = "2026-11", grows',
        'read = "11/2026", grows',
        f"{OWN}, `read`: '11/2026' is not a month",
    ),
    ('name = "fal", provider', 'name = "own", provider', f"{OWN}, `name`: 2 routes have this name"),
    (
        "default = 10",
        "default = 40",
        "`duration`, `default`: 40 is not allowed; it must be from 1 to 30",
    ),
    ("default = 10", "default = nan", f"{SONG}, parameter `duration`, `default`: nan is not allowed"),
    ("default = 512", "default = 510", "parameter `side`, `default`: 510 is not allowed; it must be a multiple of 8"),
    (
        "default = 512",
        "default = 512.5",
        "`side`, `default`: 512.5 is not allowed; it must be of the type integer",
    ),
    ("longest = 60", 'longest = 2, default = "pop"', "`genre`, `default`: 'pop' is not allowed; it must be at most 2"),
    ("longest = 60", "longest = 60, least = 1", f"{SONG}, parameter `genre`, `least`: a text has none"),
    ("most = 30", "most = 0", f"{SONG}, parameter `duration`, `least`: 1 is more than `most`, which is 0"),
    ('image = "sketch"', 'image = "skech"', "models.toml: [defaults], `image`: there is no model `skech`"),
    ('image = "sketch"', 'image = "clip"', "models.toml: [defaults], `image`: the model `clip` makes video"),
    ('["acme/song"]', '["Sketch"]', f"{SONG}, `aliases`: `Sketch` already names the model `sketch`"),
    ("[models.sketch]", "[models.SONG]", "models.toml: model `song`: 2 models have this name in upper or lower case"),
    ("[defaults]", "[defaults", "models.toml is not TOML: "),
]


def load(folder: Path, text: str) -> Catalogue:
    """The catalogue with this text."""
    path = folder / "models.toml"
    path.write_text(text)
    return load_catalogue(PROVIDERS, path)


@pytest.mark.parametrize(("right", "wrong", "error"), MISTAKES)
def test_a_mistake_is_refused_where_it_is(tmp_path: Path, right: str, wrong: str, error: str) -> None:
    assert right in GOOD
    with pytest.raises(CatalogueError) as caught:
        load(tmp_path, GOOD.replace(right, wrong, 1))
    assert error in str(caught.value)


def test_a_file_without_a_mistake_loads(tmp_path: Path) -> None:
    assert [*load(tmp_path, GOOD).models]


def test_all_mistakes_of_a_file_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError) as caught:
        load(tmp_path, GOOD.replace("price_usd = 0.01", "price_usd = -1").replace("default = 10", "default = 99"))
    assert len(str(caught.value).splitlines()) == 3


def test_a_model_without_a_route_is_refused(tmp_path: Path) -> None:
    text = GOOD[: GOOD.index("routes = [{", GOOD.index("[models.clip]"))] + "routes = []\n"
    with pytest.raises(CatalogueError, match="model `clip`, `routes`: there is none"):
        load(tmp_path, text)


def test_the_catalogue_that_is_deployed_has_no_mistake() -> None:
    catalogue = load_catalogue(PROVIDERS, servers={"*": "http://127.0.0.1/{model}"})
    assert all(catalogue.default(kind) for kind in Kind)


def test_a_route_knows_the_facts_of_its_provider() -> None:
    song = load_catalogue(PROVIDERS).models["stable-diffusion-xl"]
    facts = {route.name: (route.holds_connection, route.calls_back, route.own_contract) for route in song.routes}
    assert facts == {
        "gpu": (False, True, True),
        "endpoint": (True, False, False),
        "space": (False, False, True),
        "replicate": (False, True, True),
        "fal": (False, True, True),
        "hf-nscale": (True, False, True),
        "router": (True, False, False),
    }
