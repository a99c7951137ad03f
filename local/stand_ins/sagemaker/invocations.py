"""An invocation of an asynchronous endpoint, and the notice that SageMaker publishes about it."""

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
class Outcome:
    """How an invocation will end: `answer` replaces its result; `status` and `error` are a failed container's."""

    end: str = "Completed"
    status: int | None = None
    error: str = ""
    answer: bytes | None = None


@dataclass(kw_only=True)
class Invocation:
    """Its result is written below the URI `prefix`, with the `extension` that the caller adds."""

    endpoint: str
    inference_id: str
    input: str
    accept: str
    prefix: str
    extension: str | None
    ttl: int
    timeout: int
    outcome: Outcome = field(default_factory=Outcome)
    status: str = "Queued"
    charged: bool = False
    reason: str = ""
    name: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def id(self) -> str:
        """The inference id."""
        return self.inference_id

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.status in ENDS

    @property
    def billed(self) -> bool:
        """Whether it ran on an instance, or will: all but those that failed by the model's refusal or expired."""
        return not self.over or self.charged

    @property
    def output(self) -> str:
        """The URI of its result; SageMaker chooses the name, not from the inference id."""
        return f"{self._folder}/{self.name}.out"

    @property
    def failure(self) -> str:
        """The URI of its error."""
        return f"{self._folder}/{self.name}-error.out"

    def event(self) -> dict[str, Any]:
        """Its notice, in the event that SNS gives to a function."""
        topic = f"{TOPIC}{'success' if self.status == 'Completed' else 'error'}"
        return event_of(json.dumps(self._message()), topic=topic)

    def _message(self) -> dict[str, Any]:
        asked = {"accept": self.accept, "endpointName": self.endpoint, "inputLocation": self.input}
        message: dict[str, Any] = {
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
            return message | {"responseParameters": answered}
        failed = {"failureReason": self.reason}
        return message | failed | ({"failureLocation": self.failure} if self.status == "Failed" else {})

    @property
    def _folder(self) -> str:
        return "/".join(filter(None, (self.prefix.rstrip("/"), self.extension)))


def event_of(message: str, *, topic: str = f"{TOPIC}success") -> dict[str, Any]:
    """The event in which SNS gives a message to a function."""
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
