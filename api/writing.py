"""Operations that change something: one transaction each, and once however often a program repeats itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any, Final, TypeVar

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja.operation import Operation
from ninja.utils import contribute_operation_callback

from api.answers import JSON
from api.doors import caller_of
from api.models import ApiToken, KeptAnswer
from api.problems import unprocessable

_View = TypeVar("_View", bound=Callable[..., Any])

HEADER: Final = "Idempotency-Key"
LONGEST_KEY = 255

# For the documentation of an operation.
IDEMPOTENT: Final = {
    "parameters": [
        {
            "in": "header",
            "name": HEADER,
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
            "description": "Chosen by you, e.g. a UUID: for a day the same request with it is answered, not repeated.",
        }
    ]
}


def once(view: _View) -> _View:
    """Run the operation in a transaction. A repeated Idempotency-Key is answered with what it came to.

    Answers are kept by token, and only where the operation succeeded: what was refused may be tried again. Of two at
    once the second waits for the first at the table's constraint.
    """

    def bind(operation: Operation) -> None:
        operation.view_func = _answered_once(operation.view_func)

    contribute_operation_callback(view, bind)
    return view


def _answered_once(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        key = request.headers.get(HEADER)
        with transaction.atomic():
            if key is None:
                return view(request, *args, **kwargs)
            if not 1 <= len(key) <= LONGEST_KEY or not all("!" <= character <= "~" for character in key):
                raise unprocessable((HEADER, f"Give 1 to {LONGEST_KEY} visible ASCII characters."))
            # Who repeats at the same moment waits here.
            token = ApiToken.objects.select_for_update(no_key=True).get(pk=caller_of(request).token.pk)
            asked = sha256(b"\0".join([str(request.method).encode(), request.path.encode(), request.body])).hexdigest()
            if kept := KeptAnswer.objects.filter(token=token, key=key).first():
                return _repeated(kept, asked)
            answer = view(request, *args, **kwargs)
            KeptAnswer.objects.create(
                token=token,
                key=key,
                request_digest=asked,
                status=answer.status_code,
                body=answer.content.decode(),
                made_at=timezone.now(),
            )
            return answer

    return answered


def _repeated(kept: KeptAnswer, asked: str) -> HttpResponse:
    if kept.request_digest != asked:
        raise unprocessable((HEADER, "This key was used with another request."))
    return HttpResponse(kept.body, content_type=JSON, status=kept.status, headers={"Idempotent-Replayed": "true"})
