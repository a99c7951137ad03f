"""Which deployment and key are used."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from longplay import NoKey
from longplay.places import Place, place, store

A, B = Place(url="https://a.test", key="lp_a_1"), Place(url="https://b.test", key="lp_b_1")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and an empty environment."""
    for name in ("LONGPLAY_URL", "LONGPLAY_API_KEY", "LONGPLAY_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_anything_it_says_what_to_do() -> None:
    """Three ways."""
    with pytest.raises(NoKey, match=r"longplay login.*LONGPLAY_URL.*make run"):
        place(None, None)


def test_what_is_given_comes_before_the_environment_and_that_before_a_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a named profile is that one."""
    store("default", A)
    store("other", B)
    assert place(None, None) == A
    assert place(None, None, profile="other") == B
    monkeypatch.setenv("LONGPLAY_PROFILE", "other")
    assert place(None, None) == B
    monkeypatch.setenv("LONGPLAY_URL", "https://c.test")
    monkeypatch.setenv("LONGPLAY_API_KEY", "lp_c_1")
    assert place(None, None) == Place(url="https://c.test", key="lp_c_1")
    assert place("https://d.test", "lp_d_1") == Place(url="https://d.test", key="lp_d_1")


def test_a_stored_key_goes_to_no_other_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address alone is not enough."""
    store("default", A)
    monkeypatch.setenv("LONGPLAY_URL", "https://c.test")
    with pytest.raises(NoKey, match="LONGPLAY_API_KEY"):
        place(None, None)


def test_an_unknown_profile_is_told() -> None:
    """A local run is not taken in its place."""
    with pytest.raises(NoKey, match="--profile work"):
        place(None, None, profile="work")


def test_a_stored_key_is_readable_by_its_user_alone() -> None:
    """Also after a second one is stored."""
    file = store("default", A)
    store("other", B)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(json.loads(file.read_text())) == {"default", "other"}


def test_a_local_run_is_found_from_a_folder_below(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it serves; a broken file of it is passed over."""
    (folder / ".local").mkdir()
    endpoint = folder / ".local/endpoint.json"
    endpoint.write_text(json.dumps({"api_url": A.url, "api_key": A.key, "faces_url": None}))
    below = folder / "songs"
    below.mkdir()
    monkeypatch.chdir(below)
    assert place(None, None) == A
    endpoint.write_text("{")
    with pytest.raises(NoKey):
        place(None, None)


def test_the_address_of_the_page_is_one_of_the_api() -> None:
    """As a person copies it, with the slash, the key and a line break."""
    assert place("https://a.test/prod/#key=lp_a_1", " lp_a_1\n") == Place(url="https://a.test/prod", key="lp_a_1")


@pytest.mark.parametrize(
    ("url", "key"), [("a.test", "lp_a_1"), ("https://a.test", "lp_ä_1"), ("https://a.test", "lp\x001")]
)
def test_what_cannot_be_sent_is_told_at_once(url: str, key: str) -> None:
    """Before anything is tried for a quarter of a minute."""
    with pytest.raises(NoKey):
        place(url, key)


def test_a_broken_file_of_profiles_is_told() -> None:
    """By its path."""
    store("default", A).write_text("{")
    with pytest.raises(NoKey, match=r"profiles\.json"):
        place(None, None)
