"""The command `longplay`: generates, fetches and lists from the terminal.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 refused, 4 key, 5 unreachable, 6 still waiting, 130 interrupted.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from itertools import islice
from typing import Annotated, Any

import msgspec
import typer

from longplay.client import Longplay
from longplay.command import batches, screen, webhooks
from longplay.command.ends import Exit, status_of, words_of
from longplay.command.files import STDOUT, deliver
from longplay.documents import Job, Model
from longplay.errors import JobFailed, LongplayError
from longplay.places import USUAL, Place, store

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Music, images and video from a prompt.")

Profile = Annotated[str | None, typer.Option("--profile", help="A stored deployment.", envvar="LONGPLAY_PROFILE")]
JobId = Annotated[str, typer.Argument(help="The job's id.")]
Json = Annotated[bool, typer.Option("--json", help="The job as JSON on the standard output.")]
Target = Annotated[str | None, typer.Option("-o", "--output", help="A file or a folder; - is the standard output.")]
Wait = Annotated[float | None, typer.Option("--wait", min=0, help="Seconds to wait for the end.")]


def main() -> None:
    """Runs the command and ends the process with its status."""
    try:
        app()  # ends by itself with 0, with 2 for wrong usage and with 130 after Ctrl-C
    except UnicodeError:
        screen.tell("The text is not valid UTF-8.")
        sys.exit(Exit.USAGE)
    except (LongplayError, OSError) as error:
        screen.tell(words_of(error))
        sys.exit(status_of(error))


@app.command()
def login(
    url: Annotated[str, typer.Option(prompt="Address of the API")],
    key: Annotated[str, typer.Option(prompt="API key", hide_input=True)],
    profile: Annotated[str, typer.Option(help="A name for it.")] = USUAL,
) -> None:
    """Tries a key and stores it, readable by you alone."""
    with Longplay(url, key) as longplay:
        longplay.api.get("key")
    screen.tell(f"Stored in {store(profile, Place(url=url, key=key))}.")


@app.command()
def generate(
    prompt: Annotated[str, typer.Argument(help="What to make; - reads it from the standard input.")],
    model: Annotated[str | None, typer.Option("-m", "--model")] = None,
    parameters: Annotated[list[str] | None, typer.Option("-p", metavar="NAME=VALUE", help="A parameter.")] = None,
    image: Annotated[str | None, typer.Option(help="A file to start from, or job:ID.")] = None,
    output: Target = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make a new one, also where there is an equal one.")] = False,
    open_it: Annotated[bool, typer.Option("--open", help="Open the file.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Print the job's id and end.")] = False,
    wait: Wait = None,
    json: Json = False,
    profile: Profile = None,
) -> None:
    """Generates a file and saves it."""
    text = sys.stdin.read().strip() if prompt == "-" else prompt
    chosen = {name: value for name, value in (("model", model), ("fresh", fresh or None)) if value is not None}
    with Longplay(profile=profile) as longplay:
        job = longplay.submit(text, image=image, **chosen, **_parsed(parameters or []))
        if no_wait:
            screen.show_json(job.document) if json else screen.show(job.id)
        else:
            _finish(longplay, job, output=output, wait=wait, json=json, open_it=open_it)


@app.command()
def get(job_id: JobId, output: Target = None, wait: Wait = 0, json: Json = False, profile: Profile = None) -> None:
    """Shows a job; with -o or --wait, saves its file once it is there."""
    with Longplay(profile=profile) as longplay:
        job = longplay.job(job_id)
        if output is not None or wait:
            _finish(longplay, job, output=output, wait=wait or None, json=json, open_it=False)
        else:
            screen.show_json(job.document) if json else screen.show(_line(job))


@app.command()
def download(job_id: JobId, output: Target = None, profile: Profile = None) -> None:
    """Saves the files of a job that has succeeded; goes on where an earlier try has stopped."""
    with Longplay(profile=profile) as longplay:
        deliver(longplay, longplay.wait(job_id, timeout=0), output)


@app.command()
def jobs(
    status: Annotated[list[str] | None, typer.Option(help="queued, running, succeeded, failed or canceled.")] = None,
    limit: Annotated[int, typer.Option("-n", min=1)] = 20,
    json: Annotated[bool, typer.Option("--json", help="A job on each line.")] = False,
    profile: Profile = None,
) -> None:
    """Lists your jobs, newest first."""
    with Longplay(profile=profile) as longplay:
        found = [*islice(longplay.jobs(status=status), limit)]
    if json:
        _lines([job.document for job in found])
    else:
        screen.table(("id", "kind", "status", "made", "prompt"), [_row(job) for job in found])


@app.command()
def cancel(job_id: JobId, profile: Profile = None) -> None:
    """Cancels a job; a result that is paid for is kept."""
    with Longplay(profile=profile) as longplay:
        job = longplay.cancel(job_id)
    screen.show(f"{job.id}\t{screen.standing(job)}")
    screen.tell(screen.cost(job))


@app.command()
def retry(job_id: JobId, output: Target = None, wait: Wait = None, json: Json = False, profile: Profile = None) -> None:
    """Makes a new job with the request of one that failed or was canceled."""
    with Longplay(profile=profile) as longplay:
        _finish(longplay, longplay.retry(job_id), output=output, wait=wait, json=json, open_it=False)


@app.command()
def delete(job_id: JobId, profile: Profile = None) -> None:
    """Erases the prompt and the files of a job that is over."""
    with Longplay(profile=profile) as longplay:
        longplay.delete(job_id)
    screen.tell("Erased.")


@app.command()
def models(
    json: Annotated[bool, typer.Option("--json", help="A model on each line.")] = False, profile: Profile = None
) -> None:
    """Lists the models of the deployment."""
    with Longplay(profile=profile) as longplay:
        found = longplay.models()
    if json:
        _lines([model.document for model in found])
    else:
        screen.table(("model", "kind", "about", "title"), [_model(model) for model in found if model.available])


@app.command()
def usage(
    json: Annotated[bool, typer.Option("--json")] = False,
    days: Annotated[int, typer.Option(min=1, max=400)] = 1,
    profile: Profile = None,
) -> None:
    """Shows what your jobs cost, and what room there is for new ones."""
    with Longplay(profile=profile) as longplay:
        found = longplay.usage(days=days)
    if json:
        screen.show_json(found)
    else:
        rows = [_sum("today", found["today"]), _sum("this month", found["month"])]
        screen.table(("", "jobs", "charged", "perhaps"), rows)


app.command()(batches.batch)
app.command()(batches.warm)
app.add_typer(webhooks.app, name="webhooks")


def _finish(longplay: Longplay, job: Job, *, output: str | None, wait: float | None, json: bool, open_it: bool) -> None:
    """Waits for the job, saves its files and says what it cost."""
    try:
        with screen.waiting() as progress:
            job = longplay.wait(job, on_progress=progress, timeout=wait)
    except KeyboardInterrupt:
        screen.tell(f"The job goes on. Fetch its file with: longplay get {job.id} --wait 600")
        raise
    except JobFailed as failed:
        if json:
            screen.show_json(failed.job.document)
        raise
    if json:
        screen.show_json(job.document)
    saved = deliver(longplay, job, output, quiet=json) if not json or output is not None else []
    if output != STDOUT:
        screen.tell(screen.cost(job))
    for path in saved if open_it else []:
        typer.launch(str(path))


def _lines(documents: list[dict[str, Any]]) -> None:
    for document in documents:
        screen.show(msgspec.json.encode(document).decode())


def _model(model: Model) -> tuple[str, ...]:
    price = f"${model.routes[0].estimated_usd:g}" if model.routes else ""
    return model.id, model.kind, price, model.title


def _sum(name: str, found: dict[str, Any]) -> tuple[str, ...]:
    return name, str(found["jobs"]), f"${found['charged_usd']:g}", f"${found['unknown_usd']:g}"


def _line(job: Job) -> str:
    return f"{job.id}\t{screen.standing(job)}\t{job.prompt}"


def _row(job: Job) -> tuple[str, ...]:
    return job.id, job.kind, job.status, job.created_at[:16].replace("T", " "), job.prompt[:60]


def _parsed(given: list[str]) -> dict[str, Any]:
    """Parameters as `name=value`; a value that is JSON is taken as that, any other as text."""
    pairs = [text.partition("=") for text in given]
    if not all(sign for _, sign, _ in pairs):
        raise typer.BadParameter("a parameter is NAME=VALUE, such as -p duration=10")
    return {name: _value(value) for name, _, value in pairs}


def _value(text: str) -> Any:
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(text)
    return text
