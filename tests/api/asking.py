"""Asking the API as a program does: a token, no cookie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from accounts.models import Role
from api.models import Scope
from api.services import create_token
from providers.models import Company
from tests.factories import NOW, make_user


def make_token(
    *,
    role: Role = Role.ADMIN,
    user: User | None = None,
    companies: Sequence[Company] = (),
    scopes: Sequence[str] = tuple(Scope.values),
    company: Company | None = None,
    now: datetime = NOW,
) -> str:
    """The text of a new token: of ``user``, or of somebody new with this role."""
    owner = user or make_user(role=role, companies=companies)
    _token, text = create_token(user=owner, name="Script", scopes=scopes, company=company, now=now)
    return text


class Api:
    """A program with a token; answers are Django's test responses."""

    def __init__(self, token: str = "") -> None:
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.client = Client(raise_request_exception=False)

    def get(
        self,
        path: str,
        asked: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **parameters: Any,
    ) -> Any:
        """``asked`` is for parameters that are no names in Python."""
        query = {**(asked or {}), **parameters}
        return self.client.get(f"/api/v1{path}", query, headers=self.headers | dict(headers or {}))

    def post(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        return self.client.post(
            f"/api/v1{path}", body, content_type="application/json", headers=self.headers | dict(headers or {})
        )

    def patch(self, path: str, body: Any) -> Any:
        return self.client.patch(f"/api/v1{path}", body, content_type="application/json", headers=self.headers)

    def pages(self, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Every page, one after the other."""
        answer = self.get(path, **parameters).json()
        yield answer
        while answer["next"]:
            answer = self.get(path, **parameters, cursor=answer["next"]).json()
            yield answer
