"""A result is found in any shape of JSON: the shapes are made by a grammar, not listed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from longplay.media.broken import BrokenMedia
from longplay.media.description import describe
from longplay.media.samples import write_wav
from longplay.providers.hugging_face.shapes import Sound, has_address, is_error, media_in

from tests.harness.answers import KEYS, NESTED, RATE_KEYS, RATED, SAMPLED, WRITTEN
from tests.harness.media import kind_of, whole_files

SHAPES = settings(max_examples=300, deadline=None)
LAYERS = st.lists(st.tuples(st.sampled_from(list(NESTED)), st.sampled_from(KEYS)), max_size=5)
SAMPLES = [0.0, 0.5, -0.25, 1.0]


def nested(value: Any, layers: list[tuple[str, str]]) -> Any:
    """The value inside these layers, the first one innermost, as it arrives after JSON."""
    for form, key in layers:
        value = NESTED[form](value, key)
    return json.loads(json.dumps(value))


@SHAPES
@given(name=st.sampled_from(list(whole_files())), form=st.sampled_from(list(WRITTEN)), layers=LAYERS)
def test_a_file_is_found_however_it_is_written_and_nested(name: str, form: str, layers: list[tuple[str, str]]) -> None:
    """Under any key, at any depth, in any spelling of base64."""
    data = whole_files()[name]
    assert media_in(nested(WRITTEN[form](data), layers), kind_of(name)) == data


@SHAPES
@given(
    nesting=st.sampled_from(list(SAMPLED)),
    rated=st.sampled_from(list(RATED)),
    key=st.sampled_from(RATE_KEYS),
    rate=st.sampled_from((8_000, 16_000, 44_100, 48_000)),
    layers=LAYERS,
)
def test_samples_are_found_with_their_rate(
    nesting: str, rated: str, key: str, rate: int, layers: list[tuple[str, str]]
) -> None:
    """The rate may be a number or text, beside the samples or around them, under any of its names."""
    answer = RATED[rated](SAMPLED[nesting](SAMPLES), key, rate)
    assert _flat(media_in(nested(answer, layers), "music")) == (SAMPLES, rate)


@SHAPES
@given(nesting=st.sampled_from(list(SAMPLED)), layers=LAYERS)
def test_samples_without_a_rate_have_musicgens(nesting: str, layers: list[tuple[str, str]]) -> None:
    """That is the model whose handlers state none."""
    assert _flat(media_in(nested(SAMPLED[nesting](SAMPLES), layers), "music")) == (SAMPLES, 32_000)


def _flat(found: Any) -> tuple[Any, Any]:
    """The samples without their lists of channels and batches, and the rate."""
    assert isinstance(found, Sound)
    samples = found.samples
    while isinstance(samples[0], list):
        samples = samples[0]
    return samples, found.sampling_rate


def test_a_file_is_preferred_to_samples() -> None:
    """The samples beside a file are its timings or its outline."""
    data = whole_files()["music wav"]
    assert media_in({"peaks": [0.1] * 50, "audio": WRITTEN["base64"](data)}, "music") == data


def test_the_file_of_the_right_kind_is_preferred() -> None:
    """A track may come with its cover."""
    track, cover = whole_files()["music mp3"], whole_files()["image jpeg"]
    answer = {"cover": WRITTEN["base64"](cover), "track": WRITTEN["base64"](track)}
    assert (media_in(answer, "music"), media_in(answer, "image")) == (track, cover)


def test_a_large_file_of_unknown_type_is_found() -> None:
    """It is kept; a short text that happens to be base64 is an id."""
    unknown = b"FORM\0\0\1\0AIFF" + bytes(range(256)) * 12
    assert media_in({"audio": WRITTEN["base64"](unknown)}, "music") == unknown
    assert media_in({"request_id": WRITTEN["base64"](unknown[:100])}, "music") is None
    assert media_in({"log": "x" * 100_000}, "music") is None


@st.composite
def values_without_media(draw: st.DrawFn) -> Any:
    """JSON without a file and without a list of numbers."""
    leaf = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=40)
    texts = st.lists(st.text(max_size=9) | st.dictionaries(st.text(max_size=9), leaf, max_size=3), max_size=4)
    return draw(st.recursive(leaf, lambda inner: st.dictionaries(st.text(max_size=9), inner | texts, max_size=4)))


@SHAPES
@given(values_without_media(), st.sampled_from(["image", "video"]))
def test_no_media_is_found_where_none_is(payload: Any, kind: str) -> None:
    """No shape raises an error."""
    assert media_in(payload, kind) is None
    assert is_error(payload) in (True, False)
    assert has_address(payload) in (True, False)


NUMBERS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=12,
)


@SHAPES
@given(st.dictionaries(st.sampled_from((*KEYS, *RATE_KEYS)), NUMBERS, max_size=3))
def test_any_numbers_are_a_sound_or_are_refused(tmp_path_factory: pytest.TempPathFactory, payload: Any) -> None:
    """Ragged, mixed, huge and missing numbers raise no other error, and a sound that is written is whole."""
    found, path = media_in(payload, "music"), tmp_path_factory.getbasetemp() / "sound"
    if not isinstance(found, Sound):
        return
    try:
        warnings = write_wav(found.samples, found.sampling_rate, path)
    except BrokenMedia:
        return
    assert all(warning.isascii() for warning in warnings)
    assert describe(path).content_type == "audio/wav"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"error": "x"}, True),
        ([{"error": "x"}], True),
        ({"errors": ["x"]}, True),
        ({"estimated_time": 20.0}, True),
        ({"error": None}, False),
        ({"error": ""}, False),
        ({"message": "done", "result": 7}, False),
        ({"title": "x", "audio_url": "https://example.com/x"}, False),
        ({"detail": "x"}, False),
        ("error", False),
        ([], False),
        (None, False),
    ],
)
def test_only_three_keys_make_an_answer_an_error(payload: Any, expected: bool) -> None:
    """A text under another key may describe a result."""
    assert is_error(payload) is expected


def test_a_deep_answer_ends_the_search() -> None:
    """Beyond sixteen levels nothing is looked for."""
    payload: Any = WRITTEN["base64"](whole_files()["music wav"])
    for _ in range(500):
        payload = [payload]
    assert media_in(payload, "music") is None
