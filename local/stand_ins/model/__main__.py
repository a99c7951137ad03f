"""Runs the stand-in model server until it is interrupted; prints its URL in one line when it is ready."""

import argparse
import contextlib
import signal
from types import FrameType

from local.stand_ins.model.gates import RateLimit
from local.stand_ins.model.server import ModelServer
from local.stand_ins.pipelines.asked import AudioShape


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, _interrupt)
    with contextlib.suppress(KeyboardInterrupt), ModelServer(**vars(_arguments())) as server:
        print(f"model server ready: {server.url}", flush=True)
        server.closed.wait()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.stand_ins.model", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 lets the kernel choose")
    parser.add_argument("--quick", action="store_true", help="render the least that is valid media")
    parser.add_argument("--cold-start", type=float, default=0.0, metavar="S", help="seconds that each model loads")
    parser.add_argument("--rate-limit", type=_rate_limit, metavar="N/SECONDS", help="requests accepted per window")
    parser.add_argument("--token", help="require this bearer token")
    parser.add_argument("--model", help="serve only this model, at / and /predict, as a dedicated endpoint does")
    parser.add_argument("--audio", type=AudioShape, choices=list(AudioShape), default=AudioShape.TOOLKIT)
    return parser.parse_args()


def _rate_limit(text: str) -> RateLimit:
    count, seconds = text.split("/")
    return RateLimit(int(count), float(seconds))


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
