"""The client: one method for each thing that a caller can do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx2
import msgspec

from longplay import repeats
from longplay.api import TIMEOUT, Answer, Api, read
from longplay.documents import Batch, BatchLine, Job, Model, Output
from longplay.downloads import Download
from longplay.errors import JobFailed, LongplayError, StillWaiting, Unreachable, refusal
from longplay.places import place

Progress = Callable[[Job], None]
_IMAGES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}
_FIRST = 1.0  # seconds until a job that was just submitted is looked at
_NOT_TAKEN = 413  # the status of a refusal for a file that is too large
_PAGE = 100  # jobs or lines of a page


class Longplay:
    """A deployment of Longplay, for one caller.

    Without `url` and `key` they are taken from LONGPLAY_URL and LONGPLAY_API_KEY, from the profile that
    `longplay login` has stored, or from a local run that serves from this folder or one above it. Raises NoKey
    where there is none.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        profile: str | None = None,
        http: httpx2.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        found = place(url, key, profile=profile)
        self._http = http or httpx2.Client(timeout=TIMEOUT)
        self._sleep = sleep
        self.api = Api(url=found.url, key=found.key, http=self._http, sleep=sleep)

    def __enter__(self) -> Longplay:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def generate(
        self,
        prompt: str,
        *,
        on_progress: Progress | None = None,
        timeout: float | None = None,
        **request: Any,
    ) -> Job:
        """The job of this prompt once it has succeeded. `request` are `model`, `image`, `fresh`, parameters, …

        Raises JobFailed, StillWaiting after `timeout` seconds, Refused or Unreachable.
        """
        return self.wait(self.submit(prompt, **request), on_progress=on_progress, timeout=timeout)

    def submit(self, prompt: str, *, image: str | Path | None = None, **request: Any) -> Job:
        """The new job of this prompt, at once. `image` is a file to start from, or a value of the API (`job:…`)."""
        body = {"prompt": prompt, **({"image": self._image(image)} if image else {}), **request}
        return self._job(self.api.post("generate", msgspec.json.encode(body)))

    def job(self, job: str) -> Job:
        """The job of this id; raises Refused if there is none."""
        return self._job(self.api.get(f"jobs/{job}"))

    def wait(self, job: Job | str, *, on_progress: Progress | None = None, timeout: float | None = None) -> Job:
        """The job once it has succeeded; `on_progress` gets it at each look. Raises as `generate` does."""
        give_up = None if timeout is None else time.monotonic() + timeout
        current, after = (job, _FIRST) if isinstance(job, Job) else self._look(job)
        while not current.over:
            if on_progress:
                on_progress(current)
            if give_up is not None and time.monotonic() + after > give_up:
                raise StillWaiting(current)
            self._sleep(after)
            current, after = self._look(current.id)
        if current.status != "succeeded":
            raise JobFailed(current)
        return current

    def jobs(self, **filters: Any) -> Iterator[Job]:
        """The caller's jobs, newest first: all to which the filters apply (`status`, `kind`, `model`, `tag`, …)."""
        cursor = None
        while True:
            page = self.api.get("jobs", limit=_PAGE, cursor=cursor, **filters).document
            yield from (read(job, Job) for job in page["jobs"])
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def cancel(self, job: str) -> Job:
        """The job after it was canceled; a result that is paid for is kept."""
        return self._job(self.api.post(f"jobs/{job}/cancel"))

    def retry(self, job: str) -> Job:
        """A new job with the request of one that failed or was canceled."""
        return self._job(self.api.post(f"jobs/{job}/retry"))

    def delete(self, job: str) -> None:
        """Erases the prompt and the files of a job that is over."""
        self.api.delete(f"jobs/{job}")

    def download(self, output: Output, target: Path, *, on_bytes: Callable[[int], None] | None = None) -> Path:
        """Saves a file, whole or not at all; goes on where an earlier try has stopped. Raises DownloadFailed."""
        return self._download_of(output).to(target, on_bytes or (lambda _: None))

    def pieces(self, output: Output) -> Iterator[bytes]:
        """The content of a file in pieces; raises DownloadFailed."""
        return self._download_of(output).stream()

    def models(self) -> tuple[Model, ...]:
        """The models of the deployment."""
        return tuple(read(model, Model) for model in self.api.get("models").document["models"])

    def usage(self, *, days: int = 1) -> dict[str, Any]:
        """The cost of the caller's jobs, and the room there is for new ones."""
        return self.api.get("usage", days=days).document

    def batch(self, lines: Iterable[Mapping[str, Any]], *, idempotency_key: str | None = None) -> Batch:
        """A new batch of these requests; with the same `idempotency_key`, the one that was made before."""
        body = b"\n".join(msgspec.json.encode(line) for line in lines)
        return read(self.api.post("batches", body, idempotency_key=idempotency_key).document, Batch)

    def look_at_batch(self, batch: str) -> tuple[Batch, float]:
        """The batch of this id, and the seconds after which to look again."""
        answer = self.api.get(f"batches/{batch}")
        return read(answer.document, Batch), repeats.poll_after(answer.headers)

    def cancel_batch(self, batch: str) -> Batch:
        """The batch after it was canceled."""
        return read(self.api.post(f"batches/{batch}/cancel").document, Batch)

    def results(self, batch: Batch) -> Iterator[BatchLine]:
        """The lines of a batch in their order, as they stand."""
        for first in range(0, batch.total, _PAGE):
            content = self.api.get(f"batches/{batch.id}/results", **{"from": first}).content
            yield from (msgspec.json.decode(line, type=BatchLine) for line in content.splitlines())

    def _download_of(self, output: Output) -> Download:
        if output.link is None:
            raise LongplayError("This job was made by a version without links to files; use `url` of its document.")
        return Download(http=self._http, address=self.api.address(output.link), output=output, sleep=self._sleep)

    def _look(self, job: str) -> tuple[Job, float]:
        answer = self.api.get(f"jobs/{job}")
        return self._job(answer), repeats.poll_after(answer.headers)

    @staticmethod
    def _job(answer: Answer) -> Job:
        return read(answer.document, Job)

    def _image(self, image: str | Path) -> str:
        """The value for `image`: of a file, that of its upload; any other text is one already."""
        path = Path(image)
        if isinstance(image, str) and (":" in image or not path.exists()):
            return image
        content = path.read_bytes()
        kind = next((kind for start, kind in _IMAGES.items() if content.startswith(start)), "image/png")
        form = self.api.post("uploads", msgspec.json.encode({"content_type": kind})).document
        try:
            sent = self._http.post(form["url"], data=form["fields"], files={"file": content})
        except httpx2.TransportError as error:
            raise Unreachable(f"The image could not be sent ({error}). Nothing was started; try again.") from error
        if not sent.is_success:
            largest = f"{form['largest'] / 1e6:g} MB"
            raise refusal(_NOT_TAKEN, {"detail": f"The image was not taken: it may have {largest}.", "charged": "no"})
        return str(form["image"])
