"""Reads Replicate's prediction object, and turns its failures into errors with their cost.

Replicate bills public models for the time a prediction ran, so a failed or canceled one may cost something
(replicate.com/docs/topics/billing, read 2026-11). An aborted one never started and costs nothing
(replicate.com/changelog/2025-10-16-prediction-deadlines).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from longplay.domain.errors import Case, Charged, FailureKind, ProviderError
from longplay.providers.decoding import decode
from longplay.providers.explanations import FAILED, FAULTS_OF_A_MODEL, MODERATED, Explanation
from longplay.providers.protocol import Call
from longplay.providers.refusals import LONGEST_TEXT, printable

LARGEST_PREDICTION = 8_000_000  # bytes; it contains the input and the logs
MOST_OUTPUTS = 8
NO_FILE = "it finished without a file; if moderation blocked the prompt, change it"

_ID = re.compile(r"[a-z0-9]{10,64}")
_MODERATED = r"\bnsfw\b|\bsensitive\b|\bsafety\b|\bmoderation\b|content policy"


class Prediction(msgspec.Struct, kw_only=True):
    """The members of a prediction that are used; `output` is a URL or a list of URLs."""

    id: str
    status: str
    output: Any = None
    error: Any = None
    data_removed: bool = False

    @property
    def files(self) -> list[str]:
        """The URLs of its files, at most eight."""
        outputs = self.output if isinstance(self.output, list) else [self.output]
        return [url for url in outputs if isinstance(url, str)][:MOST_OUTPUTS]


def read_prediction(body: Path) -> Prediction | None:
    """The prediction in an answer, None if there is none."""
    return _decode(body.read_bytes())


def reference_in(body: bytes) -> str | None:
    """The prediction's id in a callback's body, None if there is none."""
    prediction = _decode(body)
    return prediction.id if prediction else None


def failure_of(prediction: Prediction, call: Call, *, secret: str | None) -> ProviderError | None:
    """The error of a prediction without files; None if it has files or is not finished."""
    match prediction.status:
        case "failed":
            return _failed(prediction, call, secret)
        case "canceled":
            what = "was canceled at Replicate after it was sent; it may have been billed for the time it ran"
            return _ended(prediction, call, what, charged=Charged.UNKNOWN, case=Case.CANCELED)
        case "aborted":
            what = "was aborted by Replicate before it started, and is not billed"
            return _ended(prediction, call, what, charged=Charged.NO, case=Case.CANCELED)
        case "succeeded" if prediction.data_removed:
            return _ended(prediction, call, f"{_ERASED}. {_ADVICE}", charged=Charged.YES, case=Case.EXPIRED)
        case "succeeded" if not prediction.files:
            what = "succeeded without a file. If moderation blocked the prompt, change it"
            return _ended(prediction, call, what, charged=Charged.YES, kind=FailureKind.BAD_OUTPUT, detail=NO_FILE)
    return None


def not_found(ref: str, call: Call) -> ProviderError:
    """The error of a prediction that Replicate does not know, or no longer."""
    what = f"{_ERASED}, or the stored token now belongs to another account. {_ADVICE}"
    return _ended(Prediction(id=ref, status="not_found"), call, what, charged=Charged.UNKNOWN, case=Case.EXPIRED)


_ERASED = "is erased: Replicate keeps a result for one hour, and it was not fetched in time"
_ADVICE = "Submit the request again."


def _decode(body: bytes) -> Prediction | None:
    prediction = decode(body, Prediction)
    # the id becomes part of a URL
    return prediction if prediction and _ID.fullmatch(prediction.id) else None


def _failed(prediction: Prediction, call: Call, secret: str | None) -> ProviderError:
    said = printable(str(prediction.error or "nothing"), secret=secret, longest=LONGEST_TEXT)
    found = _reason(said)
    what = f"failed: {found.what}. It may have been billed for the time it ran. Replicate said: {said}"
    return _ended(prediction, call, what, charged=Charged.UNKNOWN, kind=found.kind, case=found.case)


def _reason(said: str) -> Explanation:
    rows = ((_MODERATED, MODERATED), *FAULTS_OF_A_MODEL)
    return next((found for pattern, found in rows if re.search(pattern, said, re.IGNORECASE)), FAILED)


def _ended(
    prediction: Prediction,
    call: Call,
    what: str,
    *,
    charged: Charged,
    kind: FailureKind = FailureKind.UPSTREAM,
    case: Case | None = None,
    detail: str = "",
) -> ProviderError:
    what = f"the prediction {prediction.id} by {call.model} {what}"
    return ProviderError(kind, what, charged=charged, request_id=prediction.id, case=case, detail=detail)
