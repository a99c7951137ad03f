"""One step of a plain job goes through few files."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import wiring

from tests.harness.product import Product

MOST_FILES = 11
# the adapter's own work, the parts that are made once, the repeats of calls to AWS, and the folder for the files, which
# decide nothing of a job
BESIDE = ("/providers/", "/media/", "tokens.py", "wiring.py", "patience.py", "workspace.py")


class _Visits:
    """The files of lambdas/ that are entered while `Worker.advance` runs, in order."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self._inside = False

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        """The profiler's hook."""
        if event not in ("call", "return"):
            return
        if frame.f_code.co_name == "advance":
            self._inside = event == "call"
        _, found, file = frame.f_code.co_filename.partition("/lambdas/")
        if self._inside and found and not any(part in frame.f_code.co_filename for part in BESIDE):
            self.files.append(file)


def test_a_step_visits_few_files(product: Product) -> None:
    """The second job of a warm worker, from its message to its result in the bucket and in the table."""
    assert wiring.dependencies().worker
    product.submit({"prompt": "wood"})
    product.deliver()
    job, visits = product.submit({"prompt": "sea"}), _Visits()
    sys.setprofile(visits)
    try:
        product.deliver()
    finally:
        sys.setprofile(None)
    assert product.job(job["id"])["status"] == "succeeded"
    assert len(set(visits.files)) <= MOST_FILES, sorted(set(visits.files))
