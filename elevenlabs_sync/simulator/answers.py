"""What an answer is before it is sent, and the shapes that the API gives to its errors.

Both shapes of an error are in use at the live service, by endpoint. Nothing here touches a socket.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from elevenlabs_sync.simulator import jsontext


@dataclass(frozen=True)
class Answer:
    """An HTTP answer whose body is the JSON of `document`."""

    status: int
    document: object
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return jsontext.encode(self.document).encode()


def refusal(status: int, code: str, message: str) -> Answer:
    """An error in the older shape, which most endpoints still give."""
    return Answer(status, {"detail": {"status": code, "message": message}})


def typed_refusal(status: int, error_type: str, code: str, message: str) -> Answer:
    """An error in the newer shape, with the older `status` kept beside the new names."""
    detail = {
        "type": error_type,
        "code": code,
        "message": message,
        "status": code,
        "request_id": "simulated",
        "param": None,
    }
    return Answer(status, {"detail": detail})


def invalid(problems: Sequence[Mapping[str, object]]) -> Answer:
    """422: the request does not have the right form; each problem has `loc`, `msg` and `type`."""
    return Answer(422, {"detail": list(problems)})


def plain_error(status: int, text: str) -> Answer:
    """An error of the framework rather than of the API: only a sentence."""
    return Answer(status, {"detail": text})
