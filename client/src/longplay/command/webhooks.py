"""A receiver of webhooks for the desk: prints each event whose signature fits."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated

import msgspec
import typer

from longplay.command import screen
from longplay.errors import LongplayError
from longplay.webhooks import verify_webhook

_LARGEST = 1_000_000  # bytes of a body; the deployment sends 20 KB at most

app = typer.Typer(no_args_is_help=True, help="Receives webhooks.")


@app.command()
def listen(
    secret: Annotated[str, typer.Option(envvar="LONGPLAY_WEBHOOK_SECRET", prompt="Secret (whsec_…)", hide_input=True)],
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8787,
) -> None:
    """Prints each event as a line of JSON, at 127.0.0.1, until Ctrl-C; refuses those whose signature does not fit."""
    with ThreadingHTTPServer(("127.0.0.1", port), _receiver(secret)) as server:
        screen.tell(f"Listening at http://127.0.0.1:{server.server_address[1]}/ until Ctrl-C.")
        server.serve_forever()


def _receiver(secret: str) -> type[BaseHTTPRequestHandler]:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            body = self.rfile.read(min(int(length), _LARGEST) if length.isdecimal() else 0)
            try:
                event = verify_webhook(body, dict(self.headers.items()), secret)
            except (LongplayError, msgspec.DecodeError) as error:
                screen.tell(f"Refused: {error}")
                return self.send_error(400, "The signature does not fit")
            screen.show(msgspec.json.encode(event).decode())
            self.send_response(204)
            return self.end_headers()

        def log_message(self, *_: object) -> None:
            """Events are printed, and nothing else."""

    return Receiver
