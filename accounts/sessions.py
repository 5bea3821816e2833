"""Sessions as the database keeps them: of no use to who has only a copy of it (settings.SESSION_ENGINE).

The cookie's key is stored as a digest, and what the session holds – the secret of an authenticator app that is being
set up, say – is encrypted with a key that is made of the cookie's. Both are gone with the cookie.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.contrib.auth import SESSION_KEY as USER_ID
from django.contrib.sessions.backends import db
from django.db import DatabaseError, transaction
from django.db.models import CharField, DateTimeField, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.addresses import client_address
from core.prepared import Given, PreparedQuery

if TYPE_CHECKING:
    from accounts.models import Session

# What a session knows of how it began; put there by signing in.
BROWSER: Final = "browser"

# Use moves a session's end on no more often than this: not every page is a write.
NOTED_EVERY: Final = timedelta(minutes=5)


def digest(session_key: str) -> str:
    """As which the key of a cookie is stored."""
    return salted_hmac("accounts.sessions.digest", session_key, algorithm="sha256").hexdigest()


def remember_browser(request: HttpRequest, **_signal: Any) -> None:
    """Receives Django's ``user_logged_in``: from here on the absolute limit counts."""
    request.session[BROWSER] = {
        "address": client_address(request),
        "user_agent": request.headers.get("User-Agent", "")[:200],
        "began_at": timezone.now().timestamp(),
    }


def _sessions() -> QuerySet[Session]:
    moment = Given("now", DateTimeField())
    return SessionStore.get_model_class().objects.filter(pk=Given("pk", CharField()), expire_date__gt=moment)


_SESSION: Final = PreparedQuery(_sessions)


class SessionStore(db.SessionStore):
    @classmethod
    def get_model_class(cls) -> type[Session]:
        from accounts.models import Session

        return Session

    def get_expiry_age(self, **_kwargs: Any) -> int:
        """Seconds until the absolute limit, which is the cookie's life; the idle limit is the stored session's."""
        return max(0, int((_last_moment(self.get(BROWSER)) - timezone.now()).total_seconds()))

    def get_expiry_date(self, **_kwargs: Any) -> datetime:
        return _next_end(self.get(BROWSER))

    def load(self) -> dict[str, Any]:
        session = self._get_session_from_db()
        if session is None:
            return {}
        content: dict[str, Any] = self.decode(session.session_data)
        end = _next_end(content.get(BROWSER))
        if end - session.expire_date > NOTED_EVERY:
            # A database that takes no changes still shows its pages, until the session ends as it stands.
            with contextlib.suppress(DatabaseError), transaction.atomic():
                self.model.objects.filter(pk=session.pk).update(expire_date=end)
        return content

    def exists(self, session_key: str) -> bool:
        return self.model.objects.filter(pk=digest(session_key)).exists()

    def delete(self, session_key: str | None = None) -> None:
        if key := session_key or self.session_key:
            self.model.objects.filter(pk=digest(key)).delete()

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        plain = super().create_model_instance(data)
        browser = data.get(BROWSER)
        return self.get_model_class()(
            session_key=digest(plain.session_key),
            session_data=plain.session_data,
            expire_date=plain.expire_date,
            user_id=data.get(USER_ID),
            address=browser["address"] if browser else "",
            user_agent=browser["user_agent"] if browser else "",
            began_at=_began(browser) if browser else None,
        )

    def encode(self, session_dict: dict[str, Any]) -> str:
        return self._cipher().encrypt(super().encode(session_dict).encode()).decode()

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        try:
            packed = self._cipher().decrypt(session_data).decode()
        except InvalidToken:  # SECRET_KEY is another one than when it was written
            return {}
        content: dict[str, Any] = super().decode(packed)
        return content

    def _get_session_from_db(self) -> Session | None:
        key = self.session_key or ""
        for session in _SESSION.ask(pk=digest(key), now=timezone.now()):
            return session
        self._session_key = None
        return None

    def _cipher(self) -> Fernet:
        key = salted_hmac("accounts.sessions.content", self.session_key or "", algorithm="sha256").digest()
        return Fernet(base64.urlsafe_b64encode(key))


def _began(browser: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(browser["began_at"], UTC)


def _last_moment(browser: Mapping[str, Any] | None) -> datetime:
    """The absolute limit, from signing in; before it, from now."""
    began = _began(browser) if browser else timezone.now()
    return began + timedelta(days=settings.SESSION_MAX_DAYS)


def _next_end(browser: Mapping[str, Any] | None) -> datetime:
    """When a session ends that is used now."""
    return min(timezone.now() + timedelta(hours=settings.SESSION_IDLE_HOURS), _last_moment(browser))
