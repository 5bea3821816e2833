"""An OpenID Connect provider of our own on a loopback port, and who comes back from it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.socialaccount.providers import registry
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import Invitation, Role
from accounts.services.inviting import invite
from tests.factories import make_company, make_user

LOGIN, CALLBACK = "/accounts/sso/login/", "/accounts/sso/callback/"


CONFIGURATION = "/.well-known/openid-configuration"


CLIENT_SECRET = "the-client-secret"


@dataclass
class Provider:
    """What the identity provider says; a test changes it."""

    issuer: str = ""
    email: str = "berta@example.com"
    email_verified: Any = True
    subject: str = "subject-1"
    told_subject: str = ""  # by the user info, where it differs
    audience: str = "our-client"
    token_issuer: str = ""
    expires_in: int = 300
    asked_seconds_ago: int | None = None  # when it asked the person; None is not told
    fails_at: str = ""  # a path that answers 500
    redirects_at: str = ""
    is_silent: bool = False
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)

    def answer(self, path: str) -> dict[str, Any]:
        if self.is_silent:
            return {}
        if path == CONFIGURATION:
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        if path == "/token":
            claims = {
                "iss": self.token_issuer or self.issuer,
                "aud": self.audience,
                "sub": self.subject,
                "exp": int(time.time()) + self.expires_in,
            }
            if self.asked_seconds_ago is not None:
                claims["auth_time"] = int(time.time()) - self.asked_seconds_ago
            return {
                "access_token": "an-access-token",
                "token_type": "Bearer",
                "id_token": jwt.encode(claims, "x" * 32, algorithm="HS256"),
            }
        return {
            "sub": self.told_subject or self.subject,
            "email": self.email,
            "email_verified": self.email_verified,
        }


@pytest.fixture
def provider(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """The provider, running, and the product configured for it."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            length = int(self.headers.get("Content-Length") or 0)
            provider.asked.append((path, parse_qs(self.rfile.read(length).decode())))
            status = 500 if path == provider.fails_at else 302 if path == provider.redirects_at else 200
            body = json.dumps(provider.answer(path)).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{provider.issuer}/elsewhere")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    app = {
        "provider_id": "sso",
        "name": "Example ID",
        "client_id": "our-client",
        "secret": CLIENT_SECRET,
        "settings": {"server_url": provider.issuer},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    settings.OIDC_ENABLED = True
    settings.OIDC_NAME = "Example ID"
    monkeypatch.setitem(registry.provider_map, OpenIDConnectProvider.id, OpenIDConnectProvider)
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()


def make_invitation(email: str = "berta@example.com", role: Role = Role.MEMBER) -> Invitation:
    companies = [make_company()] if role == Role.COMPANY_VIEWER else []
    admin = make_user(role=Role.ADMIN)
    return invite(role=role, companies=companies, email=email, invited_by=admin, now=timezone.now())[0]


def sign_in(client: Client, query: str = "") -> Any:
    """To the provider and back, as a browser does it; returns the answer to the way back."""
    there = client.get(LOGIN + query)
    state = parse_qs(urlsplit(there["Location"]).query)["state"][0]
    return client.get(CALLBACK, {"code": "a-code", "state": state})


def is_signed_in(client: Client) -> bool:
    return bool(client.get("/settings/").status_code == 200)
