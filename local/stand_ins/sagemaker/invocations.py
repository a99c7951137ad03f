"""An invocation: what was asked of which endpoint, what became of it, and the notice SageMaker publishes of it."""

import json
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

ENDS = ("Completed", "Failed", "Expired")
REGION, ACCOUNT = "eu-central-1", "111122223333"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:"


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What will become of an invocation; `status` and `said` are its container's, None when it answers."""

    end: str = "Completed"
    status: int | None = None
    said: str = ""
    answer: bytes | None = None


@dataclass(kw_only=True)
class Invocation:
    """`prefix` is the bucket's URI that the endpoint writes below, `extension` what the caller adds to it."""

    endpoint: str
    inference_id: str
    input: str
    accept: str
    prefix: str
    extension: str | None
    ttl: int
    timeout: int
    fate: Fate = field(default_factory=Fate)
    status: str = "Queued"
    billed: bool = False
    reason: str = ""
    name: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def output(self) -> str:
        """Where its answer will lie; SageMaker names the file itself, not by the inference."""
        return f"{self._folder}/{self.name}.out"

    @property
    def failure(self) -> str:
        return f"{self._folder}/{self.name}-error.out"

    def event(self) -> dict[str, Any]:
        """Its notice, as SNS hands it to a function."""
        topic = f"{TOPIC}{'success' if self.status == 'Completed' else 'error'}"
        return event_of(json.dumps(self._message()), topic=topic)

    def _message(self) -> dict[str, Any]:
        asked = {"accept": self.accept, "endpointName": self.endpoint, "inputLocation": self.input}
        said: dict[str, Any] = {
            "awsRegion": REGION,
            "eventTime": _now(),
            "receivedTime": _now(),
            "invocationStatus": self.status,
            "requestParameters": asked,
            "inferenceId": self.inference_id,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }
        if self.status == "Completed":
            answered = {"contentType": self.accept, "outputLocation": self.output}
            return said | {"responseParameters": answered}
        told = {"failureReason": self.reason}
        return said | told | ({"failureLocation": self.failure} if self.status == "Failed" else {})

    @property
    def _folder(self) -> str:
        return "/".join(filter(None, (self.prefix.rstrip("/"), self.extension)))


def event_of(message: str, *, topic: str = f"{TOPIC}success") -> dict[str, Any]:
    """A message as SNS hands it to a function."""
    sns: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": str(uuid.uuid4()),
        "TopicArn": topic,
        "Subject": None,
        "Message": message,
        "Timestamp": _now(),
        "SignatureVersion": "1",
        "Signature": secrets.token_hex(16),
        "SigningCertUrl": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService.pem",
        "UnsubscribeUrl": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
        "MessageAttributes": {},
    }
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": f"{topic}:1", "Sns": sns}
    return {"Records": [record]}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
