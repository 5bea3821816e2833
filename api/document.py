"""The OpenAPI document: what the framework makes of the operations, and what it can't know of them.

Every operation may answer with a problem, lists come in other formats too, and each needs a scope.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from django.utils.html import format_html
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from api import problems
from api.answers import CSV, NDJSON
from api.doors import BearerToken
from core.tables import Column, Row, Table

_ALWAYS: Final = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
)
_PROBLEM: Final = {"$ref": "#/components/schemas/ProblemOut"}


class _Document(OpenAPISchema):
    """As the framework's, with problems, formats and scopes."""

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        details: dict[str, Any] = super().operation_details(operation)
        is_list = "cursor" in {parameter["name"] for parameter in details["parameters"]}
        for parameter in details["parameters"]:
            _state_absence(parameter["schema"])
        statuses = [*_ALWAYS]
        if "{" in operation.path:
            statuses.append(HTTPStatus.NOT_FOUND)
        if is_list:
            statuses.append(HTTPStatus.NOT_ACCEPTABLE)
            for answer in details["responses"].values():
                answer["content"] |= {kind: {"schema": {"type": "string"}} for kind in (NDJSON, CSV)}
        if "requestBody" in details:
            statuses += [HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT]
        for status in statuses:
            details["responses"][status.value] = {
                "description": status.phrase,
                "content": {problems.CONTENT_TYPE: {"schema": _PROBLEM}},
            }
        for door in operation.auth_callbacks:
            if isinstance(door, BearerToken):
                details["x-scope"] = door.scope.value
                details["description"] += f"\n\nNeeds the scope `{door.scope.value}`."
        return details

    def get_components(self) -> dict[str, Any]:
        components: dict[str, Any] = super().get_components()
        made = problems.ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
        components["schemas"] |= {**made.pop("$defs"), "ProblemOut": made}
        return components


def _state_absence(schema: dict[str, Any]) -> None:
    """A parameter that may be left out can't be given as null: an address knows no such thing."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema.update(kinds[0])


class Api(NinjaAPI):
    """With the whole document."""

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> OpenAPISchema:
        if path_prefix is None:
            path_prefix = self.get_root_path(path_params or {})
        return _Document(api=self, path_prefix=path_prefix)


# --- The page ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Value:
    """A parameter, or a field of a body or an answer."""

    name: str
    kind: str
    description: str
    is_required: bool = False

    @property
    def shown_kind(self) -> str:
        return f"{self.kind}, required" if self.is_required else self.kind


@dataclass(frozen=True)
class Described:
    """An operation as the page shows it."""

    id: str
    method: str
    path: str
    scope: str
    paragraphs: tuple[str, ...]
    parameters: tuple[Value, ...]
    body: tuple[Value, ...]
    answer: tuple[Value, ...]
    formats: tuple[str, ...]

    @property
    def tables(self) -> list[Table]:
        """Without those that would be empty."""
        parts = {"Parameter": self.parameters, "In the body": self.body, "In the answer": self.answer}
        return [self._table(heading, values) for heading, values in parts.items() if values]

    def _table(self, heading: str, values: tuple[Value, ...]) -> Table:
        return Table(
            f"{self.method} {self.path}: {heading[:1].lower()}{heading[1:]}",
            (
                Column(heading, is_number=False),
                *(Column(label, is_number=False, css="") for label in ("Is", "Meaning")),
            ),
            tuple(
                Row((format_html("<code>{}</code>", value.name), value.shown_kind, value.description))
                for value in values
            ),
            css="data--top",
        )


def described(document: dict[str, Any]) -> dict[str, list[Described]]:
    """The operations of a document, by subject."""
    schemas = document["components"]["schemas"]
    groups: dict[str, list[Described]] = {}
    for path, methods in document["paths"].items():
        for method, details in methods.items():
            groups.setdefault(details["tags"][0], []).append(_described(path, method, details, schemas))
    return groups


def _described(path: str, method: str, details: dict[str, Any], schemas: dict[str, Any]) -> Described:
    success = next(answer for status, answer in details["responses"].items() if int(status) < 300)
    content = success.get("content", {})
    body = details.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    text, _space, _scope = details["description"].rpartition("\n\n")
    return Described(
        id=details["operationId"],
        method=method.upper(),
        path=path,
        scope=details.get("x-scope", ""),
        paragraphs=tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip()),
        parameters=tuple(
            Value(one["name"], _kind(one["schema"]), one.get("description", ""), bool(one.get("required")))
            for one in details["parameters"]
        ),
        body=_values(body, schemas, told_required=True),
        answer=_values(content.get("application/json", {}).get("schema", {}), schemas),
        formats=tuple(kind for kind in content if kind != "application/json"),
    )


def _values(
    schema: dict[str, Any], schemas: dict[str, Any], before: str = "", depth: int = 0, *, told_required: bool = False
) -> tuple[Value, ...]:
    """Every field, nested ones as "data[].company.id"; of what is sent besides, whether it has to be there."""
    resolved = _resolved(schema, schemas)
    if depth > 4:
        return ()
    found: list[Value] = []
    for name, field in resolved.get("properties", {}).items():
        inner = _resolved(field, schemas)
        place = f"{before}{name}"
        is_required = told_required and name in resolved.get("required", ())
        found.append(Value(place, _kind(inner), field.get("description", inner.get("description", "")), is_required))
        item = _resolved(inner.get("items", {}), schemas)
        if item.get("properties"):
            found += _values(item, schemas, f"{place}[].", depth + 1, told_required=told_required)
        elif inner.get("properties"):
            found += _values(inner, schemas, f"{place}.", depth + 1, told_required=told_required)
    return tuple(found)


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Behind references, and behind "or null"."""
    if "$ref" in schema:
        return _resolved(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) < len(schema.get("anyOf", [])) and len(kinds) == 1:
        inner = _resolved(kinds[0], schemas)
        return inner | {"or_null": True} | ({"description": schema["description"]} if "description" in schema else {})
    return schema


def _kind(schema: dict[str, Any]) -> str:
    """In a word or two."""
    names = {"date": "day", "date-time": "moment"}
    kinds = [one.get("type", "") for one in schema.get("anyOf", []) if one.get("type") != "null"]
    kind = names.get(schema.get("format", "")) or schema.get("type") or " or ".join(dict.fromkeys(kinds)) or "object"
    kind = {"string": "text", "array": "list", "integer": "number"}.get(kind, kind)
    return f"{kind} or null" if schema.get("or_null") else kind
