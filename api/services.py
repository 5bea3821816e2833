"""Making, finding and revoking tokens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from hmac import compare_digest

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import CharField, DateTimeField

from accounts.access import sees_company
from api.models import ApiToken, Scope
from api.token_text import make_token_text, read_token_text
from core.audit import audit_event
from core.prepared import Given, PreparedQuery
from providers.models import Company
from providers.models.company import check_name

DAYS = 90
MOST_DAYS = 3650
LONGEST_NAME = 100

_VALID_TOKEN = PreparedQuery(
    lambda: (
        ApiToken.objects.valid(Given("now", DateTimeField()))
        .select_related("user__membership")
        .filter(public_id=Given("public_id", CharField()))
        .order_by()
    )
)


@transaction.atomic
def create_token(
    *, user: User, name: str, scopes: Iterable[str], now: datetime, company: Company | None = None, days: int = DAYS
) -> tuple[ApiToken, str]:
    """Make a token of ``user`` that ends after ``days``; returns it with its text, which is stored nowhere.

    Scopes that the owner's role does not have open nothing as long as it does not have them. Raises ValidationError, by
    field.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise ValidationError({"name": f"A name has between 1 and {LONGEST_NAME} characters."})
    check_name(name)
    chosen = [scope.value for scope in Scope if scope in set(scopes)]
    if not chosen:
        raise ValidationError({"scopes": "Choose at least one scope."})
    if not 1 <= days <= MOST_DAYS:
        raise ValidationError({"days": f"A token lasts between 1 and {MOST_DAYS:,} days."})
    if company is not None and not sees_company(user, company.pk):
        raise ValidationError({"company": f"{user.get_username()} does not see this company."})
    text = make_token_text()
    token = ApiToken(
        user=user,
        name=name,
        public_id=text.public_id,
        secret_digest=text.digest,
        scopes=chosen,
        company=company,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    token.save()
    facts = {"scopes": chosen, "owner": user.get_username(), "expires": f"{token.expires_at:%Y-%m-%d}"}
    audit_event("token.created", token, new=facts | ({"company": company.name} if company else {}))
    return token, text.clear


def find_token(*, text: str, now: datetime) -> ApiToken | None:
    """The valid token that is written so, with its owner and their membership; one query, none for nonsense."""
    read = read_token_text(text)
    if read is None:
        return None
    found = _VALID_TOKEN.ask(now=now, public_id=read.public_id)
    return found[0] if found and compare_digest(found[0].secret_digest, read.digest) else None


@transaction.atomic
def revoke_token(*, token: ApiToken, now: datetime) -> None:
    """End it, from the next request on."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        audit_event("token.revoked", token, old={"owner": token.user.get_username()})
