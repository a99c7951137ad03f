"""Many requests from one file: as a batch whose files are saved as they come, or to fill the cache."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from longplay.client import Longplay
from longplay.command import screen
from longplay.command.ends import Exit
from longplay.documents import Batch, BatchLine
from longplay.downloads import is_file_of

_ENDED = ("succeeded", "failed", "canceled", "expired", "refused")


def batch(
    file: Annotated[Path, typer.Argument(help="JSONL: a request on each line.", exists=True, dir_okay=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder of the files.", file_okay=False)],
    again: Annotated[bool, typer.Option("--again", help="Send the lines once more, as a new batch.")] = False,
    profile: Annotated[str | None, typer.Option("--profile", envvar="LONGPLAY_PROFILE")] = None,
) -> None:
    """Generates a file for each line, into a folder. The same call again goes on where it stopped."""
    content = file.read_bytes()
    lines = _parsed(content)
    output.mkdir(parents=True, exist_ok=True)
    with Longplay(profile=profile) as longplay:
        # the same lines into the same folder are the same batch, so nothing is made or charged twice
        key = None if again else hashlib.sha256(content + str(output.resolve()).encode()).hexdigest()
        made = longplay.batch(lines, idempotency_key=key)
        _follow(longplay, made, output)


def warm(
    file: Annotated[Path, typer.Argument(help="A prompt on each line.", exists=True, dir_okay=False)],
    model: Annotated[str | None, typer.Option("-m", "--model")] = None,
    profile: Annotated[str | None, typer.Option("--profile", envvar="LONGPLAY_PROFILE")] = None,
) -> None:
    """Generates popular prompts ahead, so that an equal request is answered at once."""
    prompts = [line.strip() for line in file.read_text().splitlines() if line.strip()]
    lines = [{"prompt": prompt, **({"model": model} if model else {})} for prompt in prompts]
    with Longplay(profile=profile) as longplay:
        _wait(longplay, longplay.batch(lines), lambda _: None)


def _parsed(content: bytes) -> list[dict[str, Any]]:
    """The lines that are not empty; ends the command for one that is no JSON object."""
    lines: list[dict[str, Any]] = []
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            try:
                lines.append(msgspec.json.decode(line, type=dict[str, Any]))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise typer.BadParameter(f"line {number} is no JSON object: {error}") from error
    return lines


def _follow(longplay: Longplay, made: Batch, folder: Path) -> None:
    told: set[int] = set()

    def fetch(current: Batch) -> None:
        ended = sum(current.counts.get(status, 0) for status in _ENDED)
        if ended > len(told):
            _save(longplay, current, folder, told)

    _wait(longplay, made, fetch)


def _wait(longplay: Longplay, made: Batch, fetch: Any) -> None:
    """Looks at the batch until every line has an end; then says what it cost. Exits with 1 if a line has no file."""
    try:
        with screen.waiting() as progress:
            current, after = longplay.look_at_batch(made.id)
            while not current.over:
                progress(current)
                fetch(current)
                time.sleep(after)
                current, after = longplay.look_at_batch(made.id)
            fetch(current)
    except KeyboardInterrupt:
        screen.tell("The batch goes on, and so does the same command.")
        raise
    screen.tell(f"{current.counts.get('succeeded', 0)} of {current.total} lines succeeded. {screen.cost(current)}")
    if current.counts.get("succeeded", 0) < current.total:
        raise typer.Exit(Exit.FAILED)


def _save(longplay: Longplay, current: Batch, folder: Path, told: set[int]) -> None:
    for line in longplay.results(current):
        if line.status in _ENDED and line.line not in told:
            told.add(line.line)
            _save_line(longplay, line, folder)


def _save_line(longplay: Longplay, line: BatchLine, folder: Path) -> None:
    """Saves the files of a line under its `custom_id` or number; a file that is there is not fetched again."""
    name = _name_of(line)
    if line.status != "succeeded":
        screen.tell(f"line {line.line + 1} {line.status}. {_reason(line)}".strip())
    for n, output in enumerate(line.job.outputs if line.job else ()):
        target = folder / f"{name}{f'-{n}' if n else ''}.{output.extension}"
        if not is_file_of(output, target):
            longplay.download(output, target)
        screen.show(str(target))


def _reason(line: BatchLine) -> str:
    if line.error:
        return line.error.message
    return line.job.error.message if line.job and line.job.error else ""


def _name_of(line: BatchLine) -> str:
    """The `custom_id` as a file's name, with the line's number where other lines could have the same name."""
    given = line.custom_id or ""
    name = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in given)
    return name if name and name == given.lower() else f"{name or 'line'}-{line.line + 1:04}"
