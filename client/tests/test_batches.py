"""The lines of a file, and the names of their files."""

from __future__ import annotations

import pytest
import typer
from longplay import BatchLine
from longplay.command.batches import _name_of, _parsed


def test_no_two_lines_have_one_name() -> None:
    """Also where a file system sees no difference between two of them; none leads out of the folder."""
    ids = ["song", "Song", "SONG", "a/b", "a_b", "a:b", "..", "../x", "", None, "été", "ÉTÉ", "歌", "con.wav"]
    names = [_name_of(BatchLine(line=n, status="succeeded", custom_id=each)) for n, each in enumerate(ids)]
    assert names[0] == "song"
    assert len({name.lower() for name in names}) == len(ids)
    assert not any(sign in name for name in names for sign in "/\\.:")


def test_empty_lines_are_passed_over() -> None:
    """At the end of a file there is one."""
    assert _parsed(b'{"prompt": "a"}\r\n\n{"prompt": "b\xe2\x80\xa8c"}\n') == [{"prompt": "a"}, {"prompt": "b\u2028c"}]


@pytest.mark.parametrize("line", [b"a song", b'["a"]', b'{"prompt": "a"', b'{"prompt": "\xff"}'])
def test_a_line_that_is_no_request_is_told_by_its_number(line: bytes) -> None:
    """Before anything is sent."""
    with pytest.raises(typer.BadParameter, match="line 2"):
        _parsed(b'{"prompt": "a"}\n' + line)
