"""Strict parameters and bodies: what is unknown, or given twice, is refused instead of ignored."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

from django.http import HttpRequest
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.utils import contribute_operation_callback

from api.problems import Problem, unprocessable

_View = TypeVar("_View", bound=Callable[..., Any])

MARK = "refuses_unknown_parameters"


def strict(view: _View) -> _View:
    """Belongs directly on the function of an operation."""

    def bind(operation: Operation) -> None:
        known: set[str] = set()
        lists: set[str] = set()
        for model in operation.models:
            if model.__ninja_param_source__ == "query":
                known |= set(getattr(model, "__ninja_flatten_map__", None) or model.model_fields)
                lists |= set(getattr(model, "__ninja_collection_fields__", []))
        operation.view_func = _checked(operation.view_func, known, lists)

    contribute_operation_callback(view, bind)
    return view


def _checked(view: Callable[..., Any], known: set[str], lists: set[str]) -> Callable[..., Any]:
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        refusals = [(name, "There is no such parameter.") for name in request.GET if name not in known]
        for name, values in request.GET.lists():
            if name in known and name not in lists and len(values) > 1:
                refusals.append((name, "This can be given once."))
            if any("\0" in value for value in values):
                refusals.append((name, "This has characters that no name has."))
        if refusals:
            raise unprocessable(*refusals)
        return view(request, *args, **kwargs)

    setattr(checked, MARK, True)
    return checked


class StrictParser(Parser):
    """Reads bodies of JSON. Raises Problem (400) for what is none, names a value twice, or holds half a character."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            body = json.loads(request.body, object_pairs_hook=_once_each)
            json.dumps(body, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise _bad("The body has characters that no text has.") from None
        except (ValueError, RecursionError):
            raise _bad("The body is not JSON.") from None
        return body


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _bad("The body names a value twice.")
    return found


def _bad(detail: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, detail)
