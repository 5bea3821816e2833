"""Errors as RFC 9457 problem details. They name the field that is wrong, and never hold a secret or a stack trace."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as RequestError

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True)
class FieldError:
    field: str  # a parameter, or the way to a value of the body: "assignments.0.company"
    message: str


class Problem(Exception):  # noqa: N818 - what the standard calls it
    """Ends the request with this answer."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    def response(self) -> HttpResponse:
        content: dict[str, Any] = {"type": "about:blank", "title": self.status.phrase, "status": self.status.value}
        if self.detail:
            content["detail"] = self.detail
        if self.errors:
            content["errors"] = [asdict(error) for error in self.errors]
        return HttpResponse(
            json.dumps(content, ensure_ascii=False),
            content_type=CONTENT_TYPE,
            status=self.status.value,
            headers=dict(self.headers),
        )


class FieldErrorOut(Schema):
    field: str
    message: str


class ProblemOut(Schema):
    """For the documentation."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldErrorOut] | None = None


def unprocessable(*errors: tuple[str, str]) -> Problem:
    """422 for fields and what is wrong with each."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "; ".join(f"{name}: {message}" if name else message for name, message in errors),
        errors=[FieldError(name, message) for name, message in errors],
    )


def not_found() -> Problem:
    """The same for what there is not and for what the token's owner may not know of."""
    return Problem(HTTPStatus.NOT_FOUND, "There is nothing here that this token may see.")


def refused(error: ValidationError) -> Problem:
    """What a service or a model refuses."""
    if not hasattr(error, "error_dict"):
        return unprocessable(*(("", message) for message in error.messages))
    return unprocessable(
        *(
            ("" if name == NON_FIELD_ERRORS else name, message)
            for name, messages in error.message_dict.items()
            for message in messages
        )
    )


def refused_by(form: BaseForm, names: Mapping[str, str] | None = None) -> Problem:
    """What a form of the pages refuses; ``names`` are those that differ here."""
    return unprocessable(
        *(
            ("" if name == NON_FIELD_ERRORS else (names or {}).get(name, name), str(errors[0]))
            for name, errors in form.errors.items()
        )
    )


def install(api: NinjaAPI) -> None:
    """Answer the framework's own refusals in the same form."""

    @api.exception_handler(Problem)
    def problem(_request: HttpRequest, error: Problem) -> HttpResponse:
        return error.response()

    @api.exception_handler(ValidationError)
    def service_refused(_request: HttpRequest, error: ValidationError) -> HttpResponse:
        return refused(error).response()

    @api.exception_handler(RequestError)
    def bad_request(_request: HttpRequest, error: RequestError) -> HttpResponse:
        return unprocessable(*(_told(one) for one in error.errors)).response()

    @api.exception_handler(AuthenticationError)
    def unauthorized(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
        return Problem(
            HTTPStatus.UNAUTHORIZED,
            "This needs a valid API token: Authorization: Bearer adm_…",
            headers={"WWW-Authenticate": 'Bearer realm="Administrate"'},
        ).response()

    @api.exception_handler(HttpError)
    def http_error(_request: HttpRequest, error: HttpError) -> HttpResponse:
        return Problem(HTTPStatus(error.status_code), str(error)).response()

    @api.exception_handler(Exception)
    def unexpected(_request: HttpRequest, error: Exception) -> HttpResponse:
        """Django's to log; api.middleware gives the answer its form."""
        raise error


def _told(error: Mapping[str, Any]) -> tuple[str, str]:
    """Where pydantic found it – without the name of our own argument – and its sentence, without what was sent."""
    source, *way = error["loc"]
    field = ".".join(str(step) for step in (way[1:] if len(way) > 1 else way)) or str(source)
    return field, str(error["msg"]).removeprefix("Value error, ")
