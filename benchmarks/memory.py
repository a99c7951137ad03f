"""A 20 MB result on its way from the provider to S3: peak memory of the generator's way beside the buffered one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from threading import Thread

from benchmarks.tables import show, spread

# This process stays small: on Linux a child's peak begins with that of the process that started it.
REPEATS = 9
MEGABYTE = 1_000_000
CHUNK = 65_536
WAYS = {
    "generator": "Longplay: streamed to temporary storage, then PutObject of the file",
    "buffered": "buffered: requests' .content, then put_object(bytes)",
}


def main() -> None:
    """Print extra peak memory by way, and the ratio."""
    with _server() as url:
        rounds = [{way: _extra(way, url) for way in WAYS} for _ in range(REPEATS)]
    extras = {way: [extra[way] / MEGABYTE for extra in rounds] for way in WAYS}
    ratio = median(extras["generator"]) / median(extras["buffered"])
    show(
        "A 20 MB result through the generator: by how much it raises the process's peak memory",
        ("way", "extra peak RSS", "min–max"),
        [(text, spread(extras[way], "MB", digits=1), _range(extras[way])) for way, text in WAYS.items()],
        f"Ratio of the medians {ratio:.3f}. {REPEATS} fresh processes each, taken in turn; getrusage after a first",
        "small result; median [middle half]. Over HTTP on loopback, S3 is a server that reads and forgets.",
    )


def _extra(way: str, url: str) -> int:
    command = [sys.executable, "-m", "benchmarks.transfer", way, url]
    ended = subprocess.run(command, env={**os.environ, **_account(url)}, check=True, capture_output=True, text=True)
    return int(ended.stdout.split()[1])


def _account(url: str) -> dict[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-central-1"}
    return {**keys, "AWS_ENDPOINT_URL_S3": url}


def _range(values: list[float]) -> str:
    return f"{min(values):.1f}–{max(values):.1f} MB"


@contextmanager
def _server() -> Iterator[str]:
    """The provider and S3 in one: POST /bytes/N is answered with a sound file of N bytes, a PUT is taken."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self._take()
        size = int(self.path.rpartition("/")[2])
        self._head(size, "audio/wav")
        first = _wav_header(size)
        self.wfile.write(first)
        left = size - len(first)
        while left > 0:
            left -= self.wfile.write(bytes(min(CHUNK, left)))

    def do_PUT(self) -> None:
        self._take()
        self._head(0, "application/xml")

    def log_message(self, *_: object) -> None:
        """Silent."""

    def _take(self) -> None:
        left = int(self.headers["Content-Length"])
        while left > 0:
            left -= len(self.rfile.read(min(CHUNK, left)))

    def _head(self, size: int, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(size))
        self.send_header("ETag", '"0"')
        self.end_headers()


def _wav_header(size: int) -> bytes:
    """Of 16-bit sound on one channel at 32 kHz."""
    sound = b"fmt " + bytes.fromhex("10000000 0100 0100 007d0000 00fa0000 0200 1000")
    return b"RIFF" + (size - 8).to_bytes(4, "little") + b"WAVE" + sound + b"data" + (size - 44).to_bytes(4, "little")


if __name__ == "__main__":
    main()
